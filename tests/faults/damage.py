"""Damage: one file of a store is spoilt in some way, and everything that has nothing to do with it goes on.

Rows: `damage` (every kind of JSON file in every way), `damage-maildir` (files of Maildirs, and what does not belong
there), `damage-index` (the cache), and `broken-damage` (copies of the product that are careless). In each trial the
store is looked at by commands and pages, mail comes in, the file is put back, and the rest is done: nothing is lost,
nothing is filed twice, nothing of what was spoilt was overwritten, and `verify` named it.
"""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.faults import record, ruins, trials
from tests.faults.given import Given
from tests.faults.record import Result, Trial

LIMIT = 600  # Seconds after which a trial hangs.
ADMIN = "admin@example.org"


class Kind(NamedTuple):
    """One kind of file. `closes`: the pages that are about it. `note`: one of our own notes, that may be made anew.

    `missed`: that it is missing is noticed. `dies`: a run clears it up, as it should.
    """

    path: str
    closes: tuple[str, ...] = ()
    note: bool = False
    missed: bool = False
    dies: bool = False


KINDS = {
    "issue": Kind("data/issues/0/1/issue.json", closes=("/issues/1",), missed=True),
    "history": Kind("data/issues/0/2/history/1.json", closes=("/issues/2",), missed=True),
    "pool": Kind("data/pool/*/*.json", missed=True),
    "user": Kind("data/people/users/{dev}.json"),
    "project": Kind("data/people/projects/{other}.json"),
    "own-project": Kind(
        "data/people/projects/{project}.json", closes=("/issues/1", "/issues/2", "/issues/3"), missed=True
    ),
    "account": Kind("data/settings/accounts/{spare}.json"),
    "own-account": Kind("data/settings/accounts/{account}.json"),
    "general": Kind("data/settings/general.json", closes=("/admin/general",)),
    "response": Kind("data/settings/responses/*.json"),
    "number": Kind("data/state/number.json", note=True),
    "place": Kind("data/state/place.json", note=True),
    "fetch": Kind("data/state/fetch/{account}.json"),
    "spare-fetch": Kind("data/state/fetch/{spare}.json"),
    "download": Kind("data/state/downloads/{account}.json", note=True),
    "first-visit": Kind("data/state/first-visit.json"),
    "run-download": Kind("data/state/runs/download-emails.json", note=True),
    "run-queue": Kind("data/state/runs/process-queue.json", note=True),
    "run-prune": Kind("data/state/runs/prune.json", note=True),
    "daily-in": Kind("data/state/daily-in.json", note=True),
    "daily-out": Kind("data/state/daily-out.json", note=True),
    "intent": Kind("data/state/intents/*.json", dies=True),
    "login": Kind("data/state/logins/{dev}.json"),
    "tries": Kind("data/state/tries.json", note=True),
    "filter": Kind("data/state/filters/{dev}.json"),
    "draft": Kind("data/state/drafts/{dev}-1-reply.json"),
    "writing": Kind("data/state/writing/1.json"),
    "sending": Kind("data/state/sending.json"),
    "alerts": Kind("data/state/alerts.json"),
    "import": Kind("data/state/imports/*.json"),
    "dead": Kind("data/spool/dead/*.json", missed=True),
    "journal": Kind("data/journal/0.jsonl", note=True),
    "log": Kind("data/spool/out/log/*.jsonl"),
    "ids": Kind("data/state/fetch/{spare}.uidl"),
    "import-keys": Kind("data/state/imports/*.keys"),
    "reading": Kind("cache/readings/*/*.json", note=True),
}
# Lines are read one by one, readings and journals are derived: what cannot be used of them is passed over.
LINES = ("journal", "log", "ids", "import-keys", "reading")
PAGES = ("/", "/issues", "/issues?search=fire", "/issues/1", "/issues/2", "/issues/3", "/emails", "/preferences")
PAGES += ("/admin/health", "/admin/accounts", "/admin/queue", "/admin/users", "/admin/projects", "/admin/responses")
PAGES += ("/admin/general", "/healthz")
# What nobody but people changes: it stays as it is, byte for byte, whatever is damaged.
STAYS = ("data/people/", "data/settings/", "data/issues/0/1/", "data/issues/0/2/", "data/state/filters/")
STAYS += (
    "data/state/drafts/",
    "data/state/logins/",
    "data/state/imports/",
    "data/state/first-visit.json",
    "data/pool/",
)
STAYS += ("data/state/store.json", "secret.json", "data/spool/dead/", "data/spool/sent/", "data/spool/failed/")

Way = Callable[[Path, bytes], None]


def _written(change: Callable[[bytes], bytes]) -> Way:
    return lambda path, data: (path.write_bytes(change(data)), None)[1]


def _folder(path: Path, data: bytes) -> None:
    path.unlink()
    path.mkdir()


def _types(data: bytes) -> bytes:
    """Every value is of another type; what is no object becomes one."""
    try:
        said = json.loads(data)
    except ValueError:
        return b'{"a": 1}'
    return json.dumps({name: value if name == "schema" else [[value]] for name, value in said.items()}).encode()


