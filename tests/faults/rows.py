"""The runs that are disturbed, and what must be true afterwards: `download-emails`, `process-queue`, two at once.

In flow a scene and the name of a fault (`shim.Fault.job`), out flow trials. A run says nothing about how a fork or a
shim works, and the checker nothing about how a store came to be as it is.
"""

import abc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults import checker, shim, trials
from tests.faults.record import Trial
from tests.faults.shim import Fault, Place, Shim
from tests.faults.trials import FarEnd, Ran, Scene

DOWNLOAD, QUEUE = "download-emails", "process-queue"
# Faults that say of a run which ended with 0 that it did not do what it was to do.
UNDONE = ("lost", "stuck", "silent")


def each_kind(places: Sequence[Place]) -> list[Place]:
    """The first, the middle and the last place of every kind of call: what chance may leave out."""
    last = {place.step: place.count for place in places}
    return sorted({Place(step, count) for step, most in last.items() for count in (1, (most + 1) // 2, most)})


def jobs(places: Sequence[Place], *hows: str) -> list[str]:
    """The names of these faults at each place at which they are possible."""
    return [Fault(how, place).job for how in hows for place in places if Fault(how, place).is_possible()]


class Run(abc.ABC):
    """What is disturbed, in copies of a scene; `broken` names a broken copy of the program."""

    def __init__(self, scene: Scene, broken: str = "") -> None:
        self.scene = scene
        self.broken = broken

    @abc.abstractmethod
    def do(self, root: Path) -> dict[str, Any]:
        """Do it, in this process; what it gives has a `code`."""

    @contextmanager
    def ready(self) -> Iterator[Path]:
        """A folder in which it can be done, for one trial."""
        with self.scene.copy() as root:
            yield root

    def after(self, root: Path) -> tuple[list[str], int]:
        """What is wrong when all is over, and how many mails were delivered twice within the window."""
        return [], 0

    def close(self) -> None:  # noqa: B027
        """Let go of what this process must not have when it forks."""

    @abc.abstractmethod
    def once(self, fault: Fault) -> Trial:
        """One trial."""

    def trial(self, job: str) -> Trial:
        """One trial at this place; threads race, so a run may come to fewer places of a kind than were counted."""
        fault = Fault.of(job)
        counts = dict.fromkeys((fault.place.count, (fault.place.count + 1) // 2, 1))
        tried = [trial for at in counts if (trial := self.once(fault.at(at))) if trial.disturbed or trial.faults]
        return tried[0] if tried else Trial(False)

    def places(self, root: Path, *, looks: bool = False) -> list[Place]:
        """Every call of an undisturbed run that is counted, in the order in which they were made."""
        wear = Shim(root, looks=looks)

        def body() -> dict[str, Any]:
            wear.install()
            return {**self.do(root), "calls": wear.calls}

        ran = trials.forked(body, root)
        if ran.result is None or trials.ended_well(root, QUEUE, ran.result):
            raise RuntimeError(f"{ran} {(root / 'output.txt').read_text()}")
        return [Place(*place) for place in ran.result["calls"]]

    def disturbed(self, root: Path, fault: Fault) -> tuple[str, Ran]:
        """The call that was not made, "" when it did not come to that, and how the run ended."""
        wear = Shim(root, fault)

        def body() -> dict[str, Any]:
            if self.broken:
                shim.BROKEN[self.broken]()
            wear.install()
            return self.do(root)

        ran = trials.forked(body, root)
        return wear.report.read_text() if wear.report.exists() else "", ran

    def crashed(self, root: Path, fault: Fault, ran: Ran) -> list[str]:
        """A run that was not killed ends by itself, and not with a traceback."""
        if fault.how == "KILL" or ran.result is not None:
            return []
        said = " ".join((root / "output.txt").read_text()[-800:].split())
        return [f"other: it ended with {ran.code}: {said}"]


class Download(Run):
    """`download-emails`: disturbed, then once as usual."""

    def __init__(self, scene: Scene, broken: str = "", *, looks: bool = False) -> None:
        super().__init__(scene, broken)
        with scene.copy() as root:
            self.all = self.places(root, looks=looks)
            self.golden = checker.story(root / "data")
            wrong = [*self.seen(root), *trials.afterwards(root, (DOWNLOAD,))]
        if wrong:
            raise RuntimeError("an undisturbed run is not without fault:\n" + "\n".join(wrong[:20]))

    def do(self, root: Path) -> dict[str, Any]:
        return trials.flask(root, *trials.words(DOWNLOAD))

    def after(self, root: Path) -> tuple[list[str], int]:
        return self.seen(root), 0

    def seen(self, root: Path) -> list[str]:
        """What is wrong after a whole run."""
        data = root / "data"
        found = [*self.scene.left(root), *checker.faults(data, self.scene.given)]
        found += [*self.scene.lost(root), *checker.in_order(data, self.scene.parents)]
        return [*found, *checker.differences(checker.story(data), self.golden)]

    def once(self, fault: Fault) -> Trial:
        with self.scene.copy() as root:
            call, ran = self.disturbed(root, fault)
            wrong = [*self.scene.lost(root), *self.crashed(root, fault, ran), *silent(ran, lambda: self.seen(root))]
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, (DOWNLOAD,), broken=self.broken)
            wrong += self.seen(root)
        return Trial(bool(call), tuple(wrong))


def silent(ran: Ran, look: Callable[[], list[str]]) -> list[str]:
    """A run that says all is well did all that was to be done."""
    if ran.code != 0:
        return []
    undone = [fault for fault in look() if fault.startswith(UNDONE)]
    return [f"silent: it ended with 0, and {undone[0]}"] if undone else []


class Queue(Run):
    """`process-queue` of a full queue: disturbed, then once as usual."""

    def __init__(self, scene: Scene, broken: str = "", *, looks: bool = False) -> None:
        super().__init__(scene, broken)
        if not list((scene.prepared / "data/spool/out/new").iterdir()):
            done = trials.run(scene.prepared, DOWNLOAD)
            if done.code != 0:
                raise RuntimeError(str(done.result))
        self.far: FarEnd | None = None
        with scene.copy(self._far().port) as root:
            self.all = self.places(root, looks=looks)
            wrong = self.seen(root, 0)[0] + trials.afterwards(root, (QUEUE,))
        self.close()
        if wrong:
            raise RuntimeError("an undisturbed run is not without fault:\n" + "\n".join(wrong[:20]))

    def _far(self) -> FarEnd:
        """One for each process that tries: what it was given is its own."""
        if self.far is None:
            self.far = FarEnd(self.scene.folder)
        self.far.forget()
        return self.far

    def close(self) -> None:
        if self.far is not None:
            self.far.close()
            self.far = None

    def do(self, root: Path) -> dict[str, Any]:
        return trials.flask(root, *trials.words(QUEUE))

    @contextmanager
    def ready(self) -> Iterator[Path]:
        with self.scene.copy(self._far().port) as root:
            yield root

    def after(self, root: Path) -> tuple[list[str], int]:
        return self.seen(root, 1)

    def seen(self, root: Path, allowed: int) -> tuple[list[str], int]:
        """What is wrong after a whole run, and how many mails were delivered twice."""
        far = self._far_of_now()
        wrong = checker.faults(root / "data", self.scene.given)
        never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
        if len(twice) > allowed:
            never.append(f"doubled: {twice} were delivered twice")
        return [*wrong, *never], len(twice)

    def _far_of_now(self) -> FarEnd:
        assert self.far is not None
        return self.far

    def once(self, fault: Fault) -> Trial:
        with self.ready() as root:
            call, ran = self.disturbed(root, fault)
            wrong = [*self.crashed(root, fault, ran), *silent(ran, lambda: self.seen(root, 1)[0])]
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, (QUEUE,), broken=self.broken)
            # Between the far end's yes and the rename to `sent` lies the one window; each fault has one mail in it.
            found, twice = self.seen(root, 1 if "-> data/spool/sent/" in call or fault.how.endswith("+") else 0)
        return Trial(bool(call), (*wrong, *found), twice)


class OneOfTwo(Download):
    """Two downloads are started at once and one is killed; the other, or the run after both, ends its work."""

    def trial(self, job: str) -> Trial:
        # The other run may have done all before this place was reached; that, too, is two runs at once.
        return self.once(Fault.of(job))._replace(disturbed=True)

    def once(self, fault: Fault) -> Trial:
        with self.scene.copy() as root:
            wear = Shim(root, fault)

            def dying() -> dict[str, Any]:
                wear.install()
                return self.do(root)

            _, other = trials.at_once([dying, lambda: self.do(root)], root)
            wrong = [] if other.code == 0 else [f"stuck: the other run ended with {other}"]
            wrong += trials.afterwards(root, (DOWNLOAD,))
            return Trial(wear.report.exists(), (*wrong, *self.seen(root)))
