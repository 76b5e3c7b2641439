"""What people do, by the browser or by a command, disturbed: afterwards it is done and told, or it is not done at all.

In flow the forms that pages offer, filled in as a person does; each post goes through the whole WSGI application with
the session and the token of its page. Who gets no answer presses again: at once, or when cron has run meanwhile. A post
that fails is made in a process that lives on, as a web server's does, so that what it left half done is not yet a dead
writer's.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.faults import checker, trials
from tests.faults.forms import COMMANDS as COMMANDS
from tests.faults.forms import POSTS as POSTS
from tests.faults.forms import Open, Step
from tests.faults.record import Trial
from tests.faults.rows import DOWNLOAD, Run
from tests.faults.shim import Fault, Place, Shim
from tests.faults.trials import Scene

# The second intent of a deed of two commits: the first is whole, the second has changed nothing yet.
SECOND = Place("rename data/state/.tmp/* -> data/state/intents/*.json", 2)


def stored(scene: Scene) -> None:
    """Let the scene be one in which mail came in."""
    done = trials.run(scene.prepared, DOWNLOAD)
    if done.code != 0:
        raise RuntimeError(str(done.result))


class Deed(Run):
    """Something that a person does, with the stories before and after it."""

    def __init__(self, scene: Scene, broken: str = "") -> None:
        super().__init__(scene, broken)
        with scene.copy() as root:
            self.ready(root)
            self.before = checker.story(root / "data")
            self.all = self.places(root)
            self.after = checker.story(root / "data")
            self.between = [self.before, self.after]
            wrong = [*trials.afterwards(root, (DOWNLOAD,), before=lambda: self.again(root)), *self.seen(root)]
        if wrong or (self.before == self.after and self.changes):
            raise RuntimeError("an undisturbed deed is not without fault:\n" + "\n".join(wrong[:20]))

        if self.all.count(SECOND):
            # Two commits: who dies between them leaves the mail in the list, where a person sees it.
            with self.copy() as root:
                self.disturbed(root, Fault("KILL", SECOND))
                trials.afterwards(root, (DOWNLOAD,))
                self.between.append(checker.story(root / "data"))

    changes = True

    def copy(self) -> AbstractContextManager[Path]:
        """A folder in which it can be done."""
        return self.scene.copy()

    def ready(self, root: Path) -> None:
        """What was done before."""

    def again(self, root: Path) -> list[str]:
        """He presses again, since he got no answer; what is wrong with the one he gets now."""
        return []

    def seen(self, root: Path, *, done: bool = True) -> list[str]:
        """What is wrong in the end; unless it must be done, it may be as before too, or between two commits."""
        found, story = checker.faults(root / "data", None), checker.story(root / "data")
        if story == self.after or (story in self.between and not done):
            return found
        return [*found, *checker.differences(story, self.after)]


class Command(Deed):
    """One that is typed; who is killed at it does not know whether it is done, and it is done or not."""

    def __init__(self, scene: Scene, words: Sequence[str]) -> None:
        self.words = words
        super().__init__(scene)

    def do(self, root: Path) -> dict[str, Any]:
        return trials.flask(root, *self.words)

    def once(self, fault: Fault) -> Trial:
        with self.copy() as root:
            call, ran = self.disturbed(root, fault)
            wrong = self.crashed(root, fault, ran)
            if ran.code == 0 and checker.story(root / "data") != self.after:
                wrong.append("silent: it ended with 0 and is not done")
            wrong += trials.afterwards(root, (DOWNLOAD,))
            return Trial(bool(call), (*wrong, *self.seen(root, done=False)))


class Post(Deed):
    """One that is posted by the last of these steps; those before it are done in the scene of each trial."""

    def __init__(self, scene: Scene, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.form: dict[str, Any] = {}
        self.changes = "do" not in steps[-1].fields or steps[-1].fields["do"] != "draft"
        self.posed = scene.folder / "posed"  # the prepared folder, when the steps before are done
        super().__init__(scene)

    def copy(self) -> AbstractContextManager[Path]:
        return self.scene.copy(prepared=self.posed)

    def ready(self, root: Path) -> None:
        def body() -> dict[str, Any]:
            site = Open(root)
            for step in self.steps[:-1]:
                status = site.post(site.form(step))
                if status != 303:
                    raise RuntimeError(f"{step} was answered with {status}")
            form = site.form(self.steps[-1])
            site.close()
            return form

        ran = trials.forked(body, root)
        if ran.result is None:
            raise RuntimeError((root / "output.txt").read_text())
        self.form = ran.result
        trials.pose(root, self.posed)

    def places(self, root: Path, *, looks: bool = False) -> list[Place]:
        """Those of the post alone: the process of a web server lives on after it."""
        wear = Shim(root, looks=looks)

        def body() -> dict[str, Any]:
            site = Open(root, self.form["cookie"])
            wear.install()
            status, calls = site.post(self.form), list(wear.calls)
            site.close()
            return {"status": status, "calls": calls}

        ran = trials.forked(body, root)
        if ran.result is None or ran.result["status"] >= 400:
            raise RuntimeError(f"{ran} {(root / 'output.txt').read_text()}")
        return [Place(*place) for place in ran.result["calls"]]

    def do(self, root: Path) -> dict[str, Any]:
        site = Open(root, self.form["cookie"])
        status = site.post(self.form)
        site.close()
        return {"code": 0 if status < 400 else 1, "status": status, "err": f"answered with {status}"}

    def again(self, root: Path) -> list[str]:
        status = self.do(root)["status"]
        said = (root / "output.txt").read_text()[-1500:]
        return [f"stuck: pressed again, it is answered with {status}: {said}"] if status >= 500 else []

    def once(self, fault: Fault) -> Trial:
        if fault.how != "KILL":
            return self.failed(fault)
        with self.copy() as root:
            call, _ = self.disturbed(root, fault)
            wrong: list[str] = []
            if fault.place.count % 2:  # Cron runs before he presses again.
                wrong += trials.afterwards(root, (DOWNLOAD,))
                wrong += self.seen(root, done=False)
            wrong += trials.afterwards(root, (DOWNLOAD,), before=lambda: self.again(root))
            return Trial(bool(call), (*wrong, *self.seen(root)))

    def failed(self, fault: Fault) -> Trial:
        """The answer says so, or it is done; cron runs; then he presses again, all while the process lives on."""
        with self.copy() as root:
            wear = Shim(root, fault)

            def body(wait: Callable[[object], None]) -> dict[str, Any]:
                site = Open(root, self.form["cookie"])
                wear.install()
                first = site.post(self.form)
                wear.rest()
                wait(first)
                second = site.post(self.form)
                site.close()
                return {"second": second}

            living = root / "living"
            living.mkdir()
            with trials.living(body, living) as (first, child):
                wrong = [] if first is not None else [f"other: it crashed: {(root / 'output.txt').read_text()[-800:]}"]
                if first is not None and first < 400:
                    wrong += [f"silent: answered with {first}: {fault_}" for fault_ in self.undone(root)]
                ran = trials.run(root, DOWNLOAD)
                wrong += [] if ran.result is None else trials.ended_well(root, DOWNLOAD, ran.result)
                # The lease of the one that lives is where it should be.
                wrong += [fault for fault in self.seen(root, done=False) if "/leases/" not in fault]
            ended = trials.ended(child, living).result
            if ended is None or ended["second"] >= 500:
                wrong.append(f"stuck: pressed again, it is answered with {ended}")
            wrong += trials.afterwards(root, (DOWNLOAD,))
            return Trial(wear.report.exists(), (*wrong, *self.seen(root)))

    def undone(self, root: Path) -> list[str]:
        """What is missing of it."""
        return list(checker.differences(checker.story(root / "data"), self.after))[:1]


def deed(scene: Scene, name: str) -> Deed:
    """The deed of that name."""
    return Post(scene, POSTS[name]) if name in POSTS else Command(scene, COMMANDS[name][0])
