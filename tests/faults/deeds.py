"""The commands and posts that are watched: each on a store of its own, with what must be true of it after a power cut.

In flow a folder, out flow commands (`watched.Command`). The stores are small: each step of a command is there once or a
few times, and all of them are cut at.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults import checker, trials
from tests.faults.imports import Archived, bringing, noted
from tests.faults.posts import POSTS, Open, Step
from tests.faults.recording import Recorder
from tests.faults.trials import Far, FarEnd, Scene
from tests.faults.watched import BOXES, DOWNLOAD, QUEUE, Command, Traced
from tests.faults.worlds import World

SENT = "data/spool/sent/cur"
MARK = "eventum-backup.json"
YES = ("exit 0", "answer 3")
# What people do in the browser, of `posts`.
BY_MAIL = {"summary": "By phone", "text": "He called.", "how": "mail", "reporter": "c1@customer.example", "do": "open"}
WEB: dict[str, Sequence[Step]] = {
    **{
        name: POSTS[name]
        for name in ("reply", "note", "associate", "own-issue", "accept", "take-out", "remove", "close")
    },
    "new-issue": (Step("/issues/new", "/issues/new", BY_MAIL, files=True),),
    "undo": POSTS["undo-associate"],
}


class Download(Command):
    """One account is fetched and emptied, its mail decided; another one is left as it is."""

    def __init__(self, folder: Path) -> None:
        self.parents: dict[str, str] = {}
        self.story: Any = None
        super().__init__(folder)

    def act(self, root: Path, recorder: Recorder) -> Any:
        done = trials.flask(root, DOWNLOAD, "--json")
        assert done["code"] == 0, done
        recorder.said("exit 0")
        return done

    def golden(self, root: Path, traced: Traced) -> None:
        self.story = checker.story(root / "data")
        if wrong := self.check(root, World("golden", 0, {}, 0, 0), traced):
            raise RuntimeError("an undisturbed run is not without fault:\n" + "\n".join(wrong[:20]))

    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        data = root / "data"
        wrong = [*self.scene.left(root), *checker.faults(data, self.scene.given)]
        wrong += checker.in_order(data, self.scene.parents)
        return [*wrong, *checker.differences(checker.story(data), self.story)]


class DownloadImap(Download):
    """The same over IMAP."""

    far = Far("imap")


class DownloadPop3(Download):
    """The same over POP3."""

    far = Far("pop3")


class Send(Command):
    """What a download left in the queue is sent; one recipient is refused for good."""

    after = (QUEUE,)
    count = 8
    kinds = ("new", "answer", "new")

    def prepare(self) -> None:
        self.smtp: FarEnd | None = None
        self._owner = 0
        done = trials.run(self.scene.prepared, DOWNLOAD)
        if done.code != 0:
            raise RuntimeError(str(done.result))

    def server(self) -> FarEnd:
        """The server of this process that takes mail."""
        if self.smtp is None or self._owner != os.getpid():
            self.smtp, self._owner = FarEnd(self.scene.folder), os.getpid()
        return self.smtp

    def ready(self, root: Path) -> None:
        self.server().forget()
        self._point(root)

    def _point(self, root: Path) -> None:
        general = root / "data/settings/general.json"
        said = json.loads(general.read_text())
        said["smtp"]["port"] = self.server().port
        general.write_text(json.dumps(said))

    def outside(self, root: Path) -> Any:
        assert self.smtp
        return self.smtp.delivered()

    def restore(self, root: Path, outside: Any) -> None:
        self.server().forget(outside)
        self._point(root)

    def early(self, root: Path) -> list[str]:
        return []

    def act(self, root: Path, recorder: Recorder) -> Any:
        done = trials.flask(root, QUEUE, "--json")
        assert not done["err"], done
        recorder.said(f"exit {done['code']}")
        return done

    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        wrong, twice = checker.deliveries(root / "data", self.server().delivered(), trials.REFUSED)
        wrong += [f"doubled: {one} was sent again" for one in twice if not _in_the_window(world, traced, one)]
        return [*wrong, *checker.faults(root / "data", self.scene.given)]

    def twice(self, root: Path) -> int:
        return len(checker.deliveries(root / "data", self.server().delivered(), trials.REFUSED)[1])

    def close(self) -> None:
        super().close()
        if self.smtp and self._owner == os.getpid():
            self.smtp.close()


def _in_the_window(world: World, traced: Traced, name: str) -> bool:
    """Whether the power went between the far end's yes to this mail and the fsync of our note of it."""
    had = (at for at, op in enumerate(traced.ops) if name in traced.outsides[op.outside])
    taken = next(had, len(traced.ops))
    kept = (at for at, op in enumerate(traced.ops) if at > taken and (op.kind, op.path) == ("sync", SENT))
    return world.before <= next(kept, len(traced.ops))


class Verb(Command):
    """What a person does by command: it was done and told, or it was not; when he was told so, it was."""

    count = 8
    kinds = ("new", "answer", "machine")
    words: tuple[str, ...] = ()

    def prepare(self) -> None:
        done = trials.run(self.scene.prepared, DOWNLOAD)
        if done.code != 0:
            raise RuntimeError(str(done.result))
        self.stories = [checker.story(self.scene.prepared / "data")]

    def act(self, root: Path, recorder: Recorder) -> Any:
        done = trials.flask(root, *self.words)
        assert done["code"] == 0, done
        recorder.said("exit 0")
        return done

    def golden(self, root: Path, traced: Traced) -> None:
        self.stories = [self.stories[0], checker.story(root / "data")]
        if self.stories[0] == self.stories[1]:
            raise RuntimeError(f"{self.words} did nothing")

    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        wrong, story = checker.faults(root / "data", None), checker.story(root / "data")
        if story != self.stories[1] and was_told(world, traced):
            wrong += [f"lost: somebody had his yes, but {one}" for one in checker.differences(story, self.stories[1])]
        elif story not in self.stories:
            wrong += checker.differences(story, self.stories[1])
        return wrong


