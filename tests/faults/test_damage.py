"""Every kind of file of the store damaged in every way: one clear line names it, and everything else goes on."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from app import create_app
from eventum.config import Config
from eventum.mail.envelope import Envelope
from eventum.store.state import Intent
from eventum.tracker.tracker import Tracker
from tests.faults import checker
from tests.house import NOW, House, mail

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut at half": lambda data: data[: len(data) // 2],
    "without its end": lambda data: data.rstrip()[:-1],
    "zeros": lambda data: bytes(len(data)),
    "a list": lambda data: b"[]",
    "a number": lambda data: b"1",
    "no UTF-8": lambda data: b'{"id": "\xff\xfe"}',
    "deep": lambda data: b"[" * 100_000,
    "of a newer version": lambda data: data.replace(b'"schema": 1', b'"schema": 99', 1),
    "another's": lambda data: b'{"schema": 1, "colour": "blue"}',
}
FILES = {
    "issue": "data/issues/0/1/issue.json",
    "history": "data/issues/0/2/history/1.json",
    "pool": "data/pool/*/*.json",
    "user": "data/people/users/*.json",
    "project": "data/people/projects/*.json",
    "account": "data/settings/accounts/*.json",
    "general": "data/settings/general.json",
    "number": "data/state/number.json",
    "fetch": "data/state/fetch/*.json",
    "run": "data/state/runs/process-queue.json",
    "prune": "data/state/runs/prune.json",
    "intent": "data/state/intents/*.json",
    "dead": "data/spool/dead/*.json",
    "store": "data/state/store.json",
    "key": "secret.json",
    "journal": "data/journal/0.jsonl",
    "log": "data/spool/out/log/*.jsonl",
    "index": "cache/index.sqlite3",
}
# Derived, or read line by line: what is damaged is passed over.
NO_RECORD = {"journal", "log", "index"}
# Fields that are not known are kept and not looked at, and some records need none that is.
UNKNOWN = ("no UTF-8", "another's")
# Without these nothing works, and every command says so.
SET_UP = {"store", "key"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a file of each kind."""
    root = tmp_path_factory.mktemp("damage")
    house = House(root)
    house.arrive(mail(Message_ID="<1@a.example>"), mail("Long", Message_ID="<2@a.example>"))
    house.arrive(*(mail(f"Re: {n}", In_Reply_To="<2@a.example>", Message_ID=f"<r{n}@a.example>") for n in range(105)))
    house.arrive(mail("Away", Message_ID="<4@a.example>", Auto_Submitted="auto-replied"))
    house.tracker.spool.accept([(Envelope(destination=house.account.id, received=NOW), b"Subject: bad\r\n\r\n")])
    (bad,) = house.tracker.spool.claim(house.tracker.spool.waiting())
    house.tracker.spool.bury(bad, "it broke the reader", 3)
    house.tracker.close()
    for name in ("new", "cur", "tmp"):
        (root / "box-0" / name).mkdir(parents=True)
    for line in (("settings", "set", "smtp.port", "9"), ("download-emails",), ("process-queue",)):
        flask(root, *line)
    tracker = Tracker(config(root))
    entry = tracker.outbox.claim(tracker.outbox.due()[0])
    assert entry is not None
    tracker.outbox.sent(entry, "250 ok")
    (tracker.layout.intents / "x-1-00000000.json").write_bytes(msgspec.json.encode(Intent("x-1-00000000", ())))
    tracker.close()
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "store"
    shutil.copytree(prepared, root)
    account = next((root / "data/settings/accounts").iterdir())
    account.write_text(account.read_text().replace(str(prepared), str(root)))
    yield root


def config(root: Path) -> Config:
    return Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")


def flask(root: Path, *arguments: str) -> Result:
    """The command as a person calls it; a traceback is an error of the test."""
    result = create_app(config(root)).test_cli_runner().invoke(args=list(arguments), catch_exceptions=False)
    assert "Traceback" not in result.output, result.output
    return result


def path_of(root: Path, kind: str) -> Path:
    (path,) = sorted(root.glob(FILES[kind]))[:1]
    return path


def damages(path: Path, but: tuple[str, ...] = ()) -> Iterator[str]:
    """Each way in turn; the file is whole again after it."""
    data = path.read_bytes()
    for name, way in WAYS.items():
        if name not in but and way(data) != data:
            path.write_bytes(way(data))
            yield name
    path.unlink()
    path.mkdir()
    yield "a folder"
    path.rmdir()
    path.write_bytes(data)


