"""Mails by their ids, in issues and in the pool, as lists, commands and JSON show them.

Flows in: an id or the beginning of one, or an outcome. Flows out: rows of plain values. A record that cannot be used is
named beside the rows, not instead of them. Nothing is changed here.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues.events import Filing
from eventum.issues.explain import sentences
from eventum.issues.issue import messages
from eventum.issues.trace import PASS
from eventum.issues.trace import Row as TraceRow
from eventum.store.layout import POOLS
from eventum.store.pool import Pooled
from eventum.tracker.guard import reading
from eventum.tracker.tracker import Tracker

MIN_PREFIX = 8
Row = dict[str, object]


class Listed(msgspec.Struct, frozen=True):
    """The rows of a list, and a sentence for each record that could not be shown."""

    rows: list[Row]
    damaged: list[str]


def one_of(ident: str, ids: Iterable[str], what: str) -> str:
    """The id that is `ident` or the only one that begins so; `what` the thing is, and where all are listed.

    Raises `NotFound` for none, `Refused` for several.
    """
    ident = ident.strip().lower()
    found = sorted({one for one in ids if one == ident or (len(ident) >= MIN_PREFIX and one.startswith(ident))})
    if ident in found:
        return ident
    if len(found) > 1:
        shown = ", ".join(one[: len(ident) + 8] for one in found[:4])
        raise Refused(f"{ident} is the beginning of {len(found)} ids ({shown}); give more of it.")
    if not found:
        least = f" (an id is named by {MIN_PREFIX} or more of its characters)" if len(ident) < MIN_PREFIX else ""
        raise NotFound(f"There is no {what.format(ident)}{least}.")
    return found[0]


def key_of(tracker: Tracker, ident: str) -> str:
    """The key of the mail with this id or beginning of an id, in an issue or in the pool. Raises as `one_of`."""
    tracker.index.catch_up()
    found = tracker.index.find(ident.strip().lower()) if len(ident.strip()) >= MIN_PREFIX else []
    return one_of(ident, (key for key, _ in found), "mail {}; `flask emails list` shows those of no issue")


def listed(tracker: Tracker, states: Sequence[str] = POOLS) -> Listed:
    """The mails of no issue in these states, the newest first."""
    found: list[tuple[Pooled, str]] = []
    damaged: list[str] = []
    for account in tracker.pool.accounts():
        # A mail that is moved while the folders are read may be met twice.
        for key, state in dict(tracker.pool.entries(account)).items():
            if state in states:
                try:
                    found.append((tracker.pool.load(account, key), state))
                except Damaged as error:
                    damaged.append(str(error))
                except NotFound:  # An issue took it, or it is a stranger's file in our Maildir.
                    continue
    found.sort(key=lambda pair: (pair[0].mail.received, pair[0].mail.key), reverse=True)
    titles = {project.id: project.title for project in tracker.people.load_all().projects}
    return Listed([_row(pooled, state, titles) for pooled, state in found], damaged)


def shown(tracker: Tracker, ident: str) -> Row:
    """One mail with its text, in an issue or in the pool. Raises `NotFound`, `Refused`, `Damaged`."""
    key = key_of(tracker, ident)
    titles = {project.id: project.title for project in tracker.people.load_all().projects}
    number = tracker.index.filed(key)
    if number is None:
        account, state = tracker.index.pooled(key) or ("", "")
        pooled = tracker.pool.load(account, key)
        state = tracker.pool.outcome(account, key) or state
        row = {**_row(pooled, state, titles), "issue": None}
        return {**row, **_more(tracker, pooled.mail, tracker.pool.path(account, key))}
    issue = tracker.issues.load(number)
    filing = next((one for one in messages(tracker.issues.events(issue)) if one.key == key), None)
    if filing is None:
        raise NotFound(f"Issue {number} has no mail {key[:12]} any more.")
    pooled = Pooled(
        account=filing.destination, project=issue.project, when=filing.received, mail=filing, trace=filing.trace
    )
    row = {**_row(pooled, "blocked" if filing.blocked else "filed", titles), "issue": number}
    return {**row, **_more(tracker, filing, tracker.issues.mail_path(number, key))}


def why(row: Row, *, only_answers: bool = False) -> tuple[str, ...]:
    """The trace of a mail's row as sentences; `only_answers`: without the rules that passed the question on."""
    rows = msgspec.convert(row["trace"], tuple[TraceRow, ...])
    return sentences(tuple(one for one in rows if not (only_answers and one.answer == PASS)))


def attachments(filing: Filing) -> list[Row]:
    """The attachments of a mail, by name, type and size in bytes."""
    return [{"name": one.name, "type": one.type, "size": one.size} for one in filing.attachments]


def _row(pooled: Pooled, state: str, titles: dict[str, str]) -> Row:
    mail = pooled.mail
    return {
        "id": mail.key,
        "account": pooled.account,
        "project": titles.get(pooled.project, pooled.project) or None,
        "state": state,
        "from": mail.from_.address or mail.from_.name,
        "to": [one.address or one.name for one in mail.to],
        "subject": mail.subject,
        "date": mail.date,
        "message_id": mail.message_id,
        "attachments": attachments(mail),
        "trace": [msgspec.structs.asdict(row) for row in pooled.trace],
    }


def _more(tracker: Tracker, mail: Filing, path: Path) -> Row:
    return {
        "from_name": mail.from_.name,
        "verified": mail.verified,
        "cc": [one.address or one.name for one in mail.cc],
        "received": mail.received,
        "automatic": mail.automatic or None,
        "blocked": mail.blocked or None,
        "duplicate_of": mail.duplicate_of or None,
        "text": reading(tracker.cache, mail.digest, path).text,
    }
