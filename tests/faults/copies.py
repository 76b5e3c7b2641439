"""A copy of the store made while mail comes in, is decided and sent, and people work: every mail is in it.

Rows: `backup` (copies by `cp -a`, `tar`, walks in several orders, slow ones too, and `flask backup`) and
`broken-backup` (a product whose mails have no second name, and a walk that comes to the spool last). In each trial the
mails that had left the mailbox when the copy began are in the copy after one normal run, each in one place and whole;
none is in two, and `verify` finds nothing that was there before.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import checker, record, trials
from tests.faults.given import Given
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd, Scene

MAILS, COPIES = 60, 203
KINDS = ("new", "answer", "staff", "machine", "answer")
SLOW = 0.002  # Seconds a slow walk takes for each file: so long a copy of a large store looks at each part of it.


def _walk(source: Path, target: Path, order: Callable[[list[os.DirEntry[str]]], list[os.DirEntry[str]]]) -> None:
    """Copy a tree as a simple program does: list a folder, then take one name after the other."""
    target.mkdir()
    with os.scandir(source) as scan:
        entries = order(list(scan))
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):
            if entry.is_dir(follow_symlinks=False):
                _walk(Path(entry.path), target / entry.name, order)
            else:
                time.sleep(SLOW)
                shutil.copy2(entry.path, target / entry.name)


def _by_name(entries: list[os.DirEntry[str]], *last: str) -> list[os.DirEntry[str]]:
    return sorted(entries, key=lambda entry: (entry.name in last, entry.name))


def _backwards(entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    return sorted(entries, key=lambda entry: entry.name, reverse=True)


def _by_program(*words: str) -> Callable[[Path, Path], None]:
    def copied(root: Path, copy: Path) -> None:
        line = [word.format(data=root / "data", root=root, copy=copy) for word in words]
        # A file that vanished meanwhile is told and passed over: exit code 1.
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode > 1:
            raise RuntimeError(f"{line}: {done.stderr[:500]}")

    return copied


def _by_walk(order: Callable[[list[os.DirEntry[str]]], list[os.DirEntry[str]]]) -> Callable[[Path, Path], None]:
    return lambda root, copy: _walk(root / "data", copy / "data", order)


def _by_flask(root: Path, copy: Path) -> None:
    done = trials.flask(root, "backup", str(copy))
    if done["code"] != 0:
        raise RuntimeError(done["err"])


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "cp": _by_program("cp", "-a", "{data}", "{copy}/data"),
    "tar": _by_program("sh", "-c", "tar -C {root} -cf - data | tar -C {copy} -xf -"),
    "forward": _by_walk(_by_name),
    "backward": _by_walk(_backwards),
    "spool-last": _by_walk(lambda entries: _by_name(entries, "spool", "in")),
    "spool-first": _by_walk(lambda entries: sorted(entries, key=lambda entry: (entry.name != "spool", entry.name))),
    "backup": _by_flask,
}


def _feed(root: Path) -> None:
    """Mails come one by one, and are fetched and decided."""
    for path in sorted((root / "coming").iterdir()):
        path.rename(root / "box/new" / path.name)
        if int(path.name[:6]) % 3 == 0:
            trials.flask(root, "download-emails", "--json")


def _send(root: Path) -> None:
    while True:
        trials.flask(root, "process-queue", "--json")


def _work(root: Path, chance: random.Random) -> None:
    """People write, close, and put mails of the pool into issues, and out again."""
    while True:
        number = str(chance.choice(sorted(int(one.name) for one in (root / "data/issues").glob("*/[0-9]*")) or [1]))
        trials.flask(root, "issues", "note", number, "--text", "Seen.", "--as", "dev@example.org")
        for listed in json.loads(trials.flask(root, "emails", "list", "--json")["out"] or "[]")[:1]:
            trials.flask(root, "emails", "associate", listed["id"], number)
            trials.flask(root, "emails", "undo", number)
        trials.flask(root, "issues", "close", number)


def _grouped(work: Callable[[], Any]) -> Callable[[], Any]:
    """The work in a group of processes of its own, so that its readers can be ended with it."""

    def body() -> Any:
        os.setpgid(0, 0)
        return work()

    return body


@contextlib.contextmanager
def _load(root: Path, chance: random.Random) -> Iterator[None]:
    """The store is in use; at the end of the block everybody is killed."""
    seed = chance.random()
    works: tuple[Callable[[], Any], ...] = (
        lambda: _feed(root),
        lambda: _send(root),
        lambda: _work(root, random.Random(seed)),
    )
    children = []
    for at, work in enumerate(works):
        (root / f"run-{at}").mkdir()
        child = trials.begun(_grouped(work), root / f"run-{at}")
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(child, child)  # Whoever of the two is first.
        children.append(child)
    try:
        yield
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            with contextlib.suppress(ProcessLookupError):
                while True:  # Its readers end a moment later.
                    os.killpg(child, 0)
                    time.sleep(0.01)


def _gone(scene: Scene, root: Path) -> set[str]:
    """The mails that are in the mailbox no more."""
    there = Counter(path.read_bytes() for path in _there(root))
    return {key for key, mail in scene.mails.items() if not there[mail.raw]}


def _there(root: Path) -> Iterator[Path]:
    for path in (*root.glob("coming/*"), *root.glob("box/*/*"), *root.glob("other/*/*")):
        if path.exists():
            yield path


def _one(scene: Scene, job: str, patch: Callable[[], None] = lambda: None) -> Trial:
    way, seed = job.split()
    chance = random.Random(f"{way} {seed}")
    copy = Path(tempfile.mkdtemp(prefix="copy-", dir=scene.folder))
    far = FarEnd(copy)
    try:
        with scene.copy(far.port) as root:
            (root / "coming").mkdir()
            for path in (root / "box/new").iterdir():
                path.rename(root / "coming" / path.name)
            patch()
            with _load(root, chance):
                time.sleep(chance.uniform(0.3, 3.0))
                gone = _gone(scene, root)
                target = copy / "made"
                if way != "backup":
                    target.mkdir()
                WAYS[way](root, target)
            # What left the mailbox since then shows that the store was in use.
            busy = _gone(scene, root) - gone
            if not (target / "secret.json").exists():
                shutil.copy2(root / "secret.json", target / "secret.json")
            _point(root, target)
        return Trial(bool(gone) or bool(busy), tuple(_opened(scene, target, gone, plain=way != "backup")))
    finally:
        far.close()
        shutil.rmtree(copy)


def _point(root: Path, copy: Path) -> None:
    """The copy has mailboxes of its own, which are empty."""
    for path in (copy / "data/settings/accounts").glob("*.json"):
        path.write_text(path.read_text().replace(f'"{root}/', f'"{copy}/'))
    for box in ("box", "other"):
        for part in ("new", "cur", "tmp"):
            (copy / box / part).mkdir(parents=True)


def _opened(scene: Scene, copy: Path, gone: set[str], *, plain: bool) -> Iterator[str]:
    """What is wrong with a copy after one normal run."""
    done = trials.run(copy, "download-emails")
    if not done.result or done.result["code"] != 0:
        yield f"stuck: the first run ended with {done.result or (copy / 'output.txt').read_text()[-600:]}"
        return
    store = checker.Looked(copy / "data")
    yield from (f"half: {one}" for one in store.problems)
    places = _placed(store)
    places.update(one["mail"]["key"] for one in store.pool.values() if one)
    lying = Counter[str]()
    for path in (*copy.glob("data/issues/*/*/mail/*/*"), *copy.glob("data/pool/*/*/*/*")):
        key = path.name.partition(":")[0]
        mail = scene.mails.get(key)
        lying[key] += mail is not None and checker.raw_of(path.read_bytes()) == mail.raw
    for key in scene.mails:
        if places[key] > 1 or lying[key] > 1:
            yield f"doubled: mail {key[:12]} is in {places[key]} places, {lying[key]} files"
        elif key in gone and (places[key], lying[key]) != (1, 1):
            yield f"lost: mail {key[:12]} is in {places[key]} places, {lying[key]} files"
    told = Counter((one.issue, one.event, one.recipient) for one in store.notices)
    yield from (f"doubled: {what} is told {count} times" for what, count in told.items() if count > 1)
    if plain:
        # The next number may be older than the issues in a plain copy; whoever takes one finds out, and so does this.
        trials.run(copy, ("verify", "--repair"))
    done = trials.run(copy, ("verify", "--json"))
    for found in json.loads(done.result["out"])["findings"]:
        # Of what came or was written while a plain copy was made the one half may be in it.
        key = Path(found["path"]).name.partition(":")[0]
        is_later = plain and key not in gone and ("missing" in found["problem"] or "does not name" in found["problem"])
        if not is_later:
            yield f"half: verify finds {found['path'].removeprefix(str(copy))}: {found['problem']}"


def _placed(store: checker.Looked) -> Counter[str]:
    """In how many issues each message is, by their events: what was taken out again is not there."""
    found = Counter[str]()
    for issue in store.issues.values():
        here: set[str] = set()
        for event in issue["events"]:
            if event["what"]["type"] == "filed":
                here.add(event["what"]["message"]["key"])
            elif event["what"]["type"] == "taken_out":
                here.discard(event["what"]["key"])
        found.update(here)
    return found


def backup(given: Given) -> list[Result]:
    """Copies at random moments, by every way."""
    with trials.scene(MAILS, KINDS) as scene:
        jobs = [f"{way} {at}" for at in range(COPIES // len(WAYS)) for way in WAYS]
        some = given.some(jobs, 1)
        return [record.run("backup", "copies", some, lambda job: _one(scene, job), keep=given.keep)]


def _without_second_names() -> None:
    """As it was: a mail moves from `in` to `done` and has no other name."""
    from eventum.store import kept

    kept.keep = lambda layout, temporary, key: None


def broken(given: Given) -> list[Result]:
    """Without second names a walk that comes to the spool last is found out in some of so many trials."""
    with trials.scene(MAILS, KINDS) as scene:
        jobs = [f"spool-last {at}" for at in range(12)]
        trial: list[Trial] = [_one(scene, job, _without_second_names) for job in jobs]
        found = [fault for one in trial for fault in one.faults if fault.startswith("lost")]

        def told(job: str) -> Trial:
            return Trial(True, () if found else ("silent: the copy without second names is not found out",))

        return [record.run("broken-backup", "broken copies", ["spool-last"], told, keep=given.keep)]


ROWS = {"backup": backup, "broken-backup": broken}
