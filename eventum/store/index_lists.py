"""Lists of issues out of the index: one page by one statement, whatever it is sorted by, and how many there are.

Flows in: what a list is to show. Flows out: lines, and counts. Counts of the usual lists are kept as tallies, so that
they cost the same in a store of ten thousand issues as in one of a hundred.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from eventum.store import fulltext
from eventum.store.index_answers import Answers
from eventum.store.index_tables import EVERYBODY, Query, select
from eventum.store.index_texts import Scope, one_of, places


class Line(NamedTuple):
    """An issue in a list. Times are seconds since 1970; `assignees` are user ids with blanks between them.

    `last_sender` wrote the newest e-mail; "" when we did, or when there is none.
    """

    number: int
    project: str
    status: str
    priority: str
    category: str
    summary: str
    reporter: str
    assignees: str
    created: float
    updated: float
    closed: float | None
    emails: int
    notes: int
    blocked: int
    last_who: str
    reporter_name: str
    last_sender: str


COLUMNS = ", ".join(f"i.{name}" for name in Line._fields)
NOCASE = ("summary", "category")
PLAIN = ("number", "created", "updated", "closed", "emails", "notes")
RANKED = ("project", "status", "priority", "assignee")
SORTS = (*PLAIN, *NOCASE, *RANKED, "reporter")
FIRST_ASSIGNEE = "substr(i.assignees, 1, instr(i.assignees || ' ', ' ') - 1)"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Which issues, in which order; None and "" do not matter, but `assignee` "" is nobody.

    `ranks` are the values of a column whose order is not that of the alphabet, in their order. `match` is what somebody
    typed, to be found in the issue or its mails.
    """

    scope: Scope = Scope()
    project: str = ""
    status: str = ""
    is_closed: bool | None = None
    priority: str = ""
    category: str = ""
    reporter: str = ""
    assignee: str | None = None
    match: str = ""
    sort: str = "updated"
    descending: bool = True
    ranks: tuple[str, ...] = ()
    limit: int = 50
    offset: int = 0


class Lists(Answers):
    """The lists of the index."""

    def lines(self, listing: Listing) -> list[Line]:
        """The issues of one page."""
        source, values = _source(listing)
        order, ranks = _order(listing)
        # Only numbers are sorted; the rest is read of those that are shown. The assignments are in the order of time.
        first = (
            order
            if listing.assignee is None
            else order.replace("i.updated", "a.updated").replace("i.number", "a.number")
        )
        page = f"SELECT i.number {source} ORDER BY {first} LIMIT ? OFFSET ?"
        sql = f"SELECT {COLUMNS} FROM issues i WHERE i.number IN ({page}) ORDER BY {order}"
        rows = self._db.execute(sql, (*values, *ranks, listing.limit, listing.offset, *ranks))
        return [Line(*row) for row in rows]

    def found(self, query: Query) -> list[Line]:
        """The issues a command lists, the newest change first."""
        sql, values = select(query, COLUMNS)
        return [Line(*row) for row in self._db.execute(sql, values)]

    def count(self, listing: Listing) -> int:
        """How many issues the list has, on all pages."""
        if listing.priority or listing.category or listing.reporter or listing.match:
            source, values = _source(listing)
            return int(self._db.execute(f"SELECT count(*) {source}", values).fetchone()[0])
        where, values = one_of("project", _projects(listing))
        wanted = [where, "user = ?"]
        values.append(EVERYBODY if listing.assignee is None else listing.assignee)
        if listing.status:
            wanted.append("status = ?")
            values.append(listing.status)
        if listing.is_closed is not None:
            wanted.append("is_closed = ?")
            values.append(int(listing.is_closed))
        sql = f"SELECT coalesce(sum(count), 0) FROM tallies WHERE {' AND '.join(wanted)}"
        return int(self._db.execute(sql, values).fetchone()[0])

    def tallies(self, scope: Scope, users: tuple[str, ...]) -> list[tuple[str, str, bool, int]]:
        """(user, status, whether closed, count) for these users, "" for nobody and everybody's."""
        where, values = one_of("project", scope.projects)
        marks = ", ".join("?" * len(users))
        rows = self._db.execute(
            f"SELECT user, status, is_closed, sum(count) FROM tallies WHERE user IN ({marks}) AND {where} "
            "GROUP BY user, status, is_closed",
            (*users, *values),
        )
        return [(user, status, bool(closed), count) for user, status, closed, count in rows]

    def used(self, column: str, scope: Scope) -> list[str]:
        """The values that a column of the issues has; those no project has any more, too."""
        assert column in ("status", "priority", "category")
        where, values = one_of("project", scope.projects)
        rows = self._db.execute(f"SELECT DISTINCT {column} FROM issues WHERE {where} AND {column} != ''", values)
        return [value for (value,) in rows]

    def stamps(self) -> Iterator[tuple[int, int]]:
        """(number, when its record was written) of every issue, as it was when it was read."""
        return self._db.execute("SELECT number, modified FROM stamps")

    def waiting(self, scope: Scope) -> int:
        """How many blocked mails wait for a decision where somebody is staff."""
        where, values = one_of("i.project", scope.staff)
        # CROSS: those that wait are looked at first, which are few, and never all issues of the project.
        sql = f"SELECT count(*) FROM mails m CROSS JOIN issues i ON i.number = m.issue WHERE m.waits AND {where}"
        return int(self._db.execute(sql, values).fetchone()[0])

    def blocked(self, scope: Scope, *, limit: int = -1, offset: int = 0) -> list[tuple[int, str]]:
        """(issue, key) of the blocked mails that wait for a decision where somebody is staff, the newest first."""
        where, values = one_of("i.project", scope.staff)
        sql = (
            f"SELECT m.issue, m.key FROM mails m CROSS JOIN issues i ON i.number = m.issue WHERE m.waits AND {where} "
            "ORDER BY i.updated DESC, m.event DESC LIMIT ? OFFSET ?"
        )
        return self._db.execute(sql, (*values, limit, offset)).fetchall()

    def pooled_count(self, scope: Scope, outcome: str) -> int:
        """How many mails of no issue have this outcome where somebody is staff."""
        where, values = one_of("project", scope.staff)
        found = self._db.execute(f"SELECT count(*) FROM pool WHERE outcome = ? AND {where}", (outcome, *values))
        return int(found.fetchone()[0])


