"""Whether a mail from a file is here already, and what becomes of one that an undone import put away.

Flows in: keys of mails. Flows out: where they are; and mail of the pool, on its way to be decided anew.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from eventum.errors import EventumError
from eventum.issues.accounts import Account
from eventum.mail.envelope import HEAD, Envelope, read_head
from eventum.store import files
from eventum.store.imports import source_of
from eventum.store.maildir import keys
from eventum.store.pool import record_of
from eventum.tracker.tracker import Tracker

PATIENCE = 60.0  # Seconds for which another run may go on deciding.

Place = Literal["", "here", "put away"]


class Here:
    """What is here of the mail of one account; for a thread of its own, so with its own connection to the index."""

    def __init__(self, tracker: Tracker, account: Account) -> None:
        self._tracker = tracker
        self._account = account
        self._index = tracker.index.another(tracker.index.path)
        self._dead = set(keys(tracker.layout.dead))

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def place(self, key: str) -> Place:
        """Where the mail is: nowhere, here, or put away by the undoing of an import."""
        if key in self._dead or self._index.filed(key) is not None:
            return "here"
        pooled = self._index.pooled(key)
        if pooled is None:
            return ""
        # A run that died when it had just taken it up again left the index with it: `take_up_again` tells it.
        is_gone = self._tracker.pool.outcome(self._account.id, key) is None
        return "put away" if is_gone or (pooled[1] == "removed" and self._was_undone(key)) else "here"

    def _was_undone(self, key: str) -> bool:
        with suppress(EventumError):
            path = self._tracker.pool.path(self._account.id, key)
            trace = read_head(files.read_head(path, HEAD))
            ident = source_of(trace.source) if isinstance(trace, Envelope) else ""
            return bool(ident) and self._tracker.imports.load(ident).undoing is not None
        return False

    def take_up_again(self, mails: Sequence[tuple[Envelope, bytes]], again: Sequence[str]) -> None:
        """Keep mails, some of which lie in the pool: these must be gone there before somebody asks whether they are.

        Raises `Busy`.
        """
        tracker = self._tracker
        with tracker.locks.record("incoming", timeout=PATIENCE), tracker.locks.record("pool"):
            tracker.spool.accept(mails)
            lines = [(record_of(self._account.id, key), 0) for key in again]
            tracker.maker.journal(lines)
            for key in again:
                tracker.pool.take(self._account.id, key)
            # Again, for an index that followed the lines above before the mails were taken.
            tracker.maker.journal(lines)
