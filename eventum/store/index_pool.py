"""The list of mail of no issue out of the index: one page by one statement, and how many there are.

Flows in: what the list is to show. Flows out: lines, and counts.
"""

from typing import Any, NamedTuple

import msgspec

from eventum.store.index_answers import Answers
from eventum.store.index_texts import Scope, one_of


class PoolLine(NamedTuple):
    """A mail of no issue in a list; `received` is seconds since 1970."""

    key: str
    account: str
    outcome: str
    project: str
    received: float
    sender: str
    name: str
    subject: str


class PoolListing(msgspec.Struct, frozen=True, kw_only=True):
    """Which mails, the newest first; "" does not matter. Of `scope` counts where somebody is staff."""

    scope: Scope = Scope()
    outcome: str = "unassociated"
    account: str = ""
    project: str = ""
    text: str = ""
    limit: int = 50
    offset: int = 0


class PoolLists(Answers):
    """The lists of mail of no issue."""

    def pool_lines(self, listing: PoolListing) -> list[PoolLine]:
        """The mails of one page."""
        where, values = _where(listing)
        sql = (
            f"SELECT {', '.join(PoolLine._fields)} FROM pool WHERE {where} ORDER BY received DESC, key LIMIT ? OFFSET ?"
        )
        return [PoolLine(*row) for row in self._db.execute(sql, (*values, listing.limit, listing.offset))]

    def pool_count(self, listing: PoolListing) -> int:
        """How many mails the list has, on all pages."""
        where, values = _where(listing)
        return int(self._db.execute(f"SELECT count(*) FROM pool WHERE {where}", values).fetchone()[0])


def _where(listing: PoolListing) -> tuple[str, list[Any]]:
    where, values = one_of("project", listing.scope.staff)
    wanted, values = ["outcome = ?", where], [listing.outcome, *values]
    for column in ("account", "project"):
        if value := getattr(listing, column):
            wanted.append(f"{column} = ?")
            values.append(value)
    for word in listing.text.split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted.append("(subject LIKE ? ESCAPE '\\' OR sender LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\')")
        values += [f"%{escaped}%"] * 3
    return " AND ".join(wanted), values
