"""Power cuts: a command is watched once, and for each of its operations a disk is made as it could be if the power went
right before it (`worlds`); then all goes on as cron would, and everything is looked at.

Rows: `power-<command>`, each over every operation and every kind of world; worlds that are equal are tried once. Row
`broken-power` does the same with copies of the program whose fsyncs do nothing, or that delete before they keep: each
must be found out. Row `lint` says from the trace of clean runs that each yes came after the fsync of file and folder;
`broken-lint` that it complains of the same copies.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults import lint, record, recording, shim, trials, worlds
from tests.faults.deeds import COMMANDS
from tests.faults.given import Given
from tests.faults.record import Result, Trial
from tests.faults.watched import Command, Traced, at_home, place, traced
from tests.faults.worlds import World

WHAT = "power cuts"
# What the cache holds after the cut: what it held then, nothing, what it held before the run, or half of each file.
CACHES = ("kept", "none", "old", "cut")
SOME = 120  # Worlds of each broken copy that are tried.


@contextmanager
def after_the_cut(command: Command, world: World, found: Traced, cache: str) -> Iterator[Path]:
    """The folder as it is when the power is back."""
    root = place(command)
    if root.exists():
        shutil.rmtree(root)
    worlds.build(root, world.tree, found.root, os.fsencode(root))
    at_home(root)
    command.restore(root, found.outsides[world.outside])
    files = {"kept": found.caches[world.cache], "none": {}, "old": found.caches[1], "cut": found.caches[world.cache]}
    for name, data in files[cache].items():
        path = root / "cache" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[: len(data) // 2] if cache == "cut" else data)
    try:
        yield root
    finally:
        shutil.rmtree(root)


def one(command: Command, world: World, found: Traced, broken: str = "") -> Trial:
    """One world: the power is back, cron goes on, and everything is looked at."""
    cache = CACHES[(world.before + worlds.KINDS.index(world.name.partition("-")[0])) % len(CACHES)]

    def before() -> list[str]:
        if broken:
            BROKEN[broken]()
        return command.early(root)

    with after_the_cut(command, world, found, cache) as root:
        wrong = trials.afterwards(root, command.then(root), before=before)
        twice = 0
        try:
            wrong += command.check(root, world, found)
            twice = command.twice(root)
        except (KeyError, ValueError, TypeError) as error:
            wrong.append(f"half: a record is not what it should be: {error!r}")
    return Trial(True, tuple(dict.fromkeys(wrong)), twice)


def _fsync(*, files: bool, folders: bool) -> Callable[[], None]:
    """A copy of the program whose fsyncs of files, of folders, do nothing."""

    def breaking() -> None:
        real = os.fsync

        def fsync(fd: int) -> object:
            wanted = folders if stat.S_ISDIR(os.fstat(fd).st_mode) else files
            return real(fd) if wanted else recording.SKIPPED

        os.fsync = fsync  # type: ignore[assignment]

    return breaking


BROKEN: dict[str, Callable[[], None]] = {
    "nosync": _fsync(files=False, folders=False),
    "nofolders": _fsync(files=True, folders=False),
    "nofiles": _fsync(files=False, folders=True),
    "early": shim.BROKEN["early"],
}
# Which commands each broken copy is tried with.
FOUND_WITH = (
    ("nosync", "power-download-maildir"),
    ("nosync", "power-send"),
    ("nosync", "power-reply"),
    ("nofolders", "power-download-maildir"),
    ("nofolders", "power-send"),
    ("nofolders", "power-reply"),
    ("nofiles", "power-download-maildir"),
    ("nofiles", "power-reply"),
    ("early", "power-download-maildir"),
    ("early", "power-download-imap"),
)


@contextmanager
def prepared(name: str) -> Iterator[Command]:
    """A command on a store of its own, in memory where there is some."""
    trials.warm()
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="power-", dir=memory if memory.is_dir() else None))
    command = None
    try:
        command = COMMANDS[name](folder)
        yield command
    finally:
        if command:
            command.close()
        shutil.rmtree(folder)


def row(name: str) -> Callable[[Given], list[Result]]:
    """The row of one command."""

    def work(given: Given) -> list[Result]:
        with prepared(name) as command:
            found = traced(command)
            count, there = worlds.worlds(found.before, found.ops)
            by_name = {world.name: world for world in there}
            print(f"{name}: {len(found.ops)} operations, {count} worlds, {len(there)} of them different", flush=True)
            jobs = given.some(list(by_name), 4)
            return [record.run(name, WHAT, jobs, lambda job: one(command, by_name[job], found), keep=given.keep)]

    return work


def broken(given: Given) -> list[Result]:
    """Copies that lack fsyncs, or delete before they keep, are found out: how many of how many worlds failed."""
    results = []
    for how, name in FOUND_WITH[:1] if given.short else FOUND_WITH:
        with prepared(name) as command:
            traced(command)
            found = traced(command, BROKEN[how], golden=False)
            by_name = {world.name: world for world in worlds.worlds(found.before, found.ops)[1]}
            jobs = given._replace(trials=3 if given.short else min(SOME, given.trials or SOME)).some(list(by_name))
            title = f"broken-{how}-{name.removeprefix('power-')}"
            results.append(found_out(title, jobs, lambda job: one(command, by_name[job], found, how).faults, given))  # noqa: B023
    return results


def found_out(title: str, jobs: list[str], faults: Callable[[str], tuple[str, ...]], given: Given) -> Result:
    """That row is well which found something: `disturbed` counts the trials that did."""
    result = record.run(title, "broken copies", jobs, lambda job: Trial(bool(faults(job))), keep=given.keep)
    print(f"{title}: found out in {result.disturbed} of {result.trials}", flush=True)
    return result._replace(disturbed=result.trials if result.disturbed else 0)


def linted(given: Given) -> list[Result]:
    """The order of every clean run, one check a mail and yes."""
    names = [name for name in COMMANDS if not given.short or name in ("power-download-imap", "power-send")]
    found = {f"{name} {check.name}": check for name in names for check in _checked(name, "")}
    jobs = list(found)
    return [record.run("lint", "checks", jobs, lambda job: Trial(True, lint.faults(found[job])), keep=given.keep)]


def broken_lint(given: Given) -> list[Result]:
    """It complains of every broken copy."""
    results = []
    for how, name in FOUND_WITH[:1] if given.short else FOUND_WITH:
        found = {check.name: check for check in _checked(name, how)}
        title = f"broken-lint-{how}-{name.removeprefix('power-')}"
        results.append(found_out(title, list(found), lambda job: lint.faults(found[job]), given))  # noqa: B023
    return results


def _checked(name: str, how: str) -> list[lint.Check]:
    with prepared(name) as command:
        found = traced(command, BROKEN[how], golden=False) if how else traced(command)
        return list(lint.checks(command, found))


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    **{name: row(name) for name in COMMANDS},
    "broken-power": broken,
    "lint": linted,
    "broken-lint": broken_lint,
}
