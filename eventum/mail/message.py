"""What a mail says: raw bytes in (without our trace headers), one frozen `Message` out, whatever the bytes are.

`parse` never raises and its time is linear in the size of the mail.  It opens nothing, asks no clock, and decides
nothing: who may do what with a mail, and where it belongs, is said elsewhere, from what stands in the value.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from eventum.mail.address import MAX_TEXT, Address, clear_sender, is_address, normalise, one_person, parse_addresses
from eventum.mail.automatic import classify
from eventum.mail.dates import read_date, received_date
from eventum.mail.formats.calendar import Invitation
from eventum.mail.headers import MAX_FIELD_BYTES, Headers
from eventum.mail.opening import embedded, part_bytes
from eventum.mail.parts import Tree, prepared, read_tree, whole_tree
from eventum.mail.reading import Attachment, read_body
from eventum.mail.reports.dsn import Report, is_candidate
from eventum.mail.words import clean_line, decode_words, without_marks

__all__ = ["MAX_SUBJECT", "READING", "Attachment", "Message", "embedded", "message_of", "parse", "part_bytes"]

READING: Final = 2  # The edition of what is read out of a mail: what another edition read is read anew.
MAX_SUBJECT: Final = 998
MAX_ADDRESSES: Final = 500  # of one field
_MAX_ID: Final = 900
_MAX_IDS: Final = 100
_MAX_DELIVERED: Final = 50
_ID: Final = re.compile(r"<([^<>]{1,1200})>")
_WITH_ADDRESSES: Final = ("from", "to", "cc", "reply-to")
_LONG: Final = (*_WITH_ADDRESSES, "subject", "references")
_DELIVERED: Final = ("delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What one mail says.  Every str is clean UTF-8 (no lone surrogate), every time is aware UTC, ids carry their <>.

    `message_id` is made from the content when the mail has none that can be used.  `sender` is the one address the
    mail is clearly from, "" otherwise.  `return_path` is None without the header and "" for the null sender.

    `seals` are of "pgp-signed", "pgp-encrypted", "smime-signed" and "smime-encrypted": found, not verified.  `report`
    is what a machine says became of a mail of ours.  `defects` that begin with "limit-" name a limit that was reached.
    """

    message_id: str
    message_id_made: bool = False
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: tuple[Address, ...] = msgspec.field(default=(), name="from")
    sender: str = ""
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    return_path: str | None = None
    subject: str = ""
    date: datetime | None = None
    received: datetime | None = None
    text: str = ""
    html: bool = False
    attachments: tuple[Attachment, ...] = ()
    automatic: str = ""
    forwarded: bool = False
    defects: tuple[str, ...] = ()
    digest: str = ""
    reading: int = 0
    seals: tuple[str, ...] = ()
    events: tuple[Invitation, ...] = ()
    report: Report | None = None


def parse(raw: bytes) -> Message:
    """What `raw` says: a whole Message for any bytes, the same for the same bytes."""
    # The fence of parsing: a mail that our readers stumble over is a fault of ours, and must be kept and shown
    # nevertheless; so it is read without what is rare, then as one text, and in the end as nothing but bytes.
    for reader, simply in ((read_tree, False), (read_tree, True), (_as_one_piece, True)):
        try:
            return message_of(reader(raw), simply)
        except Exception:
            continue
    return _unreadable(raw)


def message_of(tree: Tree, simply: bool = False) -> Message:
    """The value of a mail whose MIME tree was read; may raise where a reader of ours has a fault.

    `simply`: no container is opened, no calendar and no report read.
    """
    headers = tree.block.headers
    body = read_body(tree, simply)
    headers.charset = body.charset
    subject = clean_line(decode_words(headers.first("subject") or ""), MAX_SUBJECT)
    from_ = one_person(_addresses(headers, "from"))
    date = headers.first("date")
    own_id = _message_id(headers)
    identity = "\0".join((" ".join(headers.texts("from")), date or "", without_marks(subject), body.digest))
    if not own_id:
        identity = "\0".join((identity, *_told_apart(headers)))
    message_id = own_id or f"<eventum-made.{_hash(identity)[:32]}@content.invalid>"
    when = read_date(date) if date else None
    spared = ("read-simply",) if simply else ()
    message = Message(
        message_id=message_id,
        message_id_made=not own_id,
        in_reply_to=_ids(headers, "in-reply-to"),
        references=_ids(headers, "references"),
        from_=from_,
        sender=clear_sender(from_, len(headers.texts("from"))),
        reply_to=_addresses(headers, "reply-to"),
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        delivered_to=_delivered_to(headers),
        return_path=_return_path(headers),
        subject=subject,
        date=when,
        received=_received(headers),
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        automatic=classify(headers, tuple(entry.address for entry in from_ if entry.address)),
        forwarded="x-forwarded-message-id" in headers,
        defects=tuple(
            dict.fromkeys(
                (*tree.block.defects, *_defects(headers, own_id, when), *tree.defects, *body.defects, *spared)
            )
        ),
        digest=_hash(f"{message_id}\0{identity}"),
        reading=READING,
        seals=body.seals,
        events=body.events,
    )
    if simply or not is_candidate(headers, message):
        return message
    from eventum.mail.reports.reader import with_report  # It needs this module, and few mails need it.

    return with_report(tree, message)


