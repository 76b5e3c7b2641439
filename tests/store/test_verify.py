import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventum.config import Config
from eventum.mail.envelope import Envelope
from eventum.store.flush import Flush
from eventum.store.inspection import Finding
from eventum.store.maildir import Queue
from eventum.tracker.tracker import Tracker
from eventum.tracker.verifying import reindex, verify
from tests.house import NOW, House, mail

DEAD = "elsewhere-17-0123abcd"


class Whole:
    """A store with two issues, mail of no issue, mail on its way out, sent, failed and dead; a copy for each test."""

    def __init__(self, root: Path, account: str) -> None:
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(self.config).open()
        self.envelope = Envelope(destination=account, received=NOW)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    house = House(tmp_path_factory.mktemp("whole"))
    house.arrive(mail(Message_ID="<1@a.example>"), mail("Second", Message_ID="<2@a.example>"))
    house.arrive(mail("Re: first", In_Reply_To="<1@a.example>", Message_ID="<3@a.example>"))
    house.arrive(mail("Away", Message_ID="<4@a.example>", Auto_Submitted="auto-replied"))
    first, second, *_ = house.tracker.outbox.due()
    for entry, end in ((first, house.tracker.outbox.sent), (second, house.tracker.outbox.failed)):
        claimed = house.tracker.outbox.claim(entry)
        assert claimed is not None
        end(claimed, "250 ok")
    house.tracker.spool.accept([(Envelope(destination=house.account.id, received=NOW), b"Subject: bad\r\n\r\n")])
    (waiting,) = house.tracker.spool.claim(house.tracker.spool.waiting())
    house.tracker.spool.bury(waiting, "it broke the reader", 3)
    house.tracker.index.catch_up()
    house.tracker.close()
    return house.root, house.account.id


@pytest.fixture
def full(prepared: tuple[Path, str], tmp_path: Path) -> Iterator[Whole]:
    root, account = prepared
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    whole = Whole(tmp_path, account)
    yield whole
    whole.tracker.close()


def findings(house: Whole) -> dict[str, str]:
    """What is wrong, by path below the data folder; all that is wrong with a file in one text."""
    root, found = f"{house.tracker.layout.root}/", dict[str, str]()
    for one in verify(house.tracker).findings:
        name = one.path.removeprefix(root)
        found[name] = f"{found[name]}; {one.problem}" if name in found else one.problem
    return found


def one(folder: Path, pattern: str) -> Path:
    (path,) = sorted(folder.glob(pattern))[:1]
    return path


def test_a_whole_store_has_nothing_wrong_and_each_file_was_looked_at(full: Whole) -> None:
    done = verify(full.tracker)
    assert done.findings == ()
    data = full.tracker.layout.root
    ours = [path for path in data.rglob("*") if path.is_file() and "locks" not in path.relative_to(data).parts]
    # The lease of this very run is no file of the store; templates and responses are a person's own.
    assert done.checked >= len(ours)


def test_looking_changes_nothing(full: Whole) -> None:
    before = {path: path.stat().st_mtime_ns for path in full.tracker.layout.root.rglob("*") if path.is_file()}
    verify(full.tracker)
    assert {path: path.stat().st_mtime_ns for path in before} == before


Damage = Callable[[Path], Path]


def removed(pattern: str, beside: str = "") -> Damage:
    def damage(data: Path) -> Path:
        path = one(data, pattern)
        path.unlink()
        return path.parent / beside.replace("*", path.name.partition(":")[0].partition(".")[0]) if beside else path

    return damage


def content(pattern: str, data_: bytes) -> Damage:
    def damage(data: Path) -> Path:
        path = one(data, pattern)
        path.write_bytes(data_)
        return path

    return damage


def added(name: str, data_: bytes = b"x") -> Damage:
    def damage(data: Path) -> Path:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data_)
        return path

    return damage


def copied(pattern: str, to: str) -> Damage:
    def damage(data: Path) -> Path:
        path = one(data, pattern)
        target = data / to.replace("*", path.name.partition(":")[0].partition(".")[0])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        return target

    return damage


