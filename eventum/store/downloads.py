"""How far the last run of each account came, for whoever looks at it while it goes, and what a run that was started
from the browser said.

Flows in and out: one small record an account under `state/downloads/`, and beside it the output of a started run.
Losing them costs nothing. The run notes under its maker's id, so whether it still lives can be told by that lease.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker

LAST_WORDS = 2000  # Bytes of the output that are shown.


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one account: asked for by a person, or begun by cron."""

    schema: int = 1
    maker: str = ""  # Who fetches; "" until it begins.
    asked: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    waiting: int = -1  # Mails there are to be fetched; -1 until that is known.
    fetched: int = 0
    outcomes: dict[str, int] = {}
    error: str = ""


class Downloads:
    """The runs of one store, by account."""

    def __init__(self, layout: Layout, locks: Locks, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker

    def of(self, account: str) -> Progress:
        """The last run; an empty one when there was none, or its note cannot be used."""
        try:
            return records.load(self._layout.download_of(account), Progress).value
        except (NotFound, Damaged):
            return Progress()

    def note(self, account: str, progress: Progress) -> None:
        """Note how far it is."""
        path = self._layout.download_of(account)
        if not path.parent.exists():  # A store that was made before there were such notes.
            files.make_folders([path.parent])
        self._maker().replace(path, records.encode(progress), durable=False)

    def lives(self, progress: Progress) -> bool:
        """Whether the run goes on: it has not ended, and its process holds its lease."""
        return bool(progress.maker) and progress.ended is None and self._locks.is_held(progress.maker)

    def output(self, account: str) -> BinaryIO:
        """Where a started run writes what it says; what the one before said is forgotten. To be closed."""
        return open(self._log(account), "wb", opener=_private)

    def last_words(self, account: str) -> str:
        """The end of what a started run said."""
        try:
            return files.read(self._log(account))[-LAST_WORDS:].decode("utf-8", "replace")
        except NotFound:
            return ""

    def _log(self, account: str) -> Path:
        return self._layout.download_of(account).with_suffix(".log")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, files.FILE_MODE)