def _projects(listing: Listing) -> tuple[str, ...] | None:
    """The projects whose issues count; None: all there are."""
    if not listing.project:
        return listing.scope.projects
    allowed = listing.scope.projects
    return (listing.project,) if allowed is None or listing.project in allowed else ()


def _source(listing: Listing) -> tuple[str, list[Any]]:
    """FROM and WHERE of a list, and their values."""
    wanted: list[str] = []
    values: list[Any] = []
    source, closed, project = "FROM issues i", "i.is_closed", "i.project"
    if listing.assignee is not None:
        source, closed = "FROM assigned a JOIN issues i ON i.number = a.number", "a.is_closed"
        project = "a.project"
        wanted.append("a.user = ?")
        values.append(listing.assignee)
    if listing.is_closed is not None:
        wanted.append(f"{closed} = ?")
        values.append(int(listing.is_closed))
    projects = _projects(listing)
    # With the plus no index by project is taken: the one by time gives the order, and knows the project.
    alone = projects is not None and len(projects) == 1 and listing.is_closed is not None
    where, more = one_of(project if alone else f"+{project}", projects)
    if projects is not None:
        wanted.append(where)
        values += more
    for column in ("status", "priority", "category", "reporter"):
        if value := getattr(listing, column):
            wanted.append(f"i.{column} = ?")
            values.append(value)
    if listing.match:
        sql, more = places(listing.scope, fulltext.expression(listing.match) or '""')
        wanted.append(f"i.number IN (SELECT issue FROM ({sql}))")
        values += more
    return f"{source} WHERE {' AND '.join(wanted) or '1'}", values


def _order(listing: Listing) -> tuple[str, list[Any]]:
    """What a list is sorted by, and the values in it; the newest change first where that is equal."""
    way = "DESC" if listing.descending else "ASC"
    if listing.sort == "updated":
        return f"i.updated {way}, i.number {way}", []
    then = "i.updated DESC, i.number DESC"
    if listing.sort in PLAIN:
        return f"i.{listing.sort} {way}, {then}", []
    if listing.sort in NOCASE:
        return f"i.{listing.sort} COLLATE NOCASE {way}, {then}", []
    if listing.sort == "reporter":
        return f"coalesce(nullif(i.reporter_name, ''), i.reporter) COLLATE NOCASE {way}, {then}", []
    assert listing.sort in RANKED, listing.sort
    column = FIRST_ASSIGNEE if listing.sort == "assignee" else f"i.{listing.sort}"
    # What has no rank, as nobody or a status no project has any more, comes last.
    cases = " ".join(f"WHEN ? THEN {rank}" for rank in range(len(listing.ranks)))
    ranked = f"CASE {column} {cases} ELSE {len(listing.ranks)} END" if listing.ranks else column
    return f"{ranked} {way}, {then}", list(listing.ranks)
