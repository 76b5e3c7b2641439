"""The tables of the index and the shapes of its answers; only `store/index` uses the SQL.

Flows in: issues and list queries. Flows out: rows and SQL with bound values. No file is opened here.
"""

from typing import Any, NamedTuple

import msgspec

from eventum.issues.issue import Issue

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS journals (name TEXT PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS pending (record TEXT, revision INTEGER, since REAL);
CREATE TABLE IF NOT EXISTS issues (
    number INTEGER PRIMARY KEY, revision INTEGER, next_event INTEGER, project TEXT, status TEXT, summary TEXT,
    reporter TEXT, updated REAL, closed INTEGER);
CREATE INDEX IF NOT EXISTS issues_updated ON issues (updated);
CREATE INDEX IF NOT EXISTS issues_project ON issues (project, updated);
CREATE TABLE IF NOT EXISTS mails (
    key TEXT, destination TEXT, digest TEXT, message_id TEXT, issue INTEGER, event INTEGER, kind TEXT, blocked TEXT,
    PRIMARY KEY (key, issue)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_message_id ON mails (message_id);
CREATE INDEX IF NOT EXISTS mails_digest ON mails (digest);
CREATE TABLE IF NOT EXISTS pool (
    key TEXT, account TEXT, outcome TEXT, destination TEXT, digest TEXT, message_id TEXT, PRIMARY KEY (key, account)
    ) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pool_message_id ON pool (message_id);
CREATE INDEX IF NOT EXISTS pool_digest ON pool (digest);
CREATE INDEX IF NOT EXISTS pool_outcome ON pool (outcome);
CREATE TABLE IF NOT EXISTS acknowledgements (address TEXT, at REAL);
CREATE INDEX IF NOT EXISTS acknowledgements_address ON acknowledgements (address, at);
"""

# The tables that say something about the store; the others say how far the index is.
TABLES = ("issues", "mails", "pool", "acknowledgements")


class Filing(NamedTuple):
    """A mail that is kept: in an issue, or (0) in the pool."""

    key: str
    issue: int


class MessageMatch(NamedTuple):
    """A mail found by its Message-ID: in an issue, with its kind and why it was blocked, or (0) in a pool."""

    issue: int
    kind: str
    blocked: str
    key: str
    account: str
    destination: str


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of issues is to show; empty fields do not matter."""

    project: str = ""
    status: str = ""
    search: str = ""
    limit: int = 0


UPSERT = "INSERT OR REPLACE INTO issues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def row(issue: Issue) -> tuple[Any, ...]:
    """The values of the issue's row."""
    return (
        issue.number,
        issue.revision,
        issue.next_event,
        issue.project,
        issue.status,
        issue.summary,
        issue.reporter,
        issue.updated.timestamp(),
        issue.closed is not None,
    )


def select(query: Query) -> tuple[str, list[Any]]:
    """The SQL that finds the issues of a list, and its values."""
    wanted: list[str] = []
    values: list[Any] = []
    for column in ("project", "status"):
        if getattr(query, column):
            wanted.append(f"{column} = ?")
            values.append(getattr(query, column))
    for word in query.search.split():
        escaped = word.lstrip("#").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted.append("(summary LIKE ? ESCAPE '\\' OR reporter LIKE ? ESCAPE '\\' OR number = ?)")
        values += [f"%{escaped}%", f"%{escaped}%", escaped]
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    limit = f" LIMIT {int(query.limit)}" if query.limit > 0 else ""
    return f"SELECT number FROM issues{where} ORDER BY updated DESC, number DESC{limit}", values