def _newer(data: bytes) -> bytes:
    return data.replace(b'"schema": 1', b'"schema": 99', 1)


WAYS: dict[str, Way] = {
    "empty": _written(lambda data: b""),
    "quarter": _written(lambda data: data[: len(data) // 4]),
    "half": _written(lambda data: data[: len(data) // 2]),
    "three-quarters": _written(lambda data: data[: len(data) * 3 // 4]),
    "last-byte": _written(lambda data: data.rstrip()[:-1]),
    "zeros": _written(lambda data: bytes(len(data))),
    "one-bit": _written(lambda data: bytes([data[0] ^ 1]) + data[1:]),
    "another": _written(lambda data: b'{"schema": 1, "colour": "blue", "shape": ["round"]}\n'),
    "not-utf-8": _written(lambda data: data.replace(b'": "', b'": "\xff\xfe', 1) if b'": "' in data else b"\xff\xfe"),
    "deep": _written(lambda data: b"[" * 100_000),
    "types": _written(_types),
    "newer": _written(_newer),
    "missing": lambda path, data: path.unlink(),
    "unreadable": lambda path, data: path.chmod(0),
    "folder": _folder,
}
# Of these a program may take what it finds for what it should be.
MILD = {("number", "newer"), ("intent", "newer"), ("dead", "newer")}


class Ruined(NamedTuple):
    """A trial's store and what it looked like when it was whole."""

    root: Path
    kind: Kind
    path: Path
    whole: bytes
    before: dict[str, str]


def digests(root: Path, places: tuple[str, ...] = STAYS) -> dict[str, str]:
    """What lies under these places: a digest of each file, or what else it is."""
    found = {}
    for place in places:
        start = root / place
        for path in [start] if start.is_file() else start.rglob("*"):
            try:
                found[str(path.relative_to(root))] = (
                    hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
                )
            except PermissionError:
                found[str(path.relative_to(root))] = "unreadable"
    return found


def as_ordinary_user() -> None:
    """The modes of files bind even root, once it has let go of its capabilities."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
            raise OSError(ctypes.get_errno(), "capset")


@contextmanager
def limited() -> Iterator[None]:
    """What takes too long is a fault, not the end of the row."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"not done within {LIMIT} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)


def _house(root: Path) -> Any:
    """What a site asks of the house it stands on."""
    from eventum.tracker.tracker import Tracker
    from tests.house import NOW

    found = ruins.config(root)
    return SimpleNamespace(config=found, now=NOW, root=root, tracker=Tracker(found))


class Looker:
    """Asks a spoilt store all it is asked on a day, and notes what is not as it should be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[str] = []
        self.said = ""  # all that commands and pages showed

    def ask(self, *words: str) -> dict[str, Any]:
        """A command; a traceback is a fault."""
        try:
            done = trials.flask(self.root, *words)
            self.said += done["out"]
            return done
        except Exception as error:  # Whatever comes out of it is what the trial is about.
            self.faults.append(f"other: {' '.join(words)}: {type(error).__name__}: {error}")
            return {"code": -1, "out": "", "err": ""}

    def commands(self, path: Path) -> None:
        """What only looks; each says which file it is when it cannot do all."""
        for words in (
            ("issues", "list", "--json"),
            ("issues", "show", "3", "--json"),
            ("issues", "show", "1"),
            ("issues", "list", "--search", "fire", "--json"),
            ("queue", "list", "--json"),
            ("emails", "list", "--json"),
            ("accounts", "list", "--json"),
            ("users", "list", "--json"),
        ):
            done = self.ask(*words)
            if done["code"] in (0, -1):
                continue
            if done["code"] not in (1, 78) or str(path) not in done["err"] or done["err"].count("\n") != 1:
                self.faults.append(f"silent: {' '.join(words)} ended with {done['code']}: {done['err'][:200]}")

    def pages(self, closed: tuple[str, ...], files: tuple[str, ...] = ()) -> None:
        """Every page but the one that is about the file, and what can be saved of `files`."""
        from tests.web.browser import Site

        site = Site(_house(self.root))
        try:
            browser = site.browser(ADMIN)
            self.said += "".join(browser.get(address).data.decode("latin-1") for address in files)
            for address in PAGES:
                page = browser.get(address)
                status = page.status
                self.said += page.html
                fine = (200, 503) if address == "/healthz" else (200, 500) if address in closed else (200,)
                if status not in fine:
                    self.faults.append(f"other: the page {address} is {status}")
        except Exception as error:
            self.faults.append(f"other: a page: {type(error).__name__}: {error}")
        finally:
            site.close()

    def verified(self) -> dict[str, list[str]]:
        """What verify finds, by path below the root."""
        done = self.ask("verify", "--json")
        if done["code"] not in (0, 1):
            self.faults.append(f"other: verify ended with {done['code']}: {done['err'][:200]}")
            return {}
        found: dict[str, list[str]] = {}
        for one in json.loads(done["out"])["findings"]:
            if not one["problem"] or not one["repair"]:
                self.faults.append(f"silent: verify says no remedy for {one}")
            found.setdefault(one["path"].removeprefix(f"{self.root}/"), []).append(one["problem"])
        return found


def one(store: Path, job: str, spoil: Callable[[Path, bytes], None], kind: Kind, *, expects: bool) -> Trial:
    """Spoil one file, look at everything, let mail come, put the file back, and look again."""
    root = Path(tempfile.mkdtemp(prefix="trial-", dir=store.parent))
    try:
        with limited():
            trials.duplicate(store, root)
            return Trial(True, tuple(_tried(root, spoil, kind, expects=expects)))
    except TimeoutError as error:
        return Trial(True, (f"stuck: {job}: {error}",))
    finally:
        ruins.writable(root)
        shutil.rmtree(root)


def _tried(root: Path, spoil: Way, kind: Kind, *, expects: bool) -> list[str]:
    path = ruins.place(root, kind.path)
    whole, looker = path.read_bytes(), Looker(root)
    before = digests(root)
    spoil(path, whole)
    spoilt = digests(root)
    found = looker.verified()
    own = str(path.relative_to(root))
    # Of a mail without its record the mail is named, which has the same key.
    if expects and not any(name == own or (len(path.stem) == 64 and path.stem in name) for name in found):
        looker.faults.append(f"silent: verify does not name {path.relative_to(root)}, only {sorted(found)[:3]}")
    looker.commands(path)
    looker.pages(kind.closes)
    mails = ruins.mail_in(root)
    done = looker.ask("download-emails", "--json")
    if done["code"] not in (0, 1, 78, -1):
        looker.faults.append(f"other: download-emails ended with {done['code']}: {done['err'][:200]}")
    looker.ask("process-queue", "--json")
    looker.faults += _unchanged(root, path, spoilt, kind)
    _put_back(path, whole, kind)
    trials.time_passes(root / "data")
    for attempt in ("download-emails", "download-emails"):
        done = looker.ask(attempt, "--json")
    if done["code"] != 0:
        looker.faults.append(f"stuck: after the file was put back: {done['code']}: {done['err'][:300]}")
    looker.faults += ruins.decided_once(root, mails)
    # What nobody made anew, of what is derived, a person lets be made.
    if kind.note or kind.dies:
        looker.ask("verify", "--repair")
    left = looker.verified()
    looker.faults += [f"half: after all verify finds {name}: {what}" for name, what in left.items()]
    looker.faults += [
        f"lost: {name} is another than it was" for name, digest in before.items() if _now(root, name) != digest
    ]
    return looker.faults


def _now(root: Path, name: str) -> str:
    path = root / name
    return "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _unchanged(root: Path, path: Path, spoilt: dict[str, str], kind: Kind) -> Iterator[str]:
    """Nothing was overwritten: neither what is spoilt nor anything else that people made."""
    now, own = digests(root), str(path.relative_to(root))
    for name, digest in spoilt.items():
        if now.get(name) != digest and not (name == own and kind.note):
            yield f"lost: {name} was {'removed' if name not in now else 'overwritten'}"
    # Mail of no issue whose record is lost is decided anew.
    if not kind.note and own not in spoilt and own in now and not own.startswith("data/pool/"):
        yield f"silent: {own} was made anew although it was missing"


def _put_back(path: Path, whole: bytes, kind: Kind) -> None:
    """What a person does who has a backup; of what a run made anew meanwhile he has no need."""
    if path.is_dir():
        path.rmdir()
    elif path.exists():
        path.chmod(0o600)
        if kind.note and path.suffix != ".json":
            return
    if kind.dies:
        return
    if not kind.note or not path.exists():
        path.write_bytes(whole)


def _expected(name: str, way: str) -> bool:
    """Whether verify must name the file."""
    kind = KINDS[name]
    if name in LINES:
        return name not in ("reading", "journal") and way in ("unreadable", "folder")
    if way == "missing":
        return kind.missed
    return (name, way) not in MILD


def damage(given: Given) -> list[Result]:
    """Every kind of JSON file in every way."""
    with ruins.folder() as store:
        for kind in KINDS.values():
            ruins.place(store, kind.path)
        jobs = [f"{name} {way}" for name in KINDS for way in WAYS if (name, way) not in MILD]

        def tried(job: str) -> Trial:
            name, way = job.split()
            as_ordinary_user()
            return one(store, job, WAYS[way], KINDS[name], expects=_expected(name, way))

        return [record.run("damage", "damaged files", given.some(jobs, 5), tried, keep=given.keep)]


def _others(name: str) -> Callable[[Given], list[Result]]:
    def row(given: Given) -> list[Result]:
        from tests.faults import rubbish  # It stands on this module.

        found: list[Result] = getattr(rubbish, name)(given)
        return found

    return row


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "damage": damage,
    "damage-maildir": _others("maildirs"),
    "damage-index": _others("caches"),
    "broken-damage": _others("broken"),
}
