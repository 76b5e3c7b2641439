r"""The trace headers above a spooled mail: who brought it and for whom, or where it is to go.

In flow an `Envelope` or a `Posting` and the raw mail, out flows one file, and back. The block is text that any mail
reader shows: header lines named X-Eventum-*, closed by X-Eventum-End. Only the block up to that line is ours: what
follows is the received mail byte for byte, whatever it begins with. Nothing here reads the mail itself.

A value stands as it is, in UTF-8, when it is printable; a backslash, controls, surrogates and bidi marks are written
as `\\` and `\uXXXX`. Long values are folded at a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

HEAD: Final = 8192
"""So many first octets of a file hold every block but one with hundreds of recipients or a monstrous subject."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """How a mail came in: for which account (or "address:x@y"), when, from where, and its SMTP envelope if known."""

    destination: str
    received: datetime
    sender: str | None = None  # None: nobody told it; "": the null sender
    recipients: tuple[str, ...] = ()
    source: str = ""
    quiet: bool = False


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that is to be sent to one recipient, and which notice of which issue and event it is (0 for none)."""

    key: str
    recipient: str
    sender: str  # "": the null sender
    type: str
    issue: int = 0
    event: int = 0
    message_id: str
    subject: str
    queued: datetime
    hold: str = ""  # the counter of the loop fuse that blew: the mail waits for a quiet hour, or for a person


Trace = Envelope | Posting
_Lines = Iterator[tuple[str, str]]
_Fields = dict[str, list[str]]

_PREFIX: Final = "X-Eventum-"
_FIRST: Final = {Envelope: b"X-Eventum-Trace: in 1\r\n", Posting: b"X-Eventum-Trace: out 1\r\n"}
_END: Final = b"X-Eventum-End: mail follows\r\n"
_LINE: Final = 100  # letters after which a value is folded at the next chance

_ESCAPED: Final = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_ESCAPE: Final = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")
_SINGLE_BLANK: Final = re.compile(r"(?<=[^ ]) (?=[^ ])")  # a fold elsewhere would leave a line that looks empty


def stamp(trace: Trace, raw: bytes) -> bytes:
    """The file to keep: the trace headers, then `raw` unchanged."""
    lines = _envelope_lines(trace) if isinstance(trace, Envelope) else _posting_lines(trace)
    block = "".join([f"{_PREFIX}{name}: {_escape(value)}\r\n" for name, value in lines])
    return b"".join((_FIRST[type(trace)], block.encode("utf-8"), _END, raw))


def read(data: bytes) -> tuple[Trace | None, bytes]:
    """What `stamp` was given. A file without a whole block of ours gives None and all of `data`; never raises."""
    kind = next((kind for kind, first in _FIRST.items() if data.startswith(first)), None)
    if kind is None:
        return None, data
    end = data.find(b"\r\n" + _END)
    if end < 0:
        return None, data
    try:
        fields = _fields(data[len(_FIRST[kind]) : end].decode("utf-8"))
        trace = _envelope(fields) if kind is Envelope else _posting(fields)
    except (KeyError, ValueError, OverflowError):  # our names with values that we never write
        return None, data
    return trace, data[end + len(b"\r\n" + _END) :]


def read_head(data: bytes) -> Trace | None:
    """The trace alone, from the first `HEAD` octets of a file or more; None when the block is not whole in them."""
    return read(data)[0]


def _envelope_lines(trace: Envelope) -> _Lines:
    yield "Destination", trace.destination
    yield "Received", _when(trace.received)
    yield "Source", trace.source
    yield "Quiet", "yes" if trace.quiet else "no"
    if trace.sender is not None:
        yield "Sender", trace.sender
    for recipient in trace.recipients:
        yield "Recipient", recipient


def _envelope(fields: _Fields) -> Envelope:
    return Envelope(
        destination=fields["Destination"][0],
        received=_read_when(fields["Received"][0]),
        source=fields["Source"][0],
        quiet=fields["Quiet"][0] == "yes",
        sender=fields.get("Sender", [None])[0],
        recipients=tuple(fields.get("Recipient", ())),
    )


def _posting_lines(trace: Posting) -> _Lines:
    yield "Key", trace.key
    yield "Recipient", trace.recipient
    yield "Sender", trace.sender
    yield "Type", trace.type
    yield "Issue", str(trace.issue)
    yield "Event", str(trace.event)
    yield "Queued", _when(trace.queued)
    yield "Message-Id", trace.message_id
    if trace.hold:
        yield "Hold", trace.hold
    yield "Subject", trace.subject


def _posting(fields: _Fields) -> Posting:
    return Posting(
        key=fields["Key"][0],
        recipient=fields["Recipient"][0],
        sender=fields["Sender"][0],
        type=fields["Type"][0],
        issue=int(fields["Issue"][0]),
        event=int(fields["Event"][0]),
        queued=_read_when(fields["Queued"][0]),
        message_id=fields["Message-Id"][0],
        subject=fields["Subject"][0],
        hold=fields.get("Hold", [""])[0],
    )


def _fields(block: str) -> _Fields:
    # Names that this version does not know are passed over, so that an older program reads a newer one's spool.
    fields: _Fields = {}
    for line in block.replace("\r\n ", " ").split("\r\n"):
        name, colon, value = line.partition(": ")
        if not colon or not name.startswith(_PREFIX):
            raise ValueError
        fields.setdefault(name[len(_PREFIX) :], []).append(_unescape(value))
    return fields


def _escape(value: str) -> str:
    if not (value.isascii() and value.isprintable() and "\\" not in value):
        value = _ESCAPED.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", value)
    if len(value) <= _LINE:
        return value
    lines, start = [], 0
    while blank := _SINGLE_BLANK.search(value, start + _LINE):
        lines.append(value[start : blank.start()])
        start = blank.end()
    return "\r\n ".join([*lines, value[start:]])


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", value)


def _when(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()


def _read_when(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time.astimezone(UTC)
