"""A folder of small records, one JSON file each, read as a whole: users, projects, accounts.

Flows in: values with `id` and `revision`. Flows out: all of them, from memory while the folder is unchanged. Who may
change a record holds its lock already; what a record means is not known here.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from eventum.errors import Conflict, Damaged, NotFound, Refused
from eventum.store import files, records
from eventum.store.flush import Flush
from eventum.store.layout import checked
from eventum.store.records import Stored

Item = TypeVar("Item", bound=msgspec.Struct)

# A file changed twice within one tick of the kernel's clock keeps its time; until this is over nothing is believed.
TICK_NS = 50_000_000
# Somebody may edit a file in place, which does not touch the folder: after this every file is looked at again.
GLANCE = 2.0  # Seconds.
MIN_PREFIX = 8  # Characters of an id that are enough to name a thing.


class _Seen(NamedTuple, Generic[Item]):
    stamp: tuple[int, int, int]
    stored: Stored[Item]


class RecordFolder(Generic[Item]):
    """All records of one kind."""

    def __init__(self, path: Path, kind: type[Item]) -> None:
        self._path = path
        self._kind = kind
        self._seen: dict[str, _Seen[Item]] = {}
        self._folder_ns = -1
        self._looked = -GLANCE
        self._all: Mapping[str, Item] = {}
        self._damaged: Mapping[str, str] = {}

    def all(self) -> Mapping[str, Item]:
        """Every record by id, in the order of ids; the same object as before while nothing changed.

        Raises `Damaged` for a file that cannot be used.
        """
        usable = self.usable()
        for sentence in self._damaged.values():
            raise Damaged(sentence)
        return usable

    def damaged(self) -> Mapping[str, str]:
        """What is wrong with the files that cannot be used, by id; a sentence each."""
        self.usable()
        return self._damaged

    def usable(self) -> Mapping[str, Item]:
        """As `all`, without those that `damaged` names: one broken file need not stop what does not ask for it."""
        folder_ns = files.modified_ns(self._path)
        unchanged = folder_ns == self._folder_ns and time.time_ns() - folder_ns > TICK_NS
        if not unchanged or time.monotonic() - self._looked > GLANCE:
            self._look()
            self._folder_ns, self._looked = folder_ns, time.monotonic()
        return self._all

    def _look(self) -> None:
        seen: dict[str, _Seen[Item]] = {}
        damaged: dict[str, str] = {}
        changed = False
        for entry in sorted(files.listing(self._path), key=lambda entry: entry.name):
            if entry.name.startswith(".") or not entry.name.endswith(".json"):
                continue
            try:
                status = entry.stat()
                stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                before = self._seen.get(entry.name)
                if before is None or before.stamp != stamp:
                    before, changed = _Seen(stamp, records.load(Path(entry.path), self._kind)), True
            except (FileNotFoundError, NotFound):  # Removed since the folder was listed.
                continue
            except Damaged as error:  # Told when somebody asks for it.
                damaged[entry.name.removesuffix(".json")] = str(error)
                continue
            seen[entry.name] = before
        self._damaged = damaged
        if changed or len(seen) != len(self._seen):
            self._seen = seen
            self._all = {name.removesuffix(".json"): item.stored.value for name, item in seen.items()}

    def put(self, item: Item) -> Item:
        """Write a record with its next revision; the caller holds its lock. What was written is returned.

        Raises `Conflict` when the record's revision is no more the one the change was made from.
        """
        name = str(getattr(item, "id"))  # noqa: B009 - `id` is a field of every record of a folder.
        path = self._path / f"{checked(name)}.json"
        revision = getattr(item, "revision", 0)
        try:
            before = records.load(path, self._kind)
        except NotFound:
            before = None
        if revision != (getattr(before.value, "revision", 0) if before else 0):
            raise Conflict(f"{path} was changed by somebody else meanwhile; look at it and try again.")
        item = msgspec.structs.replace(item, revision=revision + 1)
        files.atomic_write(path, records.encode(item, before))
        self._folder_ns = -1
        return item

    def remove(self, name: str) -> None:
        """Take a record away for good; the caller holds its lock."""
        files.remove(self._path / f"{checked(name)}.json")
        with Flush() as flush:
            flush.folder(self._path)
        self._folder_ns = -1


def by_id(folder: RecordFolder[Item], name: str) -> Item | None:
    """The record with this id or the only one whose id starts so (8 characters or more); None when there is none.

    Raises `Refused` when several start so, `Damaged` when the file cannot be used.
    """
    usable, damaged = folder.usable(), folder.damaged()
    found = {key for key in (*usable, *damaged) if key == name or (len(name) >= MIN_PREFIX and key.startswith(name))}
    if len(found) > 1 and name not in found:
        raise Refused(f"{name} is the beginning of {len(found)} ids; give more of it.")
    if not found:
        return None
    key = name if name in found else found.pop()
    if key in damaged:
        raise Damaged(damaged[key])
    return usable[key]