def edited(pattern: str, was: str, becomes: str) -> Damage:
    def damage(data: Path) -> Path:
        path = one(data, pattern)
        text = path.read_text()
        assert was in text
        path.write_text(text.replace(was, becomes, 1))
        return path

    return damage


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (removed("issues/0/1/issue.json"), "the file is missing"),
        (content("issues/0/1/issue.json", b""), "is not valid JSON (it is empty)"),
        (content("issues/0/1/issue.json", b'{"schema": 99}'), "was written by a newer version"),
        (edited("issues/0/1/issue.json", '"number": 1,', '"number": 7,'), "it is the record of issue 7"),
        (edited("issues/0/1/issue.json", '"next_event": ', '"next_event": 1'), "are missing"),
        (edited("issues/0/1/issue.json", '"announced": ', '"announced": -'), "nobody was told of the events after"),
        (removed("issues/0/1/mail/cur/*"), "the mail is missing"),
        (content("issues/0/1/mail/cur/*", b"Subject: forged\r\n\r\n"), "its bytes are not those that came in"),
        (added("issues/0/1/mail/cur/1234.other.host:2,"), "the issue's record does not name it"),
        (added("issues/0/1/mail/tmp/1234.other.host"), "left this half written"),
        (added("issues/0/1/notes.txt"), "does not belong here"),
        (added("issues/0/1/history/old"), "does not belong here"),
        (added("issues/readme"), "does not belong here"),
        (added("issues/0/readme"), "does not belong here"),
        (added(f"issues/.tmp/{DEAD}.3"), ""),
        (removed("pool/*/*.json", "unassociated/cur/*:2,"), "a mail without its record"),
        (removed("pool/*/unassociated/cur/*", "../../*.json"), "a record without its mail"),
        (copied("pool/*/unassociated/cur/*", "pool/copy/unassociated/cur/*:2,"), "a mail without its record"),
        (added("pool/readme"), "does not belong here"),
        (added("spool/readme"), "does not belong here"),
        (added("spool/in/readme"), "does not belong here"),
        (added("spool/in/tmp/1234.other.host"), "does not belong here"),
        (added(f"spool/in/cur/abc,R={DEAD}:2,"), ""),
        (added("spool/in/cur/abc:2,S"), "a run that died had it in hand"),
        (added("spool/out/new/abc"), "does not begin with the envelope"),
        (copied("spool/out/new/*", "spool/sent/cur/*:2,S"), "also lies at"),
        (copied("spool/sent/cur/*", "spool/out/new/deadbeef"), "by its envelope it is the entry"),
        (added("spool/out/log/abc.jsonl"), "the log of an entry that is gone"),
        (removed("spool/dead/*.json"), "why this mail lies here was lost"),
        (removed("spool/dead/cur/*", "../*.json"), "the reason of a mail that is here no more"),
        (content("state/number.json", b'{"next": 1}'), "the next issue would be 1"),
        (
            content("state/store.json", b'{"id": "x", "key": "y", "created": "2026-11-22T00:00:00Z"'),
            "it ends too early",
        ),
        (content("people/users/*.json", b"[]"), "does not hold what it should"),
        (copied("people/users/*.json", "people/users/other.json"), "it is the record of"),
        (added("people/users/.a.json.99999999"), "a run that died left this half written"),
        (added("settings/accounts/a.txt"), "does not belong here"),
        (added("settings/general.json", b"{"), "is not valid JSON"),
        (added("state/fetch/a.json", b"[]"), "does not hold what it should"),
        (added("state/runs/x.json", b"{}"), "does not hold what it should"),
        (content("state/daily-in.json", b'{"days": 7}'), "does not hold what it should"),
        (added("state/intents/x.json", b"{}"), "does not hold what it should"),
        (added("state/logins/x.json", b"[]"), "does not hold what it should"),
        (added("state/tries.json", b'{"tries": 7}'), "does not hold what it should"),
        (added("settings/responses/x.json", b"{}"), "does not hold what it should"),
        (added("journal/readme"), "does not belong here"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(full: Whole, damage: Damage, problem: str) -> None:
    path = damage(full.tracker.layout.root)
    if DEAD in path.name:
        problem = "a run that died"
    found = findings(full)
    name = str(path.resolve().relative_to(full.tracker.layout.root.resolve()))
    assert problem in found.get(name, ""), found


def test_an_issue_in_a_folder_of_other_numbers_is_named(full: Whole) -> None:
    copied("issues/0/1/issue.json", "issues/0/1001/issue.json")(full.tracker.layout.root)
    assert findings(full) == {"issues/0/1001": "this issue lies in a folder of other numbers"}


def test_a_missing_folder_is_named_and_made(full: Whole) -> None:
    folder = full.tracker.layout.held
    shutil.rmtree(folder)
    assert findings(full)["spool/held/cur"] == "the folder is missing"
    done = verify(full.tracker, repair=True)
    assert (done.findings, (folder / "cur").is_dir()) == ((), True)


def test_a_mail_in_two_issues_is_named(full: Whole) -> None:
    data = full.tracker.layout.root
    shutil.copytree(data / "issues/0/1", data / "issues/0/3")
    path = data / "issues/0/3/issue.json"
    path.write_text(path.read_text().replace('"number": 1,', '"number": 3,', 1))
    assert any("is named more than once: in issues" in problem for problem in findings(full).values())


def test_a_mail_in_an_issue_and_in_the_pool_is_named(full: Whole) -> None:
    data = full.tracker.layout.root
    key = one(data, "issues/0/2/mail/cur/*").name.partition(":")[0]
    record = one(data, "pool/*/*.json")
    shutil.copy(one(data, "issues/0/2/mail/cur/*"), record.parent / "unassociated/cur" / f"{key}:2,")
    record.with_name(f"{key}.json").write_text(record.read_text().replace(record.stem, key))
    assert "the mail is in issue 2 as well" in findings(full).values()


def test_a_file_of_another_user_is_named(full: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert f"it belongs to user {os.getuid()}" in findings(full).values()


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_looked_at(
    full: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = os.open, str(full.tracker.layout.issue(1) / "issue.json")

    def opened(path: str, flags: int, *rest: Any, **more: Any) -> int:
        if str(path) == broken:
            raise OSError(5, "Input/output error", broken)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", opened)
    assert findings(full) == {"issues/0/1/issue.json": "cannot be read (Input/output error)"}


def test_an_index_that_says_something_else_is_named_and_mended(full: Whole) -> None:
    full.tracker.index.catch_up()  # It came here with the copy of its store, so all is read again.
    full.tracker.index._db.execute("DELETE FROM mails WHERE issue = 1")
    full.tracker.index._db.execute("UPDATE pool SET outcome = 'removed'")
    found = verify(full.tracker).findings
    assert [one.path for one in found] == [str(full.tracker.index.path)] * 2
    assert {one.problem.split()[2] for one in found} == {"mails", "pool"}
    done = verify(full.tracker, repair=True)
    assert (len(done.mended), done.findings) == (2, ())


def test_a_row_that_is_there_twice_is_noticed(full: Whole) -> None:
    full.tracker.index.catch_up()
    full.tracker.index._db.execute("INSERT INTO acknowledgements SELECT * FROM acknowledgements")
    assert [one.problem.split()[2] for one in verify(full.tracker).findings] == ["acknowledgements"]


def test_repair_removes_leftovers_and_nothing_else(full: Whole) -> None:
    data = full.tracker.layout.root
    left = [
        added("issues/0/1/mail/tmp/1.host")(data),
        added("spool/out/log/abc.jsonl")(data),
        removed("spool/dead/cur/*", "../*.json")(data),
        added("people/users/.a.json.99999999")(data),
    ]
    kept = [added("issues/0/1/mail/cur/1.host:2,")(data), added("people/users/notes")(data)]
    before = {path for path in data.rglob("*") if path.is_file()}
    done = verify(full.tracker, repair=True)
    gone = before - {path for path in data.rglob("*") if path.is_file()}
    assert {path.resolve() for path in gone} == {path.resolve() for path in left}
    assert {finding.path for finding in done.findings} == {str(path) for path in kept}


def test_what_a_living_run_is_doing_is_no_finding(full: Whole) -> None:
    tracker = full.tracker
    with Flush() as flush:
        flush.write(f"{tracker.layout.issues_tmp}/{tracker.maker.name()}", b"{}")
        flush.write(f"{tracker.layout.incoming}/tmp/{tracker.maker.name()}", b"half")
    tracker.spool.accept([(full.envelope, b"Subject: x\r\n\r\n")])
    queue = Queue(tracker.layout.incoming)
    queue.claim(queue.waiting()[0], tracker.maker.id)
    tracker.spool.hold("abc")
    assert verify(tracker).findings == ()


def test_what_a_dead_run_left_is_a_finding_until_the_next_run(full: Whole) -> None:
    other = Tracker(full.config)
    other.spool.accept([(full.envelope, b"Subject: x\r\n\r\n")])
    other.spool.claim(other.spool.waiting())
    other.spool.hold("abc")
    assert other.maker._lease is not None
    other.maker._lease.release()
    assert sorted(findings(full).values()) == [
        "a run died while it had this mail in hand",
        "a run that died had it in hand",
    ]
    full.tracker.recover()
    assert verify(full.tracker).findings == ()


def test_a_finding_says_what_mends_it(full: Whole) -> None:
    added("spool/out/log/abc.jsonl")(full.tracker.layout.root)
    (finding,) = verify(full.tracker).findings
    assert finding == Finding(
        f"{full.tracker.layout.out_log}/abc.jsonl",
        "the log of an entry that is gone",
        "`flask verify --repair` removes it",
    )
    assert msgspec.to_builtins(finding).keys() == {"path", "problem", "repair"}


def test_an_index_made_anew_holds_every_issue(full: Whole) -> None:
    before = full.tracker.index.contents()
    assert reindex(full.tracker) == 2
    assert full.tracker.index.contents() == before