def was_told(world: World, traced: Traced) -> bool:
    """Whether somebody had his yes before the power went."""
    return any(op.kind == "said" and op.path.startswith(YES) for op in traced.ops[: world.before])


class Assign(Verb):
    """By command: a notice to somebody, and no mail."""

    words = ("issues", "assign", "1", "all@example.org")


class Post(Verb):
    """The last of some forms that a person sends in the browser; those before it were sent long ago."""

    count = 10
    kinds = ("new", "answer", "staff", "stranger", "machine", "person", "copy", "new", "unclear")
    steps: Sequence[Step] = ()

    def prepare(self) -> None:
        super().prepare()
        for step in self.steps[:-1]:
            done = trials.forked(lambda step=step: self.send(self.scene.prepared, step), self.scene.folder)  # type: ignore[misc]
            if done.result != 303:
                raise RuntimeError(f"{step} was answered with {done.result}")
        self.stories = [checker.story(self.scene.prepared / "data")]

    def send(self, root: Path, step: Step) -> int:
        """Look at the page and send its form; the status of the answer."""
        site = Open(root)
        status = site.post(site.form(step))
        self.noted(f"answer {status}")
        site.close()
        return status

    def noted(self, answer: str) -> None:
        """He has his answer."""

    def act(self, root: Path, recorder: Recorder) -> Any:
        self.noted = recorder.said  # type: ignore[method-assign]
        status = self.send(root, self.steps[-1])
        assert status == 303, status
        return status


class Import(Command):
    """A file of mails is imported; when it was broken off, it is gone on with."""

    scene: Archived
    size = 14
    stories: Sequence[Any] = ()

    def made(self, folder: Path) -> Scene:
        return Archived(folder, self.size)

    def then(self, root: Path) -> Sequence[str | Sequence[str]]:
        return (bringing(root, self.scene.account), DOWNLOAD)

    def outside(self, root: Path) -> Any:
        return None

    def restore(self, root: Path, outside: Any) -> None:
        for name in (*BOXES, "archive.mbox"):
            source = self.scene.prepared / name
            if source.is_dir():
                shutil.copytree(source, root / name, copy_function=os.link)
            else:
                os.link(source, root / name)

    def early(self, root: Path) -> list[str]:
        return []  # The file of mails stays as it is.

    def act(self, root: Path, recorder: Recorder) -> Any:
        done = trials.flask(root, *bringing(root, self.scene.account))
        assert done["code"] == 0, done
        recorder.said("exit 0")
        return done

    def golden(self, root: Path, traced: Traced) -> None:
        self.stories = [checker.story(root / "data"), noted(root)]

    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        data, (story, notes) = root / "data", self.stories
        wrong = [*checker.faults(data, self.scene.given), *checker.in_order(data, self.scene.parents)]
        wrong += checker.differences(checker.story(data), story)
        return wrong if noted(root) == notes else [*wrong, f"other: the import is noted as {noted(root)}, not {notes}"]


class Backup(Verb):
    """The store is copied, where an earlier copy lies: at any moment one of the two is there, and it is whole."""

    def prepare(self) -> None:
        super().prepare()
        done = trials.run(self.scene.prepared, self.then(self.scene.prepared)[0])
        if done.code != 0:
            raise RuntimeError(str(done.result))

    def then(self, root: Path) -> Sequence[str | Sequence[str]]:
        return (("backup", str(root / "backup"), "--json"), DOWNLOAD)

    def act(self, root: Path, recorder: Recorder) -> Any:
        done = trials.flask(root, *self.then(root)[0])
        assert done["code"] == 0, done
        recorder.said("exit 0")
        return done

    def golden(self, root: Path, traced: Traced) -> None:
        self.stories = [checker.story(root / "data")] * 2

    def early(self, root: Path) -> list[str]:
        copies = [path for path in (root / "backup", *root.glob(".backup.before-*")) if (path / MARK).exists()]
        wanted = set(checker.bytes_of_all(root / "data"))
        if any(wanted <= set(checker.bytes_of_all(copy / "data")) for copy in copies):
            return []
        return [f"lost: no backup is whole: {[path.name for path in copies]}"]

    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        left = [path.name for path in root.glob(".backup*")]
        wrong = [f"other: {name} was left behind" for name in left]
        return [*wrong, *self.early(root), *super().check(root, world, traced)]


def post(name: str) -> type[Post]:
    """The command that is the post of this name."""
    return type(f"Post-{name}", (Post,), {"steps": WEB[name], "__doc__": f"The post {name}."})


COMMANDS: dict[str, type[Command]] = {
    "power-download-maildir": Download,
    "power-download-imap": DownloadImap,
    "power-download-pop3": DownloadPop3,
    "power-send": Send,
    "power-assign": Assign,
    **{f"power-{name}": post(name) for name in WEB},
    "power-import": Import,
    "power-backup": Backup,
}
