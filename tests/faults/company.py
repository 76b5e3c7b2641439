"""Many at once: people who change the same issues, runs that start together, runs that outlast the next cron minute.

The rows: `edits` (eight processes change the same issues, by the verbs and through the web application, while a
download files answers into them and the queue is sent), `together` (two to eight runs of a command at once, each
delayed at random at its renames and locks), `overlap` (a run that is still at it when cron starts the next ones),
`stopped` (a holder of locks is stopped and goes on later, is killed, or has its lock file removed by hand), and
`broken-company`: the harness finds the faults of broken copies.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import checker, mailbox, record, trials
from tests.faults.careless import BROKEN
from tests.faults.checker import Looked
from tests.faults.edits import edited, edits, mails
from tests.faults.given import Given
from tests.faults.halts import stopped
from tests.faults.office import office
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd, Scene

DOWNLOAD, QUEUE = "download-emails", "process-queue"


def delayed(chance: random.Random) -> None:
    """Let this process sleep a moment at some of its renames and locks: others come in between."""
    import fcntl

    for module, name in ((os, "rename"), (os, "replace"), (os, "link"), (fcntl, "flock")):
        setattr(module, name, _slow(getattr(module, name), chance))


def _slow(real: Callable[..., Any], chance: random.Random) -> Callable[..., Any]:
    def call(*given: Any, **more: Any) -> Any:
        if chance.random() < 0.3:
            time.sleep(chance.random() * 0.004)
        return real(*given, **more)

    return call


def together(given: Given) -> list[Result]:
    """Two to eight runs at once: a download each, the sending each, or both, of the same accounts."""
    many = (2, 3, 5, 8)
    jobs = [f"{many[at % 4]} {('download', 'queue', 'both')[at % 3]}, seed {at}" for at in range(510)]
    with trials.scene(30) as made:
        golden = _golden(made)
        what = "runs at once"
        return [
            record.run("together", what, given.some(jobs, 3), lambda job: at_once(made, golden, job), keep=given.keep)
        ]


def _golden(made: Scene) -> Any:
    with made.copy() as root:
        if wrong := trials.afterwards(root, [DOWNLOAD]):
            raise RuntimeError(f"an undisturbed run is not without fault: {wrong}")
        return checker.story(root / "data")


def at_once(made: Scene, golden: Any, job: str, *, broken: str = "") -> Trial:
    """One trial: `<runs> <what>, seed <n>`."""
    count, kind, _, seed = job.replace(",", "").split()
    far = FarEnd(made.folder)
    try:
        with made.copy(far.port) as root:
            if kind == "queue":
                trials.forked(lambda: trials.flask(root, DOWNLOAD, "--json"), root)

            def body(at: int) -> Any:
                if broken:
                    BROKEN[broken]()
                delayed(random.Random(f"{seed} {at}"))
                time.sleep(random.Random(f"begin {seed} {at}").random() * 0.05)
                command = DOWNLOAD if kind == "download" or (kind == "both" and at % 2) else QUEUE
                return trials.flask(root, command, "--json")

            ran = trials.at_once([lambda at=at: body(at) for at in range(int(count))], root)  # type: ignore[misc]
            wrong = [
                f"other: one of the runs ended with {one.code}: {(one.result or {}).get('err', 'by a fault')}"
                for one in ran
                if one.code not in (0, 1) or one.result is None or not _is_about_others(one.result["err"])
            ]
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, [DOWNLOAD, QUEUE])
            given = made.given if golden is not None else None
            wrong += checker.faults(root / "data", given) + made.lost(root) + made.left(root) + list(mails(made, root))
            wrong += checker.in_order(root / "data", made.parents)
            if golden is not None:
                wrong += checker.differences(_without_failures(checker.story(root / "data")), golden)
            never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
            return Trial(True, (*wrong, *never, *(f"doubled: {one} was delivered twice" for one in twice)))
    finally:
        far.close()


def _is_about_others(said: str) -> bool:
    """Whether a run said nothing but that another one does its work."""
    return all("nother run" in line for line in said.splitlines())


def _without_failures(story: Any) -> Any:
    """The story without what the far end refused, which an issue is told of when the queue was sent."""
    for root, (fields, events) in story["issues"].items():
        story["issues"][root] = [fields, [one for one in events if one["what"].get("type") != "delivery_failed"]]
    return story


def overlap(given: Given) -> list[Result]:
    """A run waits for a slow server while cron starts the next ones, and new mail comes."""
    jobs = [f"{('download', 'queue')[at % 2]} at {1 + at % 7}, {1 + at % 4} starts, {at}" for at in range(60)]
    with trials.scene(24) as made:
        what = "runs that outlast others"
        return [record.run("overlap", what, given.some(jobs, 2), lambda job: outlasted(made, job), keep=given.keep)]


def outlasted(made: Scene, job: str) -> Trial:
    """One trial: `<what> at <n>, <count> starts, <seed>`: the first run waits at its n-th mail while others start."""
    kind, _, place, count, _, seed = job.replace(",", "").split()
    command, wrong, far = DOWNLOAD if kind == "download" else QUEUE, [], FarEnd(made.folder)
    try:
        with made.copy(far.port) as root:
            if kind == "queue":
                trials.forked(lambda: trials.flask(root, DOWNLOAD, "--json"), root)
            watched = str(root / "box/new/") if kind == "download" else str(root / "data/spool/out/cur/")
            (root / "first").mkdir()
            first = trials.begun(lambda: _slowly(root, command, watched, int(place)), root / "first")
            _until((root / "waiting").exists)
            late = mailbox.mails(2, 1000 + int(seed), ["new"])
            for at in range(int(count)):
                if kind == "download" and at < len(late):
                    (root / "box/new" / f"late{at}.mail").write_bytes(late[at].raw)
                wrong += _second(root, command)
            (root / "go").touch()
            ran = trials.ended(first, root / "first")
            if ran.code != 0 and not (kind == "queue" and ran.code == 1):
                wrong.append(f"other: the long run ended with {ran.code}: {ran.result}")
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, [DOWNLOAD, QUEUE])
            wrong += checker.faults(root / "data", None) + made.left(root) + list(mails(made, root))
            ids = [filing["message_id"] for filing in _filings(root / "data")]
            wanted = late[: int(count)] if kind == "download" else []
            wrong += [f"lost: {mail.id}, which came meanwhile" for mail in wanted if ids.count(mail.id) != 1]
            never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
            return Trial(True, (*wrong, *never, *(f"doubled: {one} was delivered twice" for one in twice)))
    finally:
        far.close()


def _filings(data: Path) -> Iterator[dict[str, Any]]:
    for issue in Looked(data).issues.values():
        for event in issue["events"]:
            if event["what"]["type"] == "filed":
                yield event["what"]["message"]


def _slowly(root: Path, command: str, watched: str, place: int) -> Any:
    """The run that waits: when it opens (or moves to) the n-th file there, until it is told to go on."""
    count = 0

    def slow(real: Callable[..., Any], which: int) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            nonlocal count
            if isinstance(given[which], str | os.PathLike) and os.fspath(given[which]).startswith(watched):
                count += 1
                if count == place:
                    (root / "waiting").touch()
                    _until((root / "go").exists)
            return real(*given, **more)

        return call

    if command == DOWNLOAD:
        os.open = slow(os.open, 0)
    else:
        os.rename = slow(os.rename, 1)
    return trials.flask(root, command, "--json")


def _second(root: Path, command: str) -> list[str]:
    """What cron starts meanwhile: it says that another run is at it, and that is no failure."""
    ran = trials.forked(lambda: trials.flask(root, command), root)
    if ran.code != 0 or not _is_about_others(ran.result["err"]):
        return [f"other: a run beside another ended with {ran.code}: {ran.result}"]
    return [] if "nother run" in ran.result["err"] else [f"silent: a run beside another said: {ran.result}"]


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come")
        time.sleep(0.002)


def broken(given: Given) -> list[Result]:
    """Each broken copy is found in at least one trial."""
    jobs = list(BROKEN) if not given.short else ["revision", "lease"]

    def one(job: str) -> Trial:
        for at in range(6):
            if job == "lease":
                found = at_once(plain, golden, f"{(3, 8)[at % 2]} both, seed {at}", broken=job)
            else:
                found = edited(made, f"verbs on 1 issues, {900 + at}", 60, broken=job)
            if found.faults:
                return Trial(True)
        return Trial(True, (f"other: the broken copy {job} was not found out",))

    with office(24) as made, trials.scene(24) as plain:
        golden = _golden(plain)
        return [record.run("broken-company", "broken copies", jobs, one, workers=1, keep=given.keep)]


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "broken-company": broken,
    "edits": edits,
    "together": together,
    "overlap": overlap,
    "stopped": stopped,
}
