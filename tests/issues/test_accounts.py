"""What makes a mail account usable, and the sentence when it is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Refused
from eventum.issues.accounts import TYPES, Account, quiet_threshold, read_quiet_before, type_of, validate

CREATED = datetime(2026, 11, 22, tzinfo=UTC)


def account(**fields: Any) -> Account:
    values: dict[str, Any] = {"type": "imap/ssl", "host": "imap.example.org", "username": "support", **fields}
    return Account(id="a1", project="support", created=CREATED, **values)


@pytest.mark.parametrize(
    ("name", "protocol", "security", "verify", "port"),
    [
        ("imap", "imap", "starttls-if-offered", True, 143),
        ("imap/ssl", "imap", "ssl", True, 993),
        ("imap/ssl/novalidate-cert", "imap", "ssl", False, 993),
        ("imap/tls", "imap", "starttls", True, 143),
        ("imap/tls/novalidate-cert", "imap", "starttls", False, 143),
        ("imap/notls", "imap", "none", True, 143),
        ("pop3", "pop3", "starttls-if-offered", True, 110),
        ("pop3/ssl", "pop3", "ssl", True, 995),
        ("pop3/ssl/novalidate-cert", "pop3", "ssl", False, 995),
        ("pop3/tls", "pop3", "starttls", True, 110),
        ("pop3/tls/novalidate-cert", "pop3", "starttls", False, 110),
        ("pop3/notls", "pop3", "none", True, 110),
        ("maildir", "maildir", "none", True, 0),
        ("delivered", "delivered", "none", True, 0),
    ],
)
def test_a_type_says_how_to_talk(name: str, protocol: str, security: str, verify: bool, port: int) -> None:
    kind = TYPES[name]
    assert (kind.protocol, kind.security, kind.verify, kind.port) == (protocol, security, verify, port)
    assert len(TYPES) == 14 and kind.remote == (protocol in ("imap", "pop3"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"type": "exchange"}, "no account type 'exchange'; choose one of: imap, imap/ssl"),
        ({"host": ""}, "type imap/ssl needs a server; give it with --host"),
        ({"host": "https://imap.example.org"}, "is not a host name"),
        ({"host": "imap example"}, "is not a host name"),
        ({"port": 65536}, "65536 is not a port"),
        ({"port": -1}, "-1 is not a port"),
        ({"username": " "}, "needs a user name; give it with --username"),
        ({"username": "a\r\nb"}, "control characters"),
        ({"folder": " "}, "needs a folder; give it with --folder, usually INBOX"),
        ({"type": "maildir"}, "needs the path of the Maildir; give it with --folder"),
        ({"type": "delivered"}, "needs an address whose mail it takes; give it with --address"),
        ({"addresses": ("support",)}, "'support' is not an e-mail address"),
        ({"addresses": ("a@b.example", "-f@b.example")}, "'-f@b.example' is not an e-mail address"),
        ({"start": "yesterday"}, "--start 'yesterday' is not known; choose one of: all, unread, now"),
        ({"quiet_before": "7 days"}, "--quiet-before cannot be '7 days'; choose a number of days or hours"),
        ({"quiet_before": ""}, "--quiet-before cannot be ''"),
    ],
)
def test_what_is_wrong_with_an_account_is_one_sentence_with_the_remedy(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence.replace("(", r"\(")) as error:
        validate(account(**fields))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "pop3", "folder": ""},
        {"type": "maildir", "host": "", "username": "", "folder": "/var/mail/support"},
        {"type": "delivered", "host": "", "username": "", "addresses": ("support@example.org",)},
        {"host": "127.0.0.1", "port": 10143, "type": "imap/notls"},
        {"host": "::1"},
        {"quiet_before": "never"},
        {"quiet_before": "2026-01-31"},
    ],
)
def test_a_good_account_passes_and_passes_again(fields: dict[str, Any]) -> None:
    once = validate(account(**fields))
    assert validate(once) == once
    assert msgspec.json.decode(msgspec.json.encode(once), type=Account) == once


def test_a_stored_account_is_settled() -> None:
    stored = validate(account(host=" IMAP.Example.ORG. ", addresses=("Support@Example.org", "support@example.org")))
    assert (stored.host, stored.port, stored.addresses) == ("imap.example.org", 993, ("support@example.org",))
    assert validate(account(type="pop3/ssl", folder="Other")).folder == "INBOX"


def test_routing_takes_the_mail_off_the_server() -> None:
    assert validate(account()).leave_copy
    assert not validate(account(routing=True)).leave_copy
    assert not validate(account(leave_copy=False)).leave_copy


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("7d", CREATED - timedelta(days=7)),
        ("12h", CREATED - timedelta(hours=12)),
        ("0d", CREATED),
        (" 7D ", CREATED - timedelta(days=7)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("never", None),
    ],
)
def test_old_mail_is_what_is_dated_before_the_threshold(text: str, threshold: datetime | None) -> None:
    assert quiet_threshold(account(quiet_before=text), CREATED) == threshold


def test_without_a_first_fetch_only_a_date_makes_mail_old() -> None:
    assert quiet_threshold(account(), None) is None
    assert quiet_threshold(account(quiet_before="2026-01-31"), None) == datetime(2026, 1, 31, tzinfo=UTC)


@given(st.text(max_size=12))
def test_any_text_is_a_threshold_or_refused(text: str) -> None:
    try:
        found = read_quiet_before(text)
    except Refused:
        return
    assert not isinstance(found, datetime) or found.tzinfo is UTC


def test_the_type_of_a_damaged_account_is_refused() -> None:
    with pytest.raises(Refused, match="no account type"):
        type_of(account(type="x"))
