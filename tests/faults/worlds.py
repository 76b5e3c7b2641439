"""A disk as it could be when the power went: what was made durable, and as much of the rest as a file system may keep.

In flow what a store held before and the operations of a run, out flow trees of files: for each operation the worlds in
which the power went right before it. Nothing here knows what a file means.

What POSIX promises, and ext4, xfs and btrfs keep: the content of a file is there once it was fsynced through any of its
descriptors; a name (made, removed, renamed) is there once its folder was fsynced after that; a folder that nobody
fsynced the parent of may be missing with all that is in it. A rename is one step of a file system: it never loses the
file, though where folders are written one by one it may have both names. A link is a name like any other. Nothing else
may be counted on, in no order: not that an older change is there when a newer one is, except within one folder.

    strict   only contents that were fsynced, only names whose folder was; a renamed file has both names until both are
    journal  all names as they were at the last fsync of anything (what one journal for all keeps), contents as above
    names    all names made so far; a content that was not fsynced is empty
    half     all names made so far; of a content that was not fsynced the first half is there
    newest   what was named or unnamed last is as it is now, of all other folders only what is sure
    mixed    each folder as it was at some moment of its own since its fsync; contents half, empty, zeros or whole
"""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.recording import Op

KINDS = ("strict", "journal", "names", "half", "newest", "mixed")

Tree = dict[str, tuple[bytes, int, int] | None]
"""Path -> (content, time of last change in nanoseconds, which file it is a name of); None for a folder."""


