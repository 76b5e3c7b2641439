"""Holders of locks that stop: a run goes on after another ran, is killed, or finds that its lock files were removed.

In flow the call before which a run or an edit is stopped, out flows what is lost, doubled or left behind when all goes
on. The row is `stopped`, in `company`.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import checker, hands, mailbox, record, trials
from tests.faults.careless import BROKEN
from tests.faults.checker import Looked
from tests.faults.edits import chain, mails
from tests.faults.given import Given
from tests.faults.hands import Change, Task
from tests.faults.office import Office, office
from tests.faults.record import Result, Trial

DOWNLOAD = "download-emails"


def stopped(given: Given) -> list[Result]:
    """A run is stopped at some call; another runs; then it goes on, is killed, or its lock files are gone."""
    ways = ("goes on", "is killed", "lost its locks")
    with office(24) as made:
        calls = {kind: _calls(made, kind) for kind in (DOWNLOAD, "edit")}
        # All over the run; what comes after the last change is no place to be stopped at.
        jobs = [f"{DOWNLOAD} at {5 + (calls[DOWNLOAD] - 15) * at // 60} {ways[at % 3]}" for at in range(60)]
        # The rename of the record is its last change: nobody can look for his lock files within it.
        places = {way: calls["edit"] - (4 if way == "lost its locks" else 3) for way in ways}
        jobs += [f"edit at {1 + places[ways[at % 3]] * at // 30} {ways[at % 3]}" for at in range(30)]
        jobs.append("pid used again")
        if given.short:
            jobs = [jobs[31], jobs[32], jobs[79], jobs[-1]]
        what = "stopped holders"
        return [
            record.run("stopped", what, given.some(jobs, len(jobs)), lambda job: halted(made, job), keep=given.keep)
        ]


def _calls(made: Office, kind: str) -> int:
    """How many changing calls there are in an undisturbed run."""
    with made.copy() as root:
        ran = trials.forked(lambda: [_halting(root, kind, 0, ""), COUNTED][1], root)
        return int(ran.result[0])


def halted(made: Office, job: str, *, broken: str = "") -> Trial:
    """One trial: `<what> at <n> <way>`: stopped before its n-th changing call."""
    if job == "pid used again":
        return _used_again(made)
    kind, _, place, way = job.split(maxsplit=3)
    with made.copy() as root:
        (root / "first").mkdir()
        first = trials.begun(lambda: _halting(root, kind, int(place), broken), root / "first")
        _, status = os.waitpid(first, os.WUNTRACED)
        was_stopped, wrong = os.WIFSTOPPED(status), []
        if was_stopped:
            if way == "lost its locks":
                for path in (root / "data/locks").rglob("*.lock"):
                    path.unlink()
            wrong += _meanwhile_edited(root, made.issues[0], broken)
            ran = trials.forked(lambda: _hastily(root, broken), root)
            if ran.code not in (0, 1, 75) or (ran.code and not ran.result["err"]):
                wrong.append(f"other: the run beside it ended with {ran.code}: {ran.result}")
            os.kill(first, signal.SIGKILL if way == "is killed" else signal.SIGCONT)
            done = trials.ended(first, root / "first")
            if kind == "edit" and done.result is not None:
                wrong += _has(root, made.issues[0], done.result)
        trials.time_passes(root / "data")
        wrong += trials.afterwards(root, [DOWNLOAD])
        wrong += checker.faults(root / "data", None) + made.lost(root) + made.left(root) + list(mails(made, root))
        for number, issue in Looked(root / "data").issues.items():
            wrong += chain(number, issue)
        return Trial(was_stopped, tuple(wrong))


COUNTED = [0]  # The calls of this process.


def _halting(root: Path, kind: str, place: int, broken: str) -> Any:
    if broken:
        BROKEN[broken]()

    def stop(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            COUNTED[0] += 1
            if COUNTED[0] == place:
                os.kill(os.getpid(), signal.SIGSTOP)
            return real(*given, **more)

        return call

    for name in ("rename", "replace", "link", "unlink", "write", "fsync", "mkdir"):
        setattr(os, name, stop(getattr(os, name)))
    return trials.flask(root, DOWNLOAD, "--json") if kind == DOWNLOAD else _edits_once(root, "1" * 16)


def _edits_once(root: Path, serial: str) -> list[Any]:
    """One change by a hand, until it is taken or given up; it and whether it was acknowledged."""
    hand = hands.Verbs(root, Task(0, 0, 1, ()))
    change = Change(_first_issue(root), "summary", serial, f"Question {serial}")
    try:
        for _ in range(hands.TRIES):
            try:
                return [list(change), hand.send(change)]
            except (hands.Refusal, OSError):
                continue
        return [list(change), False]
    finally:
        hand.tracker.close()


def _first_issue(root: Path) -> int:
    return min(int(path.name) for path in (root / "data").glob("issues/*/*") if path.name.isdigit())


def _meanwhile_edited(root: Path, number: int, broken: str) -> list[str]:
    """Somebody else changes the issue meanwhile; who has to wait too long is told so."""

    def body() -> Any:
        _in_a_hurry()
        return _edits_once(root, "2" * 16)

    ran = trials.forked(body, root)
    if ran.result is None:
        return [f"other: an edit beside it ended with {ran.code}: {(root / 'output.txt').read_text()[-1500:]}"]
    (root / "second.txt").write_text("acknowledged" if ran.result[1] else "refused")
    return []


def _has(root: Path, number: int, first: list[Any]) -> Iterator[str]:
    """Both changes, as far as they were acknowledged."""
    nonces = Counter(event.get("nonce") for event in Looked(root / "data").issues[number]["events"])
    second = (root / "second.txt").read_text() == "acknowledged"
    for serial, acknowledged in (("1" * 16, first[1]), ("2" * 16, second)):
        if nonces[serial] != acknowledged:
            yield f"{'lost' if acknowledged else 'other'}: change {serial[0]} is {nonces[serial]} times in the history"


def _hastily(root: Path, broken: str) -> Any:
    if broken:
        BROKEN[broken]()
    _in_a_hurry()
    return trials.flask(root, DOWNLOAD, "--json")


def _in_a_hurry() -> None:
    """No lock is waited for longer than a moment: its holder is stopped."""
    from eventum.store.locks import Locks

    Locks.record.__wrapped__.__defaults__ = (0.2,)  # type: ignore[attr-defined]
    Locks.issues.__wrapped__.__defaults__ = (0.2,)  # type: ignore[attr-defined]


def _used_again(made: Office) -> Trial:
    """The names of a dead run carry the number of a process that lives: this one."""
    with made.copy() as root:
        maker = f"host-{os.getpid()}-0123abcd"
        (root / f"data/locks/leases/{maker}.lock").touch()
        trials.forked(lambda: trials.flask(root, DOWNLOAD, "--json"), root)
        account = next((root / "data/settings/accounts").glob("*.json")).stem
        (mail,) = mailbox.mails(1, 77, ["new"])
        key = checker.key_of(account, mail.raw)
        (root / f"data/spool/in/cur/{key},R={maker}:2,").write_bytes(_stamped(account, mail.raw))
        (root / f"data/issues/.tmp/{maker}.0").write_bytes(b"{}")
        wrong = trials.afterwards(root, [DOWNLOAD])
        wrong += checker.faults(root / "data", None)
        store = Looked(root / "data")
        there = {*(one for one, _, _ in store.filings()), *(record["mail"]["key"] for record in store.pool.values())}
        if key not in there:
            wrong.append("lost: what the dead run had in hand is nowhere")
        return Trial(True, tuple(wrong))


def _stamped(account: str, raw: bytes) -> bytes:
    from eventum.mail.envelope import Envelope, stamp

    return stamp(Envelope(destination=account, received=mailbox.BEGIN), raw)
