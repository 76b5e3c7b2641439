from pathlib import Path

import pytest

from eventum.errors import NotFound
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.layout import POOLS
from eventum.store.pool import record_of
from tests.store.parts import Parts, pooled


def put(parts: Parts, key: str, outcome: str = "unassociated", account: str = "account") -> Path:
    """A mail comes into the pool; where it lies in the spool."""
    source = parts.layout.incoming / "cur" / f"{account}-{key},R=run:2,"
    source.write_bytes(b"mail " + key.encode())
    with Flush() as flush:
        parts.pool.put(flush, pooled(key, account), outcome, str(source))
    return source


def everything(parts: Parts) -> list[tuple[str, str, str]]:
    return sorted(
        (account, key, outcome) for account in parts.pool.accounts() for key, outcome in parts.pool.entries(account)
    )


@pytest.mark.parametrize("outcome", POOLS)
def test_a_mail_lies_under_its_outcome_with_its_record(parts: Parts, outcome: str) -> None:
    source = put(parts, "k1", outcome)
    assert parts.pool.outcome("account", "k1") == outcome
    assert parts.pool.load("account", "k1") == pooled("k1")
    path = parts.pool.path("account", "k1")
    assert path.samefile(source)
    assert path.parent == parts.layout.pool_of("account", outcome) / "cur"
    assert everything(parts) == [("account", "k1", outcome)]


def test_each_mail_of_the_pool_has_its_second_name_for_copies_also_one_that_came_out_of_an_issue(parts: Parts) -> None:
    source = put(parts, "k1")
    second = parts.layout.kept / "cur" / "k1:2,S"
    assert second.samefile(source)
    parts.pool.take("account", "k1")
    second.unlink()  # A day later; then a person puts it back.
    put(parts, "k1")
    assert second.samefile(source)


def test_a_mail_that_is_put_there_again_stays_where_a_person_moved_it(parts: Parts) -> None:
    put(parts, "k1")
    parts.pool.move("account", "k1", "removed")
    put(parts, "k1")
    assert everything(parts) == [("account", "k1", "removed")]


def test_the_same_mail_of_two_accounts_is_two_mails(parts: Parts) -> None:
    put(parts, "k1", "ignored", "one")
    put(parts, "k1", "refused", "two")
    assert everything(parts) == [("one", "k1", "ignored"), ("two", "k1", "refused")]
    parts.pool.take("one", "k1")
    assert everything(parts) == [("two", "k1", "refused")]


@pytest.mark.parametrize("half", ["record", "mail"])
def test_what_a_dead_run_put_there_half_is_not_there_and_is_put_there_whole(parts: Parts, half: str) -> None:
    put(parts, "k1")
    if half == "record":
        parts.pool.path("account", "k1").unlink()
    else:
        (parts.layout.pool / "account" / "k1.json").unlink()
    assert parts.pool.outcome("account", "k1") is None
    put(parts, "k1")
    assert parts.pool.outcome("account", "k1") == "unassociated"
    assert parts.pool.load("account", "k1") == pooled("k1")
    assert everything(parts) == [("account", "k1", "unassociated")]


@pytest.mark.parametrize("flags", ["", "S", "FRS"])
def test_a_mail_is_moved_whatever_a_mail_reader_marked(parts: Parts, flags: str) -> None:
    put(parts, "k1")
    path = parts.pool.path("account", "k1")
    path.rename(path.with_name(f"k1:2,{flags}"))
    parts.pool.move("account", "k1", "removed")
    assert everything(parts) == [("account", "k1", "removed")]
    parts.pool.move("account", "k1", "removed")
    assert everything(parts) == [("account", "k1", "removed")]


def test_what_an_issue_has_now_is_forgotten_and_forgetting_again_changes_nothing(parts: Parts) -> None:
    source = put(parts, "k1")
    for _ in range(2):
        parts.pool.take("account", "k1")
        assert parts.pool.outcome("account", "k1") is None
    assert everything(parts) == []
    assert source.read_bytes() == b"mail k1"


def test_of_what_is_not_there_it_is_said(parts: Parts) -> None:
    assert parts.pool.outcome("account", "k1") is None
    for ask in (
        lambda: parts.pool.path("account", "k1"),
        lambda: parts.pool.load("account", "k1"),
        lambda: parts.pool.move("account", "k1", "removed"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert (parts.pool.accounts(), list(parts.pool.entries("account"))) == ([], [])


@pytest.mark.parametrize("account", ["../people", "", "A"])
def test_an_account_never_leads_out_of_the_pool(parts: Parts, account: str) -> None:
    with pytest.raises(NotFound), Flush() as flush:
        parts.pool.put(flush, pooled("k1", account), "ignored", "nowhere")
    for ask in (parts.pool.outcome, parts.pool.path, parts.pool.load, parts.pool.take):
        with pytest.raises(NotFound):
            ask(account, "k1")
    assert list(files.listing(parts.layout.pool)) == []


def test_the_journal_names_account_and_key() -> None:
    assert record_of("account", "k1") == "pool/account/k1"


def test_a_maildir_of_the_pool_appears_with_all_its_folders_or_not_at_all(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = parts.layout.pool_of("account", "unassociated")
    made, real = [], files.make_folder

    def full_at_the_third(path: Path | str) -> bool:
        made.append(path)
        if len(made) == 3:
            raise OSError(28, "No space left on device")
        return real(path)

    monkeypatch.setattr(files, "make_folder", full_at_the_third)
    with pytest.raises(OSError, match="No space"):
        put(parts, "k1")
    assert not root.exists()
    monkeypatch.undo()
    put(parts, "k2")
    assert sorted(entry.name for entry in files.listing(root)) == ["cur", "new", "tmp"]


def test_a_maildir_that_lacks_a_folder_is_completed(parts: Parts) -> None:
    root = parts.layout.pool_of("account", "unassociated")
    (root / "tmp").mkdir(parents=True)
    put(parts, "k1")
    assert everything(parts) == [("account", "k1", "unassociated")]
    assert list(files.listing(parts.layout.state_tmp)) == []