class File:
    """One file, under however many names."""

    def __init__(self, data: bytes = b"", changed: int = 0, *, kept: bool = False) -> None:
        self.data, self.changed = data, changed
        self.kept = data if kept else None  # what is surely on the disk
        self.kept_changed = changed

    @property
    def is_safe(self) -> bool:
        """Whether all of it was fsynced."""
        return self.kept is not None and self.kept == self.data

    def write(self, at: int, data: bytes) -> None:
        """Write at a place."""
        self.data = self.data[:at].ljust(at, b"\0") + data + self.data[at + len(data) :]

    def sync(self) -> None:
        """Make it durable."""
        self.kept, self.kept_changed = self.data, self.changed

    def least(self) -> bytes:
        """What is surely there, nothing when the content never was made durable."""
        return self.kept or b""

    def half(self, filled: bool = False) -> bytes:
        """What is surely there and half of what came behind it; `filled`: its place is taken, its bytes are zeros."""
        if self.is_safe:
            return self.data
        sure = self.least() if self.data.startswith(self.least()) else b""
        rest = self.data[len(sure) :]
        return sure + (b"\0" * len(rest) if filled else rest[: len(rest) // 2])


class Change:
    """One change of a folder that may not be on the disk yet; `node` None takes the name away.

    `after` is the other half of a rename, without which this one is not done.
    """

    def __init__(self, name: str, node: "File | Folder | None", after: "tuple[Folder, Change] | None" = None) -> None:
        self.name, self.node, self.after = name, node, after

    def do(self, names: "Names") -> None:
        """Do it to these names."""
        if self.node is None:
            names.pop(self.name, None)
        else:
            names[self.name] = self.node


class Folder:
    """One folder: its names now, those that are surely on the disk, and what changed since."""

    def __init__(self) -> None:
        self.now: Names = {}
        self.kept: Names = {}
        self.pending: list[Change] = []

    def change(self, change: Change) -> Change:
        """Change the names."""
        change.do(self.now)
        self.pending.append(change)
        return change

    def sync(self) -> None:
        """Make the names durable; a file that was renamed away from here must have its other name first."""
        done, self.pending = self.pending, []
        for change in done:
            if change.after is not None:
                folder, arrival = change.after
                folder.arrive(arrival)
            change.do(self.kept)

    def arrive(self, change: Change) -> None:
        """Make one name durable before its turn; what happened to that name before is of no account then."""
        if change in self.pending:
            at = self.pending.index(change)
            change.do(self.kept)
            self.pending = [one for n, one in enumerate(self.pending) if n > at or one.name != change.name]


Names = dict[str, File | Folder]


class Disk:
    """A disk that operations are done to."""

    def __init__(self, tree: Tree) -> None:
        self.root = Folder()
        self._handles: dict[int, File | Folder] = {}
        files: dict[int, File] = {}
        for path in sorted(tree):
            folder, name = self._at(path)
            held = tree[path]
            if held is None:
                folder.now[name] = folder.kept[name] = Folder()
                continue
            data, changed, which = held
            folder.now[name] = folder.kept[name] = files.setdefault(which, File(data, changed, kept=True))
        self.journal = self._names()
        self._newest: tuple[Folder, ...] = ()

    def _at(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self.root
        for part in above.split("/") if above else ():
            found = folder.now[part]
            assert isinstance(found, Folder), path
            folder = found
        return folder, name

    def do(self, op: Op) -> None:
        """Do one operation."""
        match op.kind:
            case "open":
                self._open(op)
            case "write" | "truncate" | "utime":
                file = self._handles[op.handle]
                assert isinstance(file, File)
                if op.kind == "write":
                    file.write(op.at, op.data)
                elif op.kind == "utime":
                    file.changed = op.at
                else:
                    file.data = file.data[: op.at].ljust(op.at, b"\0")
            case "sync":
                self._handles[op.handle].sync()
                self.journal = self._names()
            case "rename":
                self._rename(op)
            case "link":
                folder, name = self._at(op.path)
                target, new = self._at(op.other)
                target.change(Change(new, folder.now[name]))
                self._newest = (target,)
            case "unlink" | "rmdir":
                folder, name = self._at(op.path)
                folder.change(Change(name, None))
                self._newest = (folder,)
            case "mkdir":
                folder, name = self._at(op.path)
                folder.change(Change(name, Folder()))
                self._newest = (folder,)

    def _open(self, op: Op) -> None:
        if not op.path:
            self._handles[op.handle] = self.root
            return
        folder, name = self._at(op.path)
        if name not in folder.now:
            folder.change(Change(name, File()))
            self._newest = (folder,)
        held = self._handles[op.handle] = folder.now[name]
        if op.at & os.O_TRUNC and isinstance(held, File):
            held.data = b""

    def _rename(self, op: Op) -> None:
        source, name = self._at(op.path)
        target, new = self._at(op.other)
        if target.now.get(new) is source.now[name]:
            return  # Two names of one file: rename does nothing then, says POSIX.
        made = target.change(Change(new, source.now[name]))
        source.change(Change(name, None, (target, made)))
        self._newest = (source, target)

    def _folders(self) -> Iterator[Folder]:
        """Every folder there is or was, since one that was removed may come back."""
        seen: dict[int, Folder] = {}
        left = [self.root]
        while left:
            folder = left.pop()
            if id(folder) in seen:
                continue
            seen[id(folder)] = folder
            nodes = [*folder.now.values(), *folder.kept.values(), *(change.node for change in folder.pending)]
            left += [node for node in nodes if isinstance(node, Folder)]
        return iter(seen.values())

    def _names(self) -> dict[int, Names]:
        return {id(folder): dict(folder.now) for folder in self._folders()}

    def all(self) -> Tree:
        """What a program sees while the power is there."""
        return _tree(self.root, lambda folder: folder.now, lambda file: file.data)

    def world(self, kind: str, chance: random.Random) -> Tree:
        """The disk after a power cut now."""
        if kind == "strict":
            return _tree(self.root, lambda folder: folder.kept, File.least)
        if kind == "journal":
            journal = self.journal
            return _tree(self.root, lambda folder: journal.get(id(folder), {}), File.least)
        if kind == "names":
            return _tree(self.root, lambda folder: folder.now, File.least)
        if kind == "half":
            return _tree(self.root, lambda folder: folder.now, File.half)
        if kind == "newest":
            newest = self._some(lambda folder: len(folder.pending) if folder in self._newest else 0)
            return _tree(self.root, lambda folder: newest[id(folder)], File.least)
        mixed = self._some(lambda folder: chance.randint(0, len(folder.pending)))
        ways: dict[int, Callable[[File], bytes]] = {}

        def content(file: File) -> bytes:
            if id(file) not in ways:
                some = (File.least, File.half, lambda file: file.half(filled=True), lambda file: file.data)
                ways[id(file)] = chance.choice(some)
            return ways[id(file)](file)

        return _tree(self.root, lambda folder: mixed[id(folder)], content)

    def _some(self, count: Callable[[Folder], int]) -> dict[int, Names]:
        """The names of each folder with so many of its changes; who has lost a file to a rename has seen it arrive."""
        folders = list(self._folders())
        came = {id(folder): count(folder) for folder in folders}
        moved = True
        while moved:
            moved = False
            for folder in folders:
                for change in folder.pending[: came[id(folder)]]:
                    other, arrival = change.after or (folder, change)
                    if arrival in other.pending and other.pending.index(arrival) >= came[id(other)]:
                        came[id(other)], moved = other.pending.index(arrival) + 1, True
        names = {id(folder): dict(folder.kept) for folder in folders}
        for folder in folders:
            for change in folder.pending[: came[id(folder)]]:
                change.do(names[id(folder)])
        return names


def _tree(root: Folder, names: Callable[[Folder], Names], content: Callable[[File], bytes]) -> Tree:
    tree: Tree = {}
    left = [("", root)]
    while left:
        above, folder = left.pop()
        for name, node in sorted(names(folder).items()):
            path = f"{above}{name}"
            if isinstance(node, Folder):
                tree[path] = None
                left.append((f"{path}/", node))
            else:
                data = content(node)
                tree[path] = (data, node.kept_changed if data == node.kept else node.changed, id(node))
    return tree


class World(NamedTuple):
    """One world: its name, before which operation the power went, and what there was then."""

    name: str
    before: int
    tree: Tree
    outside: int
    cache: int


def worlds(before: Tree, ops: Sequence[Op]) -> tuple[int, list[World]]:
    """How many worlds there are, and each that differs from those before it, in its files or in what is outside."""
    disk, count, seen, found = Disk(before), 0, set[int](), list[World]()
    # To open what is there changes nothing: the world before it is that before the next operation.
    here = {at for at, op in enumerate(ops) if op.kind != "open" or op.at} | {len(ops)}
    ending = ops[-1]._replace(kind="said") if ops else Op("said")
    for at, op in enumerate([*ops, ending]):
        if at in here:
            for kind in KINDS:
                count += 1
                tree = disk.world(kind, random.Random(f"{kind} {at}"))
                files = ((path, held and held[0]) for path, held in tree.items())
                digest = hash((frozenset(files), op.outside))
                if digest not in seen:
                    seen.add(digest)
                    found.append(World(f"{kind}-{at}", at, tree, op.outside, op.cache))
        disk.do(op)
    return count, found


def tree_of(folder: Path) -> Tree:
    """What lies in a folder, durable since long."""
    tree: Tree = {}
    for path in folder.rglob("*"):
        about = path.stat()
        held = None if path.is_dir() else (path.read_bytes(), about.st_mtime_ns, about.st_ino)
        tree[str(path.relative_to(folder))] = held
    return tree


def build(folder: Path, tree: Tree, was: bytes = b"", here: bytes = b"") -> None:
    """Make these files; where a content names the folder the run had (`was`), it names this one, as long a name."""
    assert len(was) == len(here)
    folder.mkdir(mode=0o700)
    made: dict[int, str] = {}
    for path in sorted(tree):
        held, place = tree[path], f"{folder}/{path}"
        if held is None:
            os.mkdir(place, 0o700)
            continue
        data, changed, which = held
        if which in made:
            os.link(made[which], place)
            continue
        made[which] = place
        fd = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, data.replace(was, here) if was else data)
        os.utime(fd, ns=(changed, changed))
        os.close(fd)
