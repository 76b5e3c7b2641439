"""How much room the disk of a store has left.

Flows in: a path. Flows out: bytes and files that can still be made there. What is too little, `tracker/room` says.
"""

import os
from pathlib import Path

import msgspec


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What is free for us on one file system; `files` is None where it does not count them."""

    free: int
    total: int
    files: int | None
    all_files: int = 0

    @property
    def part_of_files(self) -> float:
        """Which part of its files may still be made."""
        return 1.0 if self.files is None else self.files / self.all_files


def measured(path: Path) -> Room:
    """The room there is now. Raises `OSError`."""
    found = os.statvfs(path)
    return Room(
        free=found.f_bavail * found.f_frsize,
        total=found.f_blocks * found.f_frsize,
        files=found.f_favail if found.f_files else None,
        all_files=found.f_files,
    )
