"""The tables of the index and the shapes of its answers; only `store/index` uses the SQL.

Flows in: issues and list queries. Flows out: rows and SQL with bound values. No file is opened here.
"""

from typing import Any, NamedTuple

import msgspec

from eventum.issues.issue import Issue

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS journals (name TEXT PRIMARY KEY, position INTEGER, inode INTEGER);
CREATE TABLE IF NOT EXISTS pending (record TEXT, revision INTEGER, since REAL);
CREATE TABLE IF NOT EXISTS issues (
    number INTEGER PRIMARY KEY, revision INTEGER, next_event INTEGER, project TEXT, status TEXT, priority TEXT,
    category TEXT, summary TEXT, reporter TEXT, assignees TEXT, created REAL, updated REAL, is_closed INTEGER,
    closed REAL, emails INTEGER, notes INTEGER, blocked INTEGER, last_who TEXT, reporter_name TEXT, last_sender TEXT);
CREATE INDEX IF NOT EXISTS issues_open ON issues (is_closed, updated, project);
CREATE INDEX IF NOT EXISTS issues_updated ON issues (updated, project);
CREATE INDEX IF NOT EXISTS issues_project ON issues (project, is_closed, updated);
CREATE INDEX IF NOT EXISTS issues_status ON issues (status, updated, project);
CREATE TABLE IF NOT EXISTS assigned (
    user TEXT, is_closed INTEGER, updated REAL, number INTEGER, project TEXT,
    PRIMARY KEY (user, is_closed, updated, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (
    project TEXT, status TEXT, is_closed INTEGER, user TEXT, count INTEGER,
    PRIMARY KEY (user, project, status, is_closed)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stamps (number INTEGER PRIMARY KEY, modified INTEGER);
CREATE TABLE IF NOT EXISTS mails (
    key TEXT, destination TEXT, digest TEXT, message_id TEXT, issue INTEGER, event INTEGER, kind TEXT, blocked TEXT,
    waits INTEGER, outgoing INTEGER, sender TEXT, name TEXT, PRIMARY KEY (key, issue)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_message_id ON mails (message_id);
CREATE INDEX IF NOT EXISTS mails_digest ON mails (digest);
CREATE INDEX IF NOT EXISTS mails_issue ON mails (issue, event);
CREATE INDEX IF NOT EXISTS mails_waiting ON mails (issue) WHERE waits;
CREATE TABLE IF NOT EXISTS made (nonce TEXT PRIMARY KEY, issue INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pool (
    key TEXT, account TEXT, outcome TEXT, destination TEXT, digest TEXT, message_id TEXT, project TEXT,
    received REAL, sender TEXT, name TEXT, subject TEXT, PRIMARY KEY (key, account)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pool_message_id ON pool (message_id);
CREATE INDEX IF NOT EXISTS pool_digest ON pool (digest);
CREATE INDEX IF NOT EXISTS pool_outcome ON pool (outcome, project);
CREATE INDEX IF NOT EXISTS pool_received ON pool (outcome, received);
CREATE TABLE IF NOT EXISTS acknowledgements (address TEXT, at REAL);
CREATE INDEX IF NOT EXISTS acknowledgements_address ON acknowledgements (address, at);
"""

# The tables that say something about the store; the others say how far the index is.
TABLES = ("issues", "assigned", "tallies", "mails", "made", "pool", "acknowledgements")
EVERYBODY = "*"
"""The tallies of all issues stand under this; those assigned to nobody under ""."""


class Filing(NamedTuple):
    """A mail that is kept: in an issue, or (0) in the pool."""

    key: str
    issue: int


class Brought(NamedTuple):
    """A mail of an issue: which, whether it is blocked there, and whether it is the first one."""

    issue: int
    blocked: bool
    first: bool


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


# The name of a reporter is the one he first wrote under; of the last mail only its sender counts, none for our own.
UPSERT = """
INSERT OR REPLACE INTO issues VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
    coalesce((SELECT name FROM mails WHERE issue = ?1 AND sender = ?9 AND name != '' ORDER BY event LIMIT 1), ''),
    coalesce((SELECT CASE WHEN outgoing THEN '' ELSE sender END FROM mails
        WHERE issue = ?1 AND kind = 'email' AND blocked = '' ORDER BY event DESC LIMIT 1), ''))
"""


def row(issue: Issue) -> tuple[Any, ...]:
    """The values of the issue's row, but for those that come from its mails."""
    return (
        issue.number,
        issue.revision,
        issue.next_event,
        issue.project,
        issue.status,
        issue.priority,
        issue.category,
        issue.summary,
        issue.reporter,
        " ".join(issue.assignees),
        issue.created.timestamp(),
        issue.updated.timestamp(),
        issue.closed is not None,
        issue.closed.timestamp() if issue.closed else None,
        issue.emails,
        issue.notes,
        issue.blocked,
        issue.events[-1].who if issue.events else "",
    )


def select(query: Query, columns: str) -> tuple[str, list[Any]]:
    """The SQL that finds these columns of the issues of a list, and its values."""
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
    return f"SELECT {columns} FROM issues i{where} ORDER BY updated DESC, number DESC{limit}", values
