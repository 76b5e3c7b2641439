"""Takes what issues and mails say into the full-text index, some at a time, so that no mail waits for it.

Flows in: the texts that are due, and how long it may take. Flows out: how many are still due. No lock is held while a
text is read. What a mail says comes from its reading in the cache; a mail that was not read yet is read in the guarded
child, never here, unless we wrote it ourselves.
"""

import time

from eventum.errors import Damaged, NotFound
from eventum.mail.message import Message
from eventum.store.fulltext import Due, Text
from eventum.tracker.guard import reading
from eventum.tracker.reading import cached
from eventum.tracker.tracker import Tracker

MOST_PEOPLE = 50  # Of one mail; a list of a thousand recipients says nothing about it.
STEP = 50  # Texts that are written at once: the index is locked for some milliseconds only.
AFTER_A_RUN = 10.0  # Seconds at the end of `process-queue`.
BEFORE_AN_ANSWER = 0.5  # Seconds when somebody searches.


def take_in(tracker: Tracker, seconds: float) -> int:
    """Take texts in for so many seconds at most, or until all are; how many are still due.

    Raises `Busy` when the index cannot be written now.
    """
    end = time.monotonic() + seconds
    tracker.index.catch_up()
    while time.monotonic() < end and (step := tracker.index.due(STEP)):
        read: list[tuple[Due, Text | None]] = []
        for due in step:
            read.append((due, _text(tracker, due)))
            if time.monotonic() > end:
                break
        tracker.index.take(read)
    left = tracker.index.due_count()
    if not left:
        tracker.reader.close()  # Needed after the cache was lost; no web process has to keep a child for ever after.
    return left


def _text(tracker: Tracker, due: Due) -> Text | None:
    try:
        if not due.key:
            issue = tracker.issues.load(due.issue)
            return Text(f"{issue.summary}\n{issue.reporter}", issue.description)
        message = _message(tracker, due)
    except (NotFound, Damaged):  # Removed meanwhile, or it is mended one day and noted again with its next change.
        return None
    if message is None:
        return None
    people = (*message.from_, *message.to, *message.cc)
    names = "\n".join(f"{one.name} {one.address}" for one in people[:MOST_PEOPLE])
    files = "\n".join(one.name for one in message.attachments)
    return Text(f"{message.subject}\n{names}", f"{message.text}\n{files}")


def _message(tracker: Tracker, due: Due) -> Message | None:
    """What a mail says; None for one that the child could not read: it is shown, and not found by its words."""
    found = cached(tracker.cache, due.digest)
    if found is not None:
        return found
    if due.issue:
        path = tracker.issues.mail_path(due.issue, due.key)
    elif due.account:
        path = tracker.pool.path(due.account, due.key)
    else:
        raise NotFound(f"The mail {due.key[:12]} is in no issue and in no list any more.")
    if due.outgoing:
        return reading(tracker.cache, due.digest, path)
    tracker.reader.ask(str(path))
    return tracker.reader.answer().message
