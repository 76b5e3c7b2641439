"""What else may lie in a store than it should: spoilt files in its Maildirs, strangers there, and a cache of no use.

In flow a prepared store, out flow trials, each like those of `damage`: everything else goes on, nothing hangs, nothing
outside of the store is read, and `verify` names each file.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults import damage, indexes, record, ruins, trials
from tests.faults.damage import Kind, Looker
from tests.faults.given import Given
from tests.faults.record import Result, Trial

OUTSIDE = "this-lies-outside-of-the-store"
PLACES = {
    "issue": "data/issues/0/1/mail/cur/*",
    "pool": "data/pool/*/*/cur/*",
    "in": "data/spool/in/new/*",
    "out": "data/spool/out/new/*",
    "sent": "data/spool/sent/cur/*",
    "failed": "data/spool/failed/cur/*",
    "done": "data/spool/done/cur/*",
    "dead": "data/spool/dead/cur/*",
    "kept": "data/spool/kept/cur/*",
}


def _instead(make: Callable[[Path], object]) -> damage.Way:
    def way(path: Path, data: bytes) -> None:
        path.unlink()
        make(path)

    return way


def _beside(name: str, make: Callable[[Path], object]) -> damage.Way:
    def way(path: Path, data: bytes) -> None:
        make(_other(path, name))

    return way


def _other(path: Path, name: str) -> Path:
    """The file beside this one that a way puts there."""
    if name == "tmp":
        return path.parent.parent / "tmp" / "1764000000.M1P2.elsewhere"
    if name == "twice":
        return path.parent.parent / ("new" if path.parent.name == "cur" else "cur") / path.name
    return path.parent / name


def _link(path: Path) -> None:
    path.symlink_to(path.parents[_depth(path)] / "outside.txt")


def _depth(path: Path) -> int:
    return list(path.parents).index(next(one for one in path.parents if one.name == "data")) + 1


CHANGED: dict[str, damage.Way] = {
    "empty": lambda path, data: (path.write_bytes(b""), None)[1],
    "nuls": lambda path, data: (path.write_bytes(bytes(len(data))), None)[1],
    "half": lambda path, data: (path.write_bytes(data[: len(data) // 2]), None)[1],
    "no-mail": lambda path, data: (path.write_bytes(os.urandom(2000)), None)[1],
    "unreadable": lambda path, data: path.chmod(0),
    "link": _instead(_link),
    "pipe": _instead(os.mkfifo),
    "folder": _instead(os.mkdir),
}
ADDED: dict[str, damage.Way] = {
    "odd-name": _beside("what is this?\n", lambda path: path.write_bytes(b"Subject: odd\n\n")),
    "tmp": _beside("tmp", lambda path: path.write_bytes(b"Subject: half")),
    "twice": lambda path, data: (_other(path, "twice").write_bytes(data), None)[1],
    "subfolder": _beside("folder", os.mkdir),
    "added-pipe": _beside("0pipe", os.mkfifo),
    "added-link": _beside("0link", _link),
}
BESIDE = {"odd-name": "what is this?\n", "tmp": "tmp", "twice": "twice", "subfolder": "folder"}
BESIDE |= {"added-pipe": "0pipe", "added-link": "0link"}
# Where a file of any name is mail: a person may lay it there.
WELCOME = {(place, "odd-name") for place in ("in", "done", "kept")} | {("done", "twice"), ("kept", "twice")}
# What goes out has a key that is not made of its bytes: behind a whole envelope nobody sees that the mail was cut.
WELCOME |= {(place, "half") for place in ("out", "sent", "failed")}


def _mail(store: Path, job: str) -> Trial:
    place, way = job.split()
    damage.as_ordinary_user()
    root = Path(tempfile.mkdtemp(prefix="trial-", dir=store.parent))
    try:
        with damage.limited():
            trials.duplicate(store, root)
            return Trial(True, tuple(_spoilt(root, place, way)))
    except TimeoutError as error:
        return Trial(True, (f"stuck: {job}: {error}",))
    finally:
        ruins.writable(root)
        shutil.rmtree(root)


def _spoilt(root: Path, place: str, way: str) -> list[str]:
    (root / "outside.txt").write_text(f"Subject: {OUTSIDE}\n\n{OUTSIDE}\n")
    path, looker = ruins.place(root, PLACES[place]), Looker(root)
    whole = path.read_bytes()
    shutil.rmtree(root / "cache/readings")  # Else nobody would have to open the mail.
    (CHANGED | ADDED)[way](path, whole)
    named = _other(path, BESIDE[way]) if way in ADDED else path
    found = looker.verified()
    wanted = {str(named.relative_to(root))} | ({str(path.relative_to(root))} if way == "twice" else set())
    if place == "dead" and way == "odd-name":
        wanted = {f"data/spool/dead/{named.name}.json"}  # What is missing is the reason why it is there.
    if (place, way) not in WELCOME and not wanted & found.keys():
        looker.faults.append(f"silent: verify does not name {named.relative_to(root)}, only {sorted(found)[:3]}")
    looker.commands(path)
    # The page reads mail in a child; what is saved is read by the web process itself.
    saved = f"/mails/{path.name.partition(':')[0].partition(',')[0]}/raw"
    looker.pages(("/issues/1",) if place == "issue" else (), (saved,) if place in ("issue", "pool") else ())
    mails = ruins.mail_in(root)
    for words in (("download-emails", "--json"), ("process-queue", "--json"), ("dead", "list", "--json")):
        looker.ask(*words)
    if OUTSIDE in looker.said or any(OUTSIDE in one.read_text("latin-1") for one in _filed(root)):
        looker.faults.append("other: what lies outside of the store was read")
    if place != "in":
        _mend(path, named, whole, way)
        looker.ask("download-emails", "--json")
        left = looker.verified()
        looker.faults += [f"half: put back, and verify finds {name}: {what}" for name, what in left.items()]
    looker.faults += [one for one in ruins.decided_once(root, mails) if place != "in" or not one.startswith("stuck")]
    return looker.faults


def _filed(root: Path) -> list[Path]:
    places = (*root.glob("data/issues/*/*/mail/cur/*"), *root.glob("data/issues/*/*/issue.json"))
    return [path for path in places if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK)]


def _mend(path: Path, named: Path, whole: bytes, way: str) -> None:
    """What a person does: the stranger goes, the file comes from a backup."""
    for one in {path, named}:
        if one.is_symlink() or (one.exists() and not one.is_file() and not one.is_dir()):
            one.unlink()
        elif one.is_dir():
            one.rmdir()
        elif way in ADDED and one == named and one.exists():
            one.unlink()
    if path.exists():
        path.chmod(0o600)
    if not path.exists() or path.read_bytes() != whole:
        path.write_bytes(whole)


def maildirs(given: Given) -> list[Result]:
    """Files of every Maildir, spoilt in every way, and what does not belong there."""
    with ruins.folder() as store:
        jobs = [f"{place} {way}" for place in PLACES for way in (*CHANGED, *ADDED)]
        done = record.run(
            "damage-maildir", "damaged files", given.some(jobs, 2), lambda job: _mail(store, job), keep=given.keep
        )
        return [done]


# The cache


def _older(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")


def _of_another(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = 'ffffffffffffffff'")
        db.execute("DELETE FROM issues")


def _cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _zeros(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


CACHES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "no-database": lambda path: path.write_bytes(b"x" * 9000),
    "cut": _cut,
    "zeros": _zeros,
    "another-store": _of_another,
    "newer": _older,
    "no-cache": lambda path: shutil.rmtree(path.parent),
    "readings": lambda path: [one.write_bytes(b"{") for one in (path.parent / "readings").glob("*/*.json")],
    "no-journals": lambda path: [one.unlink() for one in (path.parent.parent / "data/journal").iterdir()],
    "spoilt-journal": lambda path: (path.parent.parent / "data/journal/0.jsonl").write_bytes(b"9 zzzz [\n" * 40),
    "unreadable": lambda path: path.chmod(0),
    "folder-read-only": lambda path: path.parent.chmod(0o500),
    "folder": lambda path: (path.unlink(), path.mkdir()),
}
CLOSED = ("unreadable", "folder-read-only", "folder")
ASKED = (("issues", "list", "--json"), ("issues", "list", "--search", "fire", "--json"), ("emails", "list", "--json"))
ASKED += (("issues", "show", "3", "--json"),)


def _cache(store: Path, job: str) -> Trial:
    damage.as_ordinary_user()
    root = Path(tempfile.mkdtemp(prefix="trial-", dir=store.parent))
    try:
        with damage.limited():
            trials.duplicate(store, root)
            looker, path = Looker(root), root / "cache/index.sqlite3"
            wanted = [looker.ask(*words)["out"] for words in ASKED]
            CACHES[job](path)
            if job in CLOSED:
                _closed(looker, path)
            got = [looker.ask(*words)["out"] for words in ASKED]
            looker.faults += [f"other: {words} says another thing" for words, a, b in _pairs(wanted, got) if a != b]
            mails = ruins.mail_in(root)
            looker.ask("download-emails", "--json")
            looker.faults += [*ruins.decided_once(root, mails), *(f"other: {one}" for one in indexes.difference(root))]
            looker.faults += [f"half: verify finds {name}: {what}" for name, what in looker.verified().items()]
            return Trial(True, tuple(looker.faults))
    except TimeoutError as error:
        return Trial(True, (f"stuck: {job}: {error}",))
    finally:
        ruins.writable(root)
        shutil.rmtree(root)


def _pairs(wanted: list[str], got: list[str]) -> list[tuple[str, str, str]]:
    return [(" ".join(words), a, b) for words, a, b in zip(ASKED, wanted, got, strict=True)]


def _closed(looker: Looker, path: Path) -> None:
    """A cache that cannot be written is told in one line that names it; then somebody mends it."""
    for words in ASKED:
        done = looker.ask(*words)
        if done["code"] not in (0, 75, 78) or (done["code"] and "cache" not in done["err"]):
            looker.faults.append(f"silent: {' '.join(words)} ended with {done['code']}: {done['err'][:200]}")
    looker.ask("download-emails", "--json")
    path.parent.chmod(0o700)
    if path.is_dir():
        path.rmdir()
    else:
        path.chmod(0o600)


def caches(given: Given) -> list[Result]:
    """The cache spoilt in every way: what is derived is made anew, with the same answers."""
    with ruins.folder() as store:
        jobs = given.some(list(CACHES), 2)
        return [record.run("damage-index", "damaged files", jobs, lambda job: _cache(store, job), keep=given.keep)]


# Careless copies of the product


def _defaults() -> None:
    """A record that cannot be used is taken for an empty one, which the next write makes of it."""
    from eventum.errors import Damaged
    from eventum.issues.settings import General
    from eventum.store.logins import LoginState, LoginStore
    from eventum.store.settings import SettingsStore

    general, of = SettingsStore.general, LoginStore.of

    def careless(self: SettingsStore) -> General:
        try:
            return general(self)
        except Damaged:
            self._layout.general.write_text("{}")
            return General()

    def careless_of(self: LoginStore, user: str) -> LoginState:
        try:
            return of(self, user)
        except Damaged:
            return LoginState()

    SettingsStore.general, LoginStore.of = careless, careless_of  # type: ignore[method-assign]


def _blind() -> None:
    """verify counts files and looks into none."""
    from eventum.store.inspection import Inspection

    Inspection.note = lambda self, *rest: None  # type: ignore[method-assign]


def _follows() -> None:
    """Files are found and read whatever they are."""
    from eventum.store import files, maildir

    files._READING = os.O_RDONLY | os.O_CLOEXEC
    maildir.find = lambda root, key: next(root.glob(f"cur/{key}:*"), None)


BROKEN: dict[str, tuple[Callable[[], None], str, str]] = {
    "defaults": (_defaults, "general", "half"),
    "blind": (_blind, "user", "zeros"),
    "follows": (_follows, "issue", "link"),
}


def broken(given: Given) -> list[Result]:
    """Each careless copy is found out; a trial that finds nothing is the fault here."""

    def tried(job: str) -> Trial:
        patch, name, way = BROKEN[job]
        patch()
        if job == "follows":
            found = _mail(store, f"{name} {way}")
        else:
            damage.as_ordinary_user()
            kind: Kind = damage.KINDS[name]
            found = damage.one(store, job, damage.WAYS[way], kind, expects=True)
        return Trial(True, () if found.faults else (f"silent: the copy {job} is not found out",))

    with ruins.folder() as store:
        results = []
        for job in given.some(list(BROKEN), 1):  # Each in a worker of its own, for what is patched stays so.
            results.append(
                record.run(f"broken-damage-{job}", "broken copies", [job], tried, workers=1, keep=given.keep)
            )
        return results