def _as_one_piece(raw: bytes) -> Tree:
    return whole_tree(*prepared(raw))


def _unreadable(raw: bytes) -> Message:
    digest = hashlib.sha256(raw).hexdigest()
    return Message(
        message_id=f"<eventum-made.{digest[:32]}@content.invalid>",
        message_id_made=True,
        text=raw[:10_000].decode("ascii", "replace"),
        defects=("unreadable",),
        digest=digest,
        reading=READING,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    texts = headers.texts(name)
    if not texts:
        return ()
    return parse_addresses(texts[0] if len(texts) == 1 else ",".join(texts), MAX_ADDRESSES)


def _message_id(headers: Headers) -> str:
    """The first Message-ID when an answer could name it again: one token of printable ASCII, else ""."""
    text = headers.first("message-id")
    if not text:
        return ""
    ids = _ids_in(text)
    return ids[0] if ids else ""


def _told_apart(headers: Headers) -> list[str]:
    """What else tells two mails without a Message-ID apart: programs send the same words again, for others or later."""
    # Without a Date the first server on the way says when it was; its line is the lowest, and the same on all ways.
    hops = headers.texts("received") if "date" not in headers else ()
    times = [received_date(hop) for hop in hops[-1:]]
    return [*headers.texts("reply-to"), *(when.isoformat() for when in times if when)]


def _ids(headers: Headers, name: str) -> tuple[str, ...]:
    texts = headers.texts(name)
    if not texts:
        return ()
    found = tuple(dict.fromkeys(_ids_in(" ".join(texts)[:MAX_FIELD_BYTES])))
    # Of a very long thread the root and the newest count (RFC 5322 section 3.6.4).
    return found if len(found) <= _MAX_IDS else (found[0], *found[1 - _MAX_IDS :])


def _ids_in(text: str) -> list[str]:
    # A folded id has blanks inside, where a client or a relay broke the line.
    ids = ["".join(found.split()) for found in _ID.findall(text)]
    if not ids:
        ids = [word for word in text.replace("<", " ").replace(">", " ").split() if "@" in word.strip("@")]
    return [f"<{id}>" for id in ids if id and len(id) < _MAX_ID and id.isascii() and id.isprintable()]


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    found = [
        entry.address for name in _DELIVERED if name in headers for entry in _addresses(headers, name) if entry.address
    ]
    return tuple(dict.fromkeys(found))[:_MAX_DELIVERED]


def _return_path(headers: Headers) -> str | None:
    text = headers.first("return-path")
    if text is None:
        return None
    path = text.strip("<> \t")
    if not path or path.lower() == "mailer-daemon":  # what Postfix writes for the null sender
        return ""
    return normalise(path) if is_address(path) else None


def _received(headers: Headers) -> datetime | None:
    text = headers.first("received")
    return received_date(text) if text else None


def _defects(headers: Headers, own_id: str, when: datetime | None) -> list[str]:
    found = []
    if not own_id:
        found.append("bad-message-id" if "message-id" in headers else "no-message-id")
    if when is None:
        found.append("bad-date" if "date" in headers else "no-date")
    found.extend(_limits(headers))
    found.extend(f"two-{name}" for name in ("from", "message-id", "subject", "date") if len(headers.texts(name)) > 1)
    return found


def _limits(headers: Headers) -> Iterator[str]:
    """The limits that fields of this header reached."""
    for name in _LONG:
        if headers.is_cut(name):
            yield "limit-headers"
        for text in headers.texts(name):
            # An address has three signs and a comma at least.
            if name in _WITH_ADDRESSES and len(text) > 4 * MAX_ADDRESSES and _is_cut(headers, name, text):
                yield "limit-addresses"


def _is_cut(headers: Headers, name: str, text: str) -> bool:
    return len(text) > MAX_TEXT or len(_addresses(headers, name)) >= MAX_ADDRESSES
