"""Whether this store lies where it lay: a copy, or one that was put back from a backup, is noticed at its first run.

Flows in: the layout. Flows out: yes or no. `state/place.json` notes the inode of `state/store.json` and when that was
changed, which no copying program can set. Being wrong costs one look over the store that was not needed.
"""

import os

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import records
from eventum.store.layout import Layout
from eventum.store.maker import Maker


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What was noted of `state/store.json`."""

    schema: int = 1
    inode: int
    changed_ns: int


def is_noted(layout: Layout) -> bool:
    """Whether the store is the one whose place was noted last."""
    try:
        return records.load(layout.place, Place).value == _now(layout)
    except (NotFound, Damaged):  # Nothing stands on it but one look more.
        return False


def note(layout: Layout, maker: Maker) -> None:
    """It lies here now."""
    maker.replace(layout.place, records.encode(_now(layout)))


def _now(layout: Layout) -> Place:
    status = os.stat(layout.store)
    return Place(inode=status.st_ino, changed_ns=status.st_ctime_ns)
