"""How an index keeps up: it follows the journals from where it was, or reads the whole store when that says nothing.

Flows in: journal lines, and the records they name, read without a lock. Flows out: rows, in a transaction of the index.

It notes how far it has read each journal; anything that does not fit means a full scan. A line whose revision the
record does not show yet stays pending until it does, or until nobody can be writing it any more.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from eventum.errors import Damaged, NotFound
from eventum.store import fulltext, journal
from eventum.store.index_rows import take_issue, take_pooled
from eventum.store.index_tables import TABLES
from eventum.store.issues import IssueStore
from eventum.store.journal import Mark
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.pool import Pool, record_of

PENDING_FOR = 24 * 3600  # Seconds after which a line whose issue never appeared is given up.


class Following:
    """What an index does to keep up; `Index` has the connection."""

    def __init__(self, store_id: str, layout: Layout, *, locks: Locks, issues: IssueStore, pool: Pool) -> None:
        self._store_id = store_id
        self._layout = layout
        self._locks = locks
        self._issues = issues
        self._pool = pool

    @property
    def _db(self) -> sqlite3.Connection:
        raise LookupError("only an open index follows")

    def _transaction(self) -> AbstractContextManager[None]:
        raise LookupError("only an open index follows")

    def _follow_all(self) -> None:
        marks, read = journal.standing(self._layout), self._read_so_far()
        if read is not None and read == marks and not self._has_pending():
            return
        with self._transaction():
            marks, read = journal.standing(self._layout), self._read_so_far()
            if read is None or journal.is_missed(self._layout, marks, read):
                self._scan(marks)
                return
            changed = {record: (revision, since) for record, revision, since in self._pending()}
            self._db.execute("DELETE FROM pending")
            wanted = [name for name in marks if name not in read or read[name].length < marks[name].length]
            if not all([self._follow(name, marks[name], read.get(name), changed) for name in wanted]):
                self._scan(marks)  # What a damaged line told of is not known.
                return
            self._db.executemany("DELETE FROM journals WHERE name = ?", [(name,) for name in read if name not in marks])
            for record, (revision, since) in changed.items():
                self._again(record, revision, since)

    def _read_so_far(self) -> dict[str, Mark] | None:
        """How far each journal was read; None when this is not the index of this store in this form."""
        meta = dict(self._db.execute("SELECT name, value FROM meta"))
        if meta.get("store") != self._store_id:
            return None
        return {name: Mark(*mark) for name, *mark in self._db.execute("SELECT name, position, inode FROM journals")}

    def _has_pending(self) -> bool:
        return self._db.execute("SELECT 1 FROM pending LIMIT 1").fetchone() is not None

    def _pending(self) -> list[tuple[str, int, float]]:
        return self._db.execute("SELECT record, revision, since FROM pending").fetchall()

    def _follow(self, name: str, mark: Mark, read: Mark | None, changed: dict[str, tuple[int, float]]) -> bool:
        """Note what changed by one journal; False when something of it says nothing, so that anything may have."""
        position, is_whole = read.length if read else 0, True
        try:
            for end, line in journal.read_from(self._layout, name, position):
                if line is not None:
                    record, revision = line
                    changed[record] = (max(revision, changed.get(record, (0, 0.0))[0]), time.time())
                elif end - position > 1:  # More than the newline that ends a line of a writer that died.
                    is_whole = False
                position = end
        except PermissionError:  # Nobody can have written to it either, but before it was so.
            position, is_whole = mark.length, False
        self._db.execute("INSERT OR REPLACE INTO journals VALUES (?, ?, ?)", (name, position, mark.inode))
        return is_whole

    def _scan(self, marks: Mapping[str, Mark], told: Callable[[int], None] = lambda count: None) -> None:
        """Read the whole store; `told` hears how many issues were read."""
        for table in ("meta", "journals", "pending", "stamps", *TABLES):
            self._db.execute(f"DELETE FROM {table}")
        fulltext.forget(self._db)
        changed: dict[str, tuple[int, float]] = {}
        for name, mark in marks.items():
            self._follow(name, mark, None, changed)
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", [("store", self._store_id)])
        for count, number in enumerate(self._issues.numbers(), 1):
            told(count)
            # What is damaged or half removed is looked at again later; the rest of the store goes on working.
            self._again(f"issues/{number}", 0, time.time())
        for account in self._pool.accounts():
            for key, _ in self._pool.entries(account):
                self._again(record_of(account, key), 0, time.time())
        # Of a change that is being made just now the line was there and the record, when it was read, was not.
        revisions = dict(self._db.execute("SELECT number, revision FROM issues"))
        for record, (revision, since) in changed.items():
            kind, _, rest = record.partition("/")
            if kind == "issues" and revisions.get(int(rest), 0) < revision:
                self._again(record, revision, since)

    def _again(self, record: str, revision: int, since: float) -> None:
        kind, _, rest = record.partition("/")
        is_done = True
        if kind == "pool":
            account, _, key = rest.partition("/")
            is_done = take_pooled(self._db, self._pool, account, key)
        elif kind == "issues":
            is_done = self._read_changed(int(rest), revision, since)
        if not is_done:
            self._db.execute("INSERT INTO pending VALUES (?, ?, ?)", (record, revision, since))

    def _read_changed(self, number: int, revision: int, since: float) -> bool:
        """Whether nothing more is to be expected of this line."""
        try:
            if take_issue(self._db, self._issues, number) >= revision:
                return True
            # The writer has the issue's lock until its record is replaced: when it is free, the writer died before.
            return self._locks.is_free(number) and take_issue(self._db, self._issues, number) >= 0
        except NotFound:
            return not -PENDING_FOR < time.time() - since < PENDING_FOR
        except Damaged:  # Whoever mends it writes no line, so it is looked at again until he has.
            return False
