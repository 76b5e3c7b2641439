"""What a record becomes in the index: the rows of an issue with its mails, the row of a mail of no issue.

Flows in: an open connection, inside a transaction, and the records as the stores have them. Flows out: rows. Nothing is
committed here, and which record is to be read is not decided here. What the texts say is only noted as due: reading
them would hold up the mail that comes in (`fulltext`).
"""

import sqlite3
from collections import Counter

from eventum.errors import Damaged, NotFound
from eventum.issues.events import Changed, Event, Filed, Filing, Opened, TakenOut
from eventum.issues.issue import Issue
from eventum.store import fulltext
from eventum.store.index_tables import EVERYBODY, UPSERT, row
from eventum.store.issues import IssueStore
from eventum.store.pool import Pool

KNOWN = "SELECT next_event, project, status, is_closed, assignees, updated FROM issues WHERE number = ?"
TALLY = "INSERT INTO tallies VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
Known = tuple[int, str, str, int, str, float]
TEXTS = ("summary", "description", "reporter")  # What of an issue itself is searched.


def take_issue(db: sqlite3.Connection, issues: IssueStore, number: int) -> int:
    """Take over an issue's record as it is now; its revision. Raises `NotFound`, `Damaged`."""
    modified = issues.modified(number)  # Before it is read: a newer file then never passes for the one that was read.
    issue = issues.load(number)
    known: Known | None = db.execute(KNOWN, (number,)).fetchone()
    since = known[0] if known else 0
    # Before anything is taken over: with a damaged history the issue is read again, all of it.
    events = issue.events if issue.first_event <= since else issues.events(issue)
    new = [event for event in events if event.number >= since]
    for event in new:
        _take_event(db, number, event)
    db.execute(UPSERT, row(issue))
    db.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?)", (number, modified))
    _take_assignees(db, issue, known)
    if known is None or any(isinstance(event.what, Changed) and event.what.field in TEXTS for event in new):
        fulltext.issue_is_due(db, number, issue.revision)
    return issue.revision


def _take_event(db: sqlite3.Connection, number: int, event: Event) -> None:
    if event.nonce:
        db.execute("INSERT OR IGNORE INTO made VALUES (?, ?)", (event.nonce, number))
    match event.what:
        case Filed(mail):
            db.execute(
                "INSERT OR REPLACE INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _filed(number, event, mail)
            )
            fulltext.mail_is_due(db, mail.key)
        case TakenOut(key):
            db.execute("DELETE FROM mails WHERE key = ? AND issue = ?", (key, number))
        case Opened(acknowledge=address) if address:
            db.execute("INSERT INTO acknowledgements VALUES (?, ?)", (address, event.when.timestamp()))


def _filed(number: int, event: Event, mail: Filing) -> tuple[object, ...]:
    where = (mail.key, mail.destination, mail.digest, mail.message_id, number, event.number)
    return (*where, mail.kind, mail.blocked, mail.waits, mail.outgoing, mail.from_.address.lower(), mail.from_.name)


def _take_assignees(db: sqlite3.Connection, issue: Issue, known: Known | None) -> None:
    users, closed, updated = issue.assignees or ("",), int(issue.closed is not None), issue.updated.timestamp()
    counted = Counter((issue.project, issue.status, closed, user) for user in (EVERYBODY, *users))
    if known is not None:
        _, project, status, was_closed, text, since = known
        before = tuple(text.split()) or ("",)
        places = [(user, was_closed, since, issue.number) for user in before]
        db.executemany("DELETE FROM assigned WHERE (user, is_closed, updated, number) = (?, ?, ?, ?)", places)
        counted.subtract((project, status, was_closed, user) for user in (EVERYBODY, *before))
    changed = [(*place, count) for place, count in counted.items() if count]
    if changed:
        db.executemany(TALLY, changed)
        if known is not None:
            db.execute("DELETE FROM tallies WHERE count = 0")
    rows = [(user, closed, updated, issue.number, issue.project) for user in users]
    db.executemany("INSERT OR REPLACE INTO assigned VALUES (?, ?, ?, ?, ?)", rows)


def take_pooled(db: sqlite3.Connection, pool: Pool, account: str, key: str) -> bool:
    """Take over where a mail of no issue is now; one that left is forgotten.

    False when its record cannot be used: what is known of it stands until somebody has mended it.
    """
    outcome = pool.outcome(account, key)
    if outcome is not None:
        try:
            pooled = pool.load(account, key)
        except Damaged:
            return False
        except NotFound:
            outcome = None
    db.execute("DELETE FROM pool WHERE account = ? AND key = ?", (account, key))
    if outcome is not None:
        mail = pooled.mail
        where = (key, account, outcome, mail.destination, mail.digest, mail.message_id, pooled.project)
        values = (*where, mail.received.timestamp(), mail.from_.address, mail.from_.name, mail.subject)
        db.execute("INSERT INTO pool VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        fulltext.mail_is_due(db, key)
    # A record without its mail: whoever puts that back tells nobody.
    return outcome is not None or not pool.has_record(account, key)
