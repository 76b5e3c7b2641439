"""What the index is asked about words, and how it comes by them: what is due, what was read, where words stand.

Flows in: texts in small steps, and what somebody may see with the words he looks for. Flows out: places. Who is not
staff of a project never finds an issue of it through what only staff may read: notes, blocked mail, mail of no issue.
"""

from typing import Any, NamedTuple

import msgspec

from eventum.store import fulltext
from eventum.store.fulltext import Due
from eventum.store.index_answers import Answers

# A word in a subject says more about a mail than one in its text.
RANK = "bm25(words, 5.0, 1.0)"
SEARCHED = ("unassociated", "removed", "refused", "ignored")  # A duplicate says what its original says.


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The projects somebody may see, and those whose notes he may read; None stands for all there are."""

    projects: tuple[str, ...] | None = None
    staff: tuple[str, ...] | None = None


class Place(NamedTuple):
    """Where words stand: in an issue, or (0) in a mail of no issue. `key` is "" when it is the issue's own text.

    `among` is how many texts of the issue have them, `total` how many places there are.
    """

    issue: int
    account: str
    key: str
    among: int
    total: int


def one_of(column: str, wanted: tuple[str, ...] | None) -> tuple[str, list[Any]]:
    """A condition that the column has one of these values, and the values; None: any."""
    if wanted is None:
        return "1", []
    return (f"{column} IN ({', '.join('?' * len(wanted))})" if wanted else "0"), list(wanted)


def places(scope: Scope, expression: str, rank: str = "0") -> tuple[str, list[Any]]:
    """The SQL of all places, as rows (issue, account, key, rank), and its values; `RANK` costs as much as finding."""
    seen, projects = one_of("i.project", scope.projects)
    staff, internal = one_of("i.project", scope.staff)
    pooled, pools = one_of("p.project", scope.staff)
    outcomes = ", ".join(f"'{one}'" for one in SEARCHED)
    hits = f"SELECT t.name, {rank} AS rank FROM words JOIN texts t ON t.id = words.rowid WHERE words MATCH ?"
    sql = f"""
        WITH hits AS MATERIALIZED ({hits})
        SELECT i.number AS issue, '' AS account, '' AS key, rank FROM hits
            JOIN issues i ON i.number = CAST(substr(hits.name, 8) AS INTEGER)
            WHERE hits.name GLOB 'issues/*' AND {seen}
        UNION ALL SELECT m.issue, '', m.key, rank FROM hits
            JOIN mails m ON m.key = hits.name JOIN issues i ON i.number = m.issue
            WHERE {seen} AND (m.kind = 'email' AND m.blocked = '' OR {staff})
        UNION ALL SELECT 0, p.account, p.key, rank FROM hits JOIN pool p ON p.key = hits.name
            WHERE p.outcome IN ({outcomes}) AND {pooled}"""
    return sql, [expression, *projects, *projects, *internal, *pools]


class Texts(Answers):
    """The words of the index."""

    def due(self, limit: int) -> list[Due]:
        """Texts that are to be taken, those noted last first."""
        rows = self._db.execute(
            "SELECT due.name, due.revision, m.issue, m.digest, m.outgoing, p.account, p.digest "
            "FROM (SELECT rowid, name, revision FROM due ORDER BY rowid DESC LIMIT ?) AS due "
            "LEFT JOIN mails m ON m.key = due.name LEFT JOIN pool p ON p.key = due.name ORDER BY due.rowid DESC",
            (limit,),
        )
        found: dict[str, Due] = {}
        for name, revision, issue, digest, outgoing, account, pooled in rows:
            kind, slash, number = name.partition("/")
            if slash and kind == "issues":
                found[name] = Due(name, revision, int(number), "", "", "", False)
            else:
                found[name] = Due(
                    name, revision, issue or 0, name, account or "", digest or pooled or "", bool(outgoing)
                )
        return list(found.values())

    def due_count(self) -> int:
        """How many texts are still to be taken."""
        return int(self._db.execute("SELECT count(*) FROM due").fetchone()[0])

    def places(self, scope: Scope, query: str, *, limit: int, offset: int = 0) -> list[Place]:
        """Where all words of a query stand, an issue once, the best place first."""
        expression = fulltext.expression(query)
        if not expression:
            return []
        sql, values = places(scope, expression, RANK)
        # With min() SQLite takes the other columns from the row that has it.
        rows = self._db.execute(
            f"SELECT issue, account, key, count(*), count(*) OVER (), min(rank) FROM ({sql}) "
            "GROUP BY issue, CASE WHEN issue THEN '' ELSE key END ORDER BY 6, issue DESC LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [Place(*row[:5]) for row in rows]
