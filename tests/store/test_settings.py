from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.accounts import Account
from eventum.issues.settings import General
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.secrets import Secrets, make_key_file
from eventum.store.settings import SettingsStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    layout = Layout(tmp_path / "data")
    layout.create()
    make_key_file(tmp_path / "secret.json", NOW)
    return SettingsStore(layout, Locks(layout), Secrets(tmp_path / "secret.json"))


def account(**fields: object) -> Account:
    plain = Account(id="", project="p", type="imap", host="mail.example.org", username="help", created=NOW)
    return msgspec.structs.replace(plain, **fields)


def test_nothing_set_is_the_defaults(store: SettingsStore) -> None:
    assert store.general() == General()
    assert store.accounts() == ()
    assert store.smtp_password(store.general()) == ""


def test_general_setup_is_kept_with_its_password_sealed(store: SettingsStore) -> None:
    saved = store.save_general(General(tool_caption="Desk"), smtp_password="secret")
    assert store.general() == saved
    assert "secret" not in saved.smtp.password
    assert store.smtp_password(saved) == "secret"
    later = store.save_general(msgspec.structs.replace(saved, tool_caption="Other"))
    assert store.smtp_password(later) == "secret"
    assert store.smtp_password(store.save_general(later, smtp_password="")) == ""


def test_two_who_change_general_setup_do_not_overwrite_each_other(store: SettingsStore) -> None:
    old = store.general()
    store.save_general(msgspec.structs.replace(old, tool_caption="Theirs"))
    with pytest.raises(Conflict):
        store.save_general(msgspec.structs.replace(old, tool_caption="Ours"))


def test_an_account_keeps_its_password_until_a_new_one_is_given(store: SettingsStore) -> None:
    saved = store.save_account(account(), "first")
    assert store.account_password(saved) == "first"
    saved = store.save_account(msgspec.structs.replace(saved, folder="Other"))
    assert store.account_password(store.account(saved.id)) == "first"
    assert store.account_password(store.save_account(saved, "second")) == "second"


def test_an_account_is_found_as_eventums_own_cron_line_names_it(store: SettingsStore) -> None:
    inbox = store.save_account(account())
    other = store.save_account(account(folder="Other"))
    assert store.account_of("help", "MAIL.example.org", "Other") == other
    assert store.account_of("help", "mail.example.org", "INBOX") == inbox
    assert store.account_of("help", "mail.example.org") in (inbox, other)
    for username, host, folder in (("x", "mail.example.org", ""), ("help", "x", ""), ("help", "mail.example.org", "x")):
        with pytest.raises(NotFound):
            store.account_of(username, host, folder)


def test_two_accounts_of_one_mailbox_or_delivered_address_are_refused(store: SettingsStore) -> None:
    store.save_account(account())
    with pytest.raises(Refused):
        store.save_account(account(host="MAIL.example.org", type="imap/ssl"))
    store.save_account(account(type="delivered", addresses=("a@example.org",)))
    store.save_account(account(type="delivered", addresses=("b@example.org",)))
    with pytest.raises(Refused):
        store.save_account(account(type="delivered", addresses=("c@example.org", "b@example.org")))


def test_a_deleted_account_is_gone(store: SettingsStore) -> None:
    saved = store.save_account(account())
    store.delete_account(saved)
    assert store.accounts() == ()
