"""The derived index in the cache: lists, filters and look-ups of mail in O(log n). Delete it and nothing is lost.

Flows in: the place of its file, and what `index_following` reads. Flows out: answers, and a file that is opened, made
anew when it is spoilt, and replaced all at once. Nobody who changes a record touches the index: it follows the journals
from its own positions and reads the records again, without a lock.
"""

import contextlib
import hashlib
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from eventum.errors import Busy
from eventum.store import files, fulltext, journal
from eventum.store.index_following import Following
from eventum.store.index_lists import Lists
from eventum.store.index_pool import PoolLists
from eventum.store.index_tables import SCHEMA, TABLES
from eventum.store.index_texts import Texts
from eventum.store.issues import IssueStore
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.pool import Pool

# Tables of another form are thrown away: they are derived.
FORM = int(hashlib.sha256(f"{SCHEMA}{fulltext.SCHEMA}".encode()).hexdigest()[:7], 16)
BESIDE = ".new-"  # And a process's number: an index that is being made.
TRIES = 10  # Of reading the journals while others go on to the next file.


class Index(Lists, PoolLists, Texts, Following):
    """The index of one store for this host and user."""

    def __init__(
        self, path: Path, store_id: str, layout: Layout, *, locks: Locks, issues: IssueStore, pool: Pool
    ) -> None:
        super().__init__(store_id, layout, locks=locks, issues=issues, pool=pool)
        self._path = path
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

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        with contextlib.ExitStack() as undo:
            undo.callback(self._db.execute, "ROLLBACK")
            yield
            undo.pop_all()
        self._db.execute("COMMIT")

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
