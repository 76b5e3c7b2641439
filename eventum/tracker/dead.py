"""The mail no runner could handle, kept for a person.

Flows in: an id or the beginning of one. Flows out: rows of plain values; a mail that is tried again or deleted. Such a
mail is read in the guarded child only: it may be the one that kills who reads it.
"""

from pathlib import Path

from eventum.errors import NotFound
from eventum.mail.envelope import HEAD, Envelope, read, read_head
from eventum.mail.words import clean_line, decode_words
from eventum.store import files
from eventum.store.records import ITS_OWN_FAULT
from eventum.store.spool import Dead
from eventum.tracker.mails import Row, one_of
from eventum.tracker.queues import headers_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker

LINE = 400  # Bytes of a From or Subject that are looked at: so little can hang or eat nothing.
HEADERS = 8192  # Characters of the headers that are shown: in such a mail they may never end.


def dead_mails(tracker: Tracker) -> list[Row]:
    """All dead mails, the oldest first."""
    return [_row(dead, path) for dead, path in tracker.spool.dead()]


def dead_mail(tracker: Tracker, ident: str) -> Row:
    """One dead mail with its headers and, when it can be read, its text. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    dead, path = next(((dead, path) for dead, path in tracker.spool.dead() if dead.key == key), (None, None))
    if dead is None or path is None:
        raise NotFound("There is no dead mail {key}.", key=key)
    tracker.reader.ask(str(path))
    answer = tracker.reader.answer()
    tracker.reader.close()  # Who shows a mail now and then needs no child that waits for the next.
    return {
        **_row(dead, path),
        "headers": headers_of(raw_bytes(path))[:HEADERS],
        "text": answer.message.text if answer.message else None,
        "error": answer.error or None,
    }


def dead_bytes(tracker: Tracker, ident: str) -> tuple[str, bytes]:
    """The id of a dead mail, and the mail as it was received. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    path = next((path for dead, path in tracker.spool.dead() if dead.key == key), None)
    if path is None:
        raise NotFound("There is no dead mail {key}.", key=key)
    return key, raw_bytes(path)


def retry(tracker: Tracker, ident: str) -> str:
    """Let a dead mail be decided by the next run; its id. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    tracker.spool.retry(key)
    return key


def delete(tracker: Tracker, ident: str) -> str:
    """Delete a dead mail for good; its id. Raises `NotFound`, `Refused`."""
    key = _key(tracker, ident)
    tracker.spool.forget(key)
    return key


def _key(tracker: Tracker, ident: str) -> str:
    return one_of(ident, (dead.key for dead, _ in tracker.spool.dead()), "dead mail {}; `flask dead list` shows all")


def _row(dead: Dead, path: Path) -> Row:
    try:
        data = files.read_head(path, HEAD)
    except OSError as error:
        if error.errno not in ITS_OWN_FAULT:
            raise
        data = b""  # `verify` names it; that it lies here is known all the same.
    trace = read_head(data)
    envelope = trace if isinstance(trace, Envelope) else None
    head = read(data)[1]
    return {
        "id": dead.key,
        "account": envelope.destination if envelope else None,
        "received": envelope.received if envelope else None,
        "sender": envelope.sender if envelope else None,
        "recipients": list(envelope.recipients) if envelope else [],
        "from": field(head, b"from"),
        "subject": field(head, b"subject"),
        "size": path.stat().st_size,
        "reason": dead.reason,
        "attempts": dead.attempts,
        "when": dead.when,
    }


def field(head: bytes, name: bytes) -> str:
    """The beginning of one line of a mail's head, read by hand; "" when it is not there.

    The reader of mails is the one that this mail broke, so of it only the decoding of words is used, on a few bytes.
    """
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if not line:
            break
        if line[: len(name) + 1].lower() == name + b":":
            text = line[len(name) + 1 :][:LINE].decode("utf-8", "replace").strip()
            return clean_line(decode_words(text), LINE)
    return ""
