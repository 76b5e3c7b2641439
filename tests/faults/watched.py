"""A command that is watched: what it is run on, what it did to the disk and said to others, and what must be true then.

In flow a scene, out flows a `Traced`: the files before, each operation, and how it looked outside and in the cache.
Which commands there are stands in `deeds`; what a power cut makes of a trace, in `power`; its order, in `lint`.
"""

import json
import marshal
import os
import shutil
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import mailbox, trials, worlds
from tests.faults.recording import Op, Recorder
from tests.faults.trials import Far, Scene
from tests.faults.worlds import Tree, World

DOWNLOAD, QUEUE = "download-emails", "process-queue"
BOXES = ("box", "other")
# What lies beside the store and is not on the disk that is cut off: mailboxes, the cache, what trials note.
BESIDE = (*BOXES, "archive.mbox", "cache", "output.txt", "answer.json", "trace.bin")

Files = dict[str, bytes]


class Traced(NamedTuple):
    """One watched run: what there was before, what it did, and what it looked like outside and in the cache."""

    root: bytes  # the folder it ran in
    before: Tree
    ops: list[Op]
    outsides: list[Any]
    caches: list[Files]
    result: Any


class Command:
    """What a row watches: a command on a prepared scene, what goes on afterwards, and what must be true then."""

    after: Sequence[str] = (DOWNLOAD,)
    count = 12
    kinds: Sequence[str] = mailbox.KINDS
    far = Far()

    def __init__(self, folder: Path) -> None:
        self.scene = self.made(folder)
        self.prepare()

    def made(self, folder: Path) -> Scene:
        """The scene it is run on."""
        return Scene(folder, self.count, self.kinds, far=self.far)

    def then(self, root: Path) -> Sequence[str | Sequence[str]]:
        """What runs when the power is back."""
        return self.after

    def prepare(self) -> None:
        """Make the store what the command is to be run on."""

    def ready(self, root: Path) -> None:
        """Before the run that is watched: what it needs in its folder."""

    @abstractmethod
    def act(self, root: Path, recorder: Recorder) -> Any:
        """Run the command in this process, which is watched; each yes is noted with the recorder."""

    def outside(self, root: Path) -> Any:
        """What others hold at this moment, as JSON can say it."""
        return {name: sorted(str(path.relative_to(root)) for path in _mails(root / name)) for name in BOXES}

    def restore(self, root: Path, outside: Any) -> None:
        """Let others hold that."""
        shutil.copytree(self.scene.prepared / "other", root / "other", copy_function=os.link)
        shutil.copytree(self.scene.prepared / "box", root / "box", copy_function=os.link)
        for path in _mails(root / "box"):
            name = str(path.relative_to(root))
            if f"{name},D" in outside["box"]:
                path.rename(f"{path},D")
            elif name not in outside["box"]:
                path.unlink()

    def golden(self, root: Path, traced: Traced) -> None:
        """Keep what must be known of the undisturbed run, which just ended in this folder."""

    def early(self, root: Path) -> list[str]:
        """What is wrong right after the cut."""
        return self.scene.lost(root)

    def twice(self, root: Path) -> int:
        """How many mails were sent a second time."""
        return 0

    @abstractmethod
    def check(self, root: Path, world: World, traced: Traced) -> list[str]:
        """What is wrong when all has gone on, beside what `trials.afterwards` finds."""

    def close(self) -> None:
        """End what serves it."""
        self.scene.close()


def _mails(box: Path) -> Iterator[Path]:
    yield from box.glob("*.eml*")
    yield from box.glob("new/*")
    yield from box.glob("cur/*")


def place(command: Command) -> Path:
    """The folder of this process; all such names have the same length."""
    return command.scene.folder / f"root-{os.getpid():010d}"


def said_of(root: Path, outside: Callable[[], Any]) -> Recorder:
    """A recorder for a run in this folder."""
    return Recorder(root, outside, root / "cache")


def traced(command: Command, broken: Callable[[], None] = lambda: None, *, golden: bool = True) -> Traced:
    """Run the command once, watched; then say what it did."""
    root = place(command)
    copied(command, root)
    command.ready(root)
    before = _tree(root)
    notes = root / "trace.bin"

    def body() -> int:
        broken()
        recorder = Recorder(root, lambda: command.outside(root), root / "cache")
        recorder.install()
        result = command.act(root, recorder)
        recorder.said("end")
        ops = [_told(op) for op in changing(recorder.ops)]
        save(notes, Traced(os.fsencode(root), before, ops, recorder.outsides, recorder.caches, result))
        return 0

    done = trials.forked(body, root)
    if done.code != 0:
        raise RuntimeError((root / "output.txt").read_text())
    found = load(notes)
    if golden:
        command.golden(root, found)
    shutil.rmtree(root)
    return found


def changing(ops: Sequence[Op]) -> list[Op]:
    """The operations without the files that were opened to be read only."""
    used = {op.handle for op in ops if op.kind != "open"}
    return [op for op in ops if op.kind != "open" or op.at or op.handle in used]


def _told(op: Op) -> Op:
    """An operation on the store; what is done elsewhere is something said to others."""
    if op.kind == "said" or not _is_beside(op.path):
        return op
    return op._replace(kind="said", path=f"{op.kind} {op.path}")


def save(path: Path, found: Traced) -> None:
    """Keep it for the process that waits for this one."""
    plain = (found.root, found.before, [tuple(op) for op in found.ops], *found[3:])
    path.write_bytes(marshal.dumps(plain))


def load(path: Path) -> Traced:
    """What `save` kept."""
    root, before, ops, *rest = marshal.loads(path.read_bytes())
    return Traced(root, before, [Op(*op) for op in ops], *rest)


def _tree(root: Path) -> Tree:
    whole = worlds.tree_of(root)
    return {path: held for path, held in whole.items() if not _is_beside(path)}


def _is_beside(path: str) -> bool:
    return path.partition("/")[0] in BESIDE


def copied(command: Command, root: Path) -> None:
    """A copy of the prepared folder under this name, at home there."""
    if root.exists():
        shutil.rmtree(root)
    if os.spawnvp(os.P_WAIT, "cp", ["cp", "-a", str(command.scene.prepared), str(root)]) != 0:
        raise RuntimeError("cp failed")
    at_home(root, always=True)
    for path in (*(root / "data/settings/accounts").iterdir(), *(root / "data/state/fetch").glob("*.json")):
        path.write_text(path.read_text().replace(f"{command.scene.prepared}/", f"{root}/"))


def at_home(root: Path, *, always: bool = False) -> None:
    """Let the store lie where it lay: after a power cut it is no copy, of which more would be put right.

    Where a world has lost the note of that it stays lost, unless `always`.
    """
    note, store = root / "data/state/place.json", root / "data/state/store.json"
    if not store.exists() or not (always or (note.exists() and note.stat().st_size)):
        return
    about = store.stat()
    note.write_text(json.dumps({"schema": 1, "inode": about.st_ino, "changed_ns": about.st_ctime_ns}))
