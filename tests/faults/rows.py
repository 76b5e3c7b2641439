"""The rows of the plan: what is disturbed, and what must be true afterwards.

In flow a scene and a number of trials, out flow the trials. A row says nothing about how a fork or a shim works, and
the checker nothing about how a store came to be as it is.
"""

import ctypes
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults import checker, shim, trials
from tests.faults.shim import Place, Shim
from tests.faults.trials import FarEnd, Scene, Trial

DOWNLOAD, QUEUE = "download-emails", "process-queue"
WRITING = (
    (DOWNLOAD,),
    (QUEUE,),
    ("users", "add", "x@example.org", "--name", "X"),
    ("projects", "add", "Another"),
    ("settings", "set", "smtp.host", "mail.example.org"),
)


def chosen(places: Sequence[Place], count: int, seed: int) -> list[Place]:
    """So many places at random, the same for the same seed."""
    return random.Random(seed).sample(list(places), min(count, len(places)))


def each_kind(places: Sequence[Place]) -> list[Place]:
    """The first, the middle and the last place of every kind of call: what chance may leave out."""
    last = {place.step: place.count for place in places}
    return sorted({Place(step, count) for step, most in last.items() for count in (1, (most + 1) // 2, most)})


def seen(root: Path, scene: Scene, golden: Any) -> list[str]:
    """What is wrong with a store after a disturbed and a normal download."""
    data = root / "data"
    left = [f"{path} was left in the mailbox" for path in (root / "box/new").iterdir()]
    found = [*left, *checker.faults(data, scene.given), *checker.in_order(data, scene.parents)]
    if golden is not None:
        found += checker.differences(checker.story(data), golden)
    return found


def golden_download(scene: Scene) -> tuple[list[Place], Any]:
    """The places and the story of an undisturbed download; it must be without fault itself."""
    with scene.copy() as root:
        places = trials.counted(root, DOWNLOAD)
        story = checker.story(root / "data")
        wrong = [*seen(root, scene, None), *trials.verified(root)]
    if wrong:
        raise RuntimeError("an undisturbed run is not without fault:\n" + "\n".join(wrong[:20]))
    return places, story


def download(scene: Scene, places: Sequence[Place], golden: Any, *, broken: str = "", number: int = 0) -> list[Trial]:
    """`download-emails` is killed (or its call fails) at each of these places; then it runs once."""

    def one(place: Place) -> Trial:
        with scene.copy() as root:
            call = trials.disturbed(root, DOWNLOAD, place, broken=broken, number=number)
            trials.time_passes(root / "data")
            again = trials.run(root, DOWNLOAD, broken=broken)
            wrong = [*trials.ended_well(root, DOWNLOAD, again), *seen(root, scene, golden), *trials.verified(root)]
        return Trial(place, call, tuple(wrong))

    def until_disturbed(place: Place) -> Trial:
        # Threads race, so a run may come to fewer places of a kind than the one they were counted in.
        earlier = Place(place.step, (place.count + 1) // 2)
        tried = (one(where) for where in (place, earlier, Place(place.step, 1), places[0]))
        return next(trial for trial in tried if trial.call or trial.faults)

    return [as_trial(item) for item in trials.in_parallel(list(places), until_disturbed, scene.folder)]


def as_trial(item: Any) -> Trial:
    """A trial out of a worker's JSON."""
    place, call, wrong, twice = item
    return Trial(Place(*place) if place else None, call, tuple(wrong), twice)


def golden_queue(scene: Scene) -> list[Place]:
    """Let the scene be one whose queue is full; the places of an undisturbed `process-queue`."""
    done = trials.run(scene.prepared, DOWNLOAD)
    if done.code != 0:
        raise RuntimeError(str(done.result))
    far = FarEnd(scene.folder)
    try:
        with scene.copy(far.port) as root:
            return trials.counted(root, QUEUE)
    finally:
        far.close()


def queue(scene: Scene, places: Sequence[Place], *, broken: str = "", number: int = 0) -> list[Trial]:
    """`process-queue` is killed (or its call fails) at each of these places; then it runs once."""
    far: list[FarEnd] = []

    def one(place: Place) -> Trial:
        if not far:
            far.append(FarEnd(scene.folder))
        far[0].forget()
        with scene.copy(far[0].port) as root:
            call = trials.disturbed(root, QUEUE, place, broken=broken, number=number)
            trials.time_passes(root / "data")
            again = trials.run(root, QUEUE, broken=broken)
            wrong = trials.ended_well(root, QUEUE, again)
            wrong += checker.faults(root / "data", scene.given) + trials.verified(root)
            never, twice = checker.deliveries(root / "data", far[0].delivered(), trials.REFUSED)
            # Between the far end's yes and the rename to `sent` lies the one window; each kill has one mail in it.
            allowed = 1 if "-> data/spool/sent/" in call else 0
            if len(twice) > allowed:
                never.append(f"{twice} were delivered twice, disturbed before {call}")
            wrong += never
        return Trial(place, call, tuple(wrong), len(twice))

    return [as_trial(item) for item in trials.in_parallel(list(places), one, scene.folder)]


def together(scene: Scene, command: str, count: int, golden: Any) -> list[Trial]:
    """Two runs of a command started at once, so many times."""

    def one(at: int) -> Trial:
        far = FarEnd(scene.folder) if command == QUEUE else None
        with scene.copy(far.port if far else 0) as root:
            wrong = trials.at_once([lambda: trials.flask(root, command, "--json")] * 2, root)
            wrong += seen(root, scene, golden) if golden else checker.faults(root / "data", scene.given)
            wrong += trials.verified(root)
            if far:
                told, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
                wrong += told + [f"{one} came twice" for one in twice]
                far.close()
        return Trial(None, "", tuple(wrong))

    return [one(at) for at in range(count)]


def taken_over(scene: Scene, places: Sequence[Place], golden: Any) -> list[Trial]:
    """Two downloads are started at once and one is killed; the other, or the run after both, ends its work."""

    def one(place: Place) -> Trial:
        with scene.copy() as root:
            report = root / "report.txt"
            dying = Shim(root, place, shim.killing(report))
            trials.at_once(
                [lambda: trials.shimmed(root, DOWNLOAD, dying), lambda: trials.flask(root, DOWNLOAD, "--json")], root
            )
            again = trials.run(root, DOWNLOAD)
            wrong = [*trials.ended_well(root, DOWNLOAD, again), *seen(root, scene, golden), *trials.verified(root)]
            # The other run may have done all before this place was reached; that is no trial of dying then.
            return Trial(
                place, report.read_text() if report.exists() else "nothing: the other was faster", tuple(wrong)
            )

    return [one(place) for place in places]


def verb(scene: Scene, arguments: Sequence[str], places: Sequence[Place], before: Any, after: Any) -> list[Trial]:
    """A person's command is killed at each of these places; then it was done and told, or it was not."""

    def one(place: Place) -> Trial:
        with scene.copy() as root:
            call = trials.disturbed(root, arguments, place)
            again = trials.run(root, DOWNLOAD)
            wrong = [*trials.ended_well(root, DOWNLOAD, again), *checker.faults(root / "data", None)]
            wrong += trials.verified(root)
            story = checker.story(root / "data")
            if story not in (before, after):
                wrong += checker.differences(story, after)
        return Trial(place, call, tuple(wrong))

    return [as_trial(item) for item in trials.in_parallel(list(places), one, scene.folder)]


def filed_by_hand(scene: Scene) -> tuple[str, ...]:
    """Let a mail of the pool be put into issue 1, its notices not sent; the command that takes it back."""
    # In processes of their own: the threads that a commit starts here would be missing in every fork after it.
    listed = trials.run(scene.prepared, ("emails", "list", "--state", "unassociated", "--json"))
    key = json.loads(listed.result["out"])[0]["id"]
    done = trials.run(scene.prepared, ("emails", "associate", key, "1"))
    if done.code != 0 or done.result["code"] != 0:
        raise RuntimeError(str(done.result))
    return "emails", "undo", "1"


def golden_verb(scene: Scene, arguments: Sequence[str]) -> tuple[list[Place], Any, Any]:
    """The places of a person's command, and the story before and after it."""
    with scene.copy() as root:
        before = checker.story(root / "data")
        places = trials.counted(root, arguments)
        return places, before, checker.story(root / "data")


def shut(scene: Scene) -> list[Trial]:
    """The data folder cannot be written: every command that writes says so in one line, and nothing is changed."""

    def one(words: Sequence[str]) -> Trial:
        with scene.copy() as root:
            paths = [root, *root.rglob("*")]
            for path in paths:
                if path.is_dir() and (path == root / "data" or root / "data" in path.parents):
                    path.chmod(0o500)
            before = sorted((str(path), path.stat().st_mtime_ns) for path in paths)
            ran = trials.forked(lambda: as_ordinary_user(root, words), scene.folder)
            wrong = [f"{' '.join(words)} ended with {ran.code}: {ran.result}"] if ran.code != 78 else []
            if ran.result is None:
                wrong.append((scene.folder / "output.txt").read_text())
            said = ran.result["err"] if ran.result else ""
            if said.count("\n") != 1 or str(root / "data") not in said:
                wrong.append(f"{' '.join(words)} said: {said}")
            if sorted((str(path), path.stat().st_mtime_ns) for path in [root, *root.rglob("*")]) != before:
                wrong.append(f"{' '.join(words)} changed something")
            for path in paths:
                path.chmod(0o700)
        return Trial(None, "", tuple(wrong))

    return [one(words) for words in WRITING]


def as_ordinary_user(root: Path, words: Sequence[str]) -> dict[str, Any]:
    """A command of a user whom the modes of files bind: root without its capabilities stays their owner.

    The user is not changed, because the folders above, Python's own among them, need not let another one in.
    """
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
            raise OSError(ctypes.get_errno(), "capset")
    return trials.flask(root, *words)
