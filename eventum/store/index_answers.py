"""What the index is asked: where a mail is, which mails have this content or id, what a list shows.

Flows in: questions. Flows out: rows, as they were when the index last caught up; nothing here keeps it up. What an
answer says is checked again on the record by whoever changes something because of it.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from eventum.store.index_tables import Brought, Filing, MessageMatch, Query, select


class Answers:
    """The questions an index answers, each in O(log n)."""

    @property
    def _db(self) -> sqlite3.Connection:
        raise LookupError("only an open index answers")  # `Index` has the connection.

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is asked inside sees one state of the index, and its file is locked once, not for every question."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")  # Nothing was written: this only ends the reading.

    def made(self, nonce: str) -> int | None:
        """The issue that a form with this nonce made or changed."""
        found = self._db.execute("SELECT issue FROM made WHERE nonce = ?", (nonce,)).fetchone()
        return int(found[0]) if found else None

    def filed(self, key: str) -> int | None:
        """The issue that holds the mail with this key."""
        found = self._db.execute("SELECT issue FROM mails WHERE key = ?", (key,)).fetchone()
        return int(found[0]) if found else None

    def brought(self, key: str) -> Brought | None:
        """What the mail with this key is in the issue that holds it."""
        found = self._db.execute(
            "SELECT issue, blocked != '', event = (SELECT min(event) FROM mails AS m WHERE m.issue = mails.issue) "
            "FROM mails WHERE key = ?",
            (key,),
        ).fetchone()
        return Brought(found[0], bool(found[1]), bool(found[2])) if found else None

    def pooled(self, key: str) -> tuple[str, str] | None:
        """Account and outcome under which the mail with this key lies in the pool."""
        return self._db.execute("SELECT account, outcome FROM pool WHERE key = ?", (key,)).fetchone()  # type: ignore[no-any-return]  # sqlite3 rows are untyped

    def by_digest(self, digest: str, destination: str) -> Filing | None:
        """The mail of the same content that was kept for the same destination.

        A duplicate is never the answer: its original may be the very mail that is asked about, decided anew after a
        run died, and each would be put aside because of the other.
        """
        found = self._db.execute(
            "SELECT key, issue FROM mails WHERE digest = ?1 AND destination = ?2 "
            "UNION ALL SELECT key, 0 FROM pool WHERE digest = ?1 AND destination = ?2 AND outcome != 'duplicate' "
            "LIMIT 1",
            (digest, destination),
        ).fetchone()
        return Filing(*found) if found else None

    def holds(self, issue: int, digest: str) -> bool:
        """Whether an issue has a mail of this content, whatever destination it came to."""
        found = self._db.execute("SELECT 1 FROM mails WHERE digest = ? AND issue = ?", (digest, issue)).fetchone()
        return found is not None

    def by_message_id(self, message_id: str) -> list[MessageMatch]:
        """Every mail with this Message-ID: those of issues first, the newest issue first."""
        rows = self._db.execute(
            "SELECT issue, kind, blocked, key, '', destination FROM mails WHERE message_id = ?1 UNION ALL "
            "SELECT 0, '', '', key, account, destination FROM pool WHERE message_id = ?1 AND outcome = 'unassociated' "
            "ORDER BY 1 DESC LIMIT 20",
            (message_id,),
        )
        return [MessageMatch(*values) for values in rows]

    def acknowledgements(self, address: str, since: float) -> int:
        """How many acknowledgements were owed to an address in the day after a time (seconds since 1970).

        What is dated later was written by a clock that was ahead; it must not count for as long as that.
        """
        found = self._db.execute(
            "SELECT count(*) FROM acknowledgements WHERE address = ? AND at > ? AND at < ?",
            (address, since, since + 24 * 3600),
        ).fetchone()
        return int(found[0])

    def issues(self, query: Query) -> list[int]:
        """The numbers of the issues a list shows, the newest change first."""
        sql, values = select(query, "number")
        return [int(number) for (number,) in self._db.execute(sql, values)]

    def counted(self, project: str, column: Literal["status", "priority", "category"]) -> dict[str, int]:
        """How many issues of a project have which value in this column."""
        found = self._db.execute(f"SELECT {column}, COUNT(*) FROM issues WHERE project = ? GROUP BY 1", (project,))
        return {str(value): int(count) for value, count in found}

    def find(self, prefix: str) -> list[tuple[str, int]]:
        """(key, issue) of the mails whose key begins so; issue 0 for those in the pool."""
        return self._db.execute(
            "SELECT key, issue FROM mails WHERE key BETWEEN ?1 AND ?2 "
            "UNION SELECT key, 0 FROM pool WHERE key BETWEEN ?1 AND ?2 LIMIT 20",
            (prefix, prefix + "g"),
        ).fetchall()

    def pool(self, outcomes: Sequence[str]) -> Iterable[tuple[str, str, str]]:
        """(account, key, outcome) of the mails in the pool under these outcomes."""
        marks = ", ".join("?" * len(outcomes))
        return self._db.execute(f"SELECT account, key, outcome FROM pool WHERE outcome IN ({marks})", tuple(outcomes))
