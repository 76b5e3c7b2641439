"""The derived index in the cache: lists, filters and look-ups of mail in O(log n). Delete it and nothing is lost.

Flows in: journal lines, and the records they name. Flows out: rows. Nobody who changes a record touches the index: it
follows the journals from its own positions and reads the records again, without a lock.

It holds the id of its store and how far it has read each journal; anything that does not fit means a full scan. A line
whose revision the record does not show yet stays pending until it does, or until nobody can be writing it any more.
"""

import contextlib
import hashlib
import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from eventum.errors import Busy, Damaged, NotFound
from eventum.store import files, fulltext, journal
from eventum.store.index_lists import Lists
from eventum.store.index_pool import PoolLists
from eventum.store.index_rows import take_issue, take_pooled
from eventum.store.index_tables import SCHEMA, TABLES
from eventum.store.index_texts import Texts
from eventum.store.issues import IssueStore
from eventum.store.journal import Mark
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.pool import Pool, record_of

# Tables of another form are thrown away: they are derived.
FORM = int(hashlib.sha256(f"{SCHEMA}{fulltext.SCHEMA}".encode()).hexdigest()[:7], 16)
BESIDE = ".new-"  # And a process's number: an index that is being made.
TRIES = 10  # Of reading the journals while others go on to the next file.
PENDING_FOR = 24 * 3600  # Seconds after which a line whose issue never appeared is given up.


class Index(Lists, PoolLists, Texts):
    """The index of one store for this host and user."""

    def __init__(
        self, path: Path, store_id: str, layout: Layout, *, locks: Locks, issues: IssueStore, pool: Pool
    ) -> None:
        self._path = path
        self._store_id = store_id
        self._layout = layout
        self._locks = locks
        self._issues = issues
        self._pool = pool
        self._connection: sqlite3.Connection | None = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        files.make_folders([self._path.parent])
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError:  # Not a database, or half of one: it is derived, so make it anew.
            self._delete()
            return self._connect()

    def _unusable(self, error: sqlite3.Error) -> Busy:
        return Busy(f"The index {self._path} cannot be used now ({error}); it may be deleted.")

    def _connect(self) -> sqlite3.Connection:
        # One thread at a time has a tracker, but on the web not always the same one.
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, FORM):
            connection.close()
            self._delete()
            return self._connect()
        # A power cut may cost the last transactions, never the file; the positions go with them.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(SCHEMA)
        connection.executescript(fulltext.SCHEMA)
        connection.execute(f"PRAGMA user_version = {FORM}")
        return connection

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            files.remove(f"{self._path}{suffix}")

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    def another(self, path: Path) -> "Index":
        """An index of the same store in another place."""
        return Index(path, self._store_id, self._layout, locks=self._locks, issues=self._issues, pool=self._pool)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # Keeping up

    def behind(self) -> int:
        """How many bytes of the journals are not read yet. Raises `Busy`."""
        read = (self._read_so_far() or {}) if files.exists(self._path) else {}
        marks = journal.standing(self._layout).items()
        return sum(max(0, mark.length - (read[name].length if name in read else 0)) for name, mark in marks)

    def catch_up(self) -> None:
        """Bring the index to what the journals tell. Raises `Busy` when its file cannot be written now."""
        try:
            self._catch_up()
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.DatabaseError:  # Half a database: it is derived, so it is made anew.
            self.close()
            self._delete()
            self._catch_up()

    def _catch_up(self) -> None:
        for _ in range(TRIES):
            # A journal that was full may go just now; then what it said is in the listing no more.
            with contextlib.suppress(FileNotFoundError):
                self._follow_all()
                return
        raise Busy(f"The journals of {self._layout.root} change faster than they can be read; try again.")

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

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        with contextlib.ExitStack() as undo:
            undo.callback(self._db.execute, "ROLLBACK")
            yield
            undo.pop_all()
        self._db.execute("COMMIT")

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

    def contents(self) -> dict[str, Counter[tuple[object, ...]]]:
        """All rows that say something about the store, by table: equal for two indexes of one store."""
        return {table: Counter(self._db.execute(f"SELECT * FROM {table}")) for table in TABLES}

    def take(self, read: Iterable[tuple[fulltext.Due, fulltext.Text | None]]) -> None:
        """Take texts in; None for one there is nothing of. Raises `Busy` when the index cannot be written now."""
        with self._told(), self._transaction():
            for due, text in read:
                fulltext.put(self._db, due, text)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """As `Answers.snapshot`; raises `Busy` when the file cannot be used now."""
        with self._told(), super().snapshot():
            yield

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong inside is told as `Busy`; a file that turns out to be spoilt is not there the next time."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # Its kinds are a lock, a full disk, or a fault of ours.
                self.close()
                self._delete()
            elif not isinstance(error, sqlite3.OperationalError):
                raise
            raise self._unusable(error) from error

    def rebuild(self, told: Callable[[int], None] = lambda count: None) -> None:
        """Read the whole store into a new index beside this one, then let it take its place all at once.

        Meanwhile everybody goes on with what there is. `told` hears how many issues were read. Raises `Busy` when the
        place cannot be written.
        """
        self._clear_up()
        beside = self.another(self._path.with_name(f"{self._path.name}{BESIDE}{os.getpid()}"))
        try:
            with beside._told(), beside._transaction():
                beside._scan(journal.standing(self._layout), told)
            try:
                beside._db.backup(self._db)
            except sqlite3.DatabaseError:  # What was there is no database any more.
                self.close()
                self._delete()
                with self._told():
                    beside._db.backup(self._db)
        finally:
            beside.close()
            beside._delete()

    def _clear_up(self) -> None:
        """Take away what rebuilds left that died; the folder is that of one host and user."""
        for entry in files.listing(self._path.parent):
            _, mark, rest = entry.name.partition(BESIDE)
            if mark and not files.is_running(int(re.sub(r"\D.*", "", rest) or "0")):
                files.remove(entry.path)

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
