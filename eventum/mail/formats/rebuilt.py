"""A mail made of what Outlook packed: the values of a `Packed` in, the bytes of a mail out.

The same values give the same bytes, so the mail can be made anew whenever somebody opens it.
"""

import binascii
import hashlib
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

import msgspec

from eventum.mail.address import is_address
from eventum.mail.formats.calendar import Invitation
from eventum.mail.safe import disposition
from eventum.mail.words import clean_line, encode_words


class File(NamedTuple):
    """A file, or a message (`type` is then message/rfc822, and its bytes are a mail that was made of it)."""

    name: str
    type: str
    data: bytes
    cid: str = ""


class Packed(msgspec.Struct):
    """What a winmail.dat holds; the texts are "" where it has none of that kind."""

    subject: str = ""
    text: str = ""
    html: str = ""
    files: list[File] = []
    sender: str = ""
    address: str = ""
    sent: datetime | None = None
    event: Invitation | None = None


def rebuilt(packed: Packed) -> bytes:
    """The mail: its header as far as it is known, its text, its HTML and its files."""
    parts = []
    if packed.text or not packed.html:
        parts.append(_part("text/plain; charset=utf-8", packed.text.encode("utf-8", "replace")))
    if packed.html:
        parts.append(_part("text/html; charset=utf-8", packed.html.encode("utf-8", "replace")))
    body = _multipart("alternative", parts) if len(parts) > 1 else parts[0]
    if packed.files:
        files = [_file(file.name, file.type, file.data, file.cid) for file in packed.files]
        body = _multipart("mixed", [body, *files])
    return _head(packed) + body


def _head(packed: Packed) -> bytes:
    lines = ["MIME-Version: 1.0"]
    if packed.subject:
        lines.append(f"Subject: {encode_words(clean_line(packed.subject, 900))}")
    address = packed.address if is_address(packed.address) else "unknown@invalid"
    if packed.sender or packed.address:
        name = encode_words(clean_line(packed.sender or packed.address, 200))
        lines.append(f"From: {name} <{address}>")
    if packed.sent is not None:
        lines.append(f"Date: {format_datetime(packed.sent)}")
    return "".join(f"{line}\n" for line in lines).encode("ascii", "replace")


def _part(type_: str, data: bytes, more: str = "") -> bytes:
    head = f"Content-Type: {type_}\nContent-Transfer-Encoding: base64\n{more}\n"
    coded = binascii.b2a_base64(data, newline=False)
    lines = [coded[at : at + 76] for at in range(0, len(coded), 76)]
    return head.encode("ascii", "replace") + b"\n".join(lines) + b"\n"


def _file(name: str, type_: str, data: bytes, cid: str) -> bytes:
    more = f"Content-Disposition: {disposition('attachment', name)}\n"
    if cid and cid.isascii() and cid.isprintable():
        more += f"Content-ID: <{cid}>\n"
    return _part(type_, data, more)


def _multipart(kind: str, parts: list[bytes]) -> bytes:
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]
    mark = f"--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode("ascii")
    return head + b"".join(mark + b"\n" + part + b"\n" for part in parts) + mark + b"--\n"