@pytest.mark.parametrize("kind", sorted(set(FILES) - NO_RECORD - SET_UP))
def test_a_damaged_record_is_named_by_verify_and_stops_no_other_thing(root: Path, kind: str) -> None:
    path = path_of(root, kind)
    for way in damages(path, UNKNOWN if kind in ("fetch", "general") else ()):
        verified = flask(root, "verify")
        assert (verified.exit_code, str(path) in verified.stdout) == (1, True), (way, verified.output)
        assert flask(root, "status").exit_code in (1, 2, 3), way
        listed = flask(root, "issues", "list", "--json")
        assert listed.exit_code in (0, 1, 78), (way, listed.output)
        if listed.exit_code:
            assert str(path) in listed.stderr, (way, listed.output)
        assert flask(root, "queue", "list", "--json").exit_code == 0, way
        assert flask(root, "process-queue").exit_code in (1, 78), way


@pytest.mark.parametrize("kind", sorted(set(FILES) - SET_UP))
def test_mail_that_comes_meanwhile_is_kept_and_decided_once(root: Path, kind: str) -> None:
    path, data = path_of(root, kind), path_of(root, kind).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    mails = [mail("New", Message_ID="<n1@a.example>"), mail("Re: it", In_Reply_To="<1@a.example>", Message_ID="<n2@b>")]
    for number, raw in enumerate(mails):
        (root / "box-0" / "new" / f"{number}.x").write_bytes(raw)
    assert flask(root, "download-emails").exit_code in (0, 1, 78)
    if kind not in NO_RECORD and path.read_bytes() == data[: len(data) // 2]:
        path.write_bytes(data)  # A person put back a copy.
    for waiting in (root / "data/spool/in/new").iterdir():
        waiting.rename(waiting.with_name(waiting.name.partition(",")[0]))
    again = flask(root, "download-emails")
    assert again.exit_code == 0, again.output
    account = next((root / "data/settings/accounts").iterdir()).stem
    keys = {checker.key_of(account, raw) for raw in mails}
    store = checker.Looked(root / "data")
    places = [key for key, _, _ in store.filings()] + [record["mail"]["key"] for record in store.pool.values()]
    # An answer to an issue that cannot be used waits in the pool, where a person sees it.
    assert sorted(key for key in places if key in keys) == sorted(keys)
    assert not list((root / "data/spool/in/new").iterdir())


@pytest.mark.parametrize("kind", sorted(NO_RECORD))
def test_what_is_derived_or_read_by_lines_stops_nothing(root: Path, kind: str) -> None:
    path = path_of(root, kind)
    for way in damages(path):
        if way == "a folder":
            continue
        for command in (("issues", "list"), ("queue", "list"), ("emails", "list"), ("verify",)):
            result = flask(root, *command)
            assert result.exit_code in (0, 1), (way, command, result.output)


@pytest.mark.parametrize("kind", sorted(SET_UP))
@pytest.mark.parametrize("command", ["verify", "download-emails", "process-queue", "issues list", "users list"])
def test_without_its_set_up_every_command_says_so_in_one_line(root: Path, kind: str, command: str) -> None:
    path = path_of(root, kind)
    for way in damages(path):
        result = flask(root, *command.split())
        assert (result.exit_code, result.stderr.count("\n")) == (78, 1), (way, result.output)
        assert str(path) in result.stderr, (way, result.output)
        assert flask(root, "status").exit_code == 3


def test_another_secret_is_named_with_both_keys_and_changes_nothing(root: Path) -> None:
    from eventum.store.secrets import make_key_file

    known = msgspec.json.decode((root / "data/state/store.json").read_bytes())["key"]
    (root / "secret.json").unlink()
    make_key_file(root / "secret.json", NOW)
    other = msgspec.json.decode((root / "secret.json").read_bytes())["keys"][0]["id"]
    before = {path: path.stat().st_mtime_ns for path in (root / "data").rglob("*") if path.is_file()}
    for command in ("download-emails", "process-queue", "verify"):
        result = flask(root, command)
        assert (result.exit_code, result.stderr.count("\n")) == (78, 1)
        assert known in result.stderr and other in result.stderr and str(root / "secret.json") in result.stderr
    assert {path: path.stat().st_mtime_ns for path in (root / "data").rglob("*") if path.is_file()} == before
