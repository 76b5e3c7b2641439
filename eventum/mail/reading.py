"""What the leaves of a mail come to: the readable text and the attachments, each leaf decoded once and hashed once.

A MIME tree in, one `Body` out.  Text parts that are shown inline make the text, HTML only where there is no plain
text; everything else is an attachment, under a label that is never a path.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final

import msgspec

from eventum.mail.charset import codec, decode
from eventum.mail.content import (
    Leaf,
    charset_of,
    clean_name,
    content_id,
    decoded,
    default_name,
    disposition_of,
    encoding_of,
    file_name,
)
from eventum.mail.headers import split_block
from eventum.mail.html import html_to_text
from eventum.mail.parts import Tree
from eventum.mail.words import decode_words

MAX_TEXT: Final = 500_000  # characters
_MAX_BYTES: Final = 2_000_000  # that are looked at for the text, of all parts together
_GUESSED: Final = 20  # text parts for which the slow guess of a charset is made
_ASCII_CONTROLS: Final = dict.fromkeys((*range(9), *range(11, 32), 127))  # the quick way, of the same signs
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINES: Final = frozenset({"", "7bit", "8bit", "quoted-printable"})  # line ends may change on the way
_ENCODINGS: Final = _LINES | {"binary", "base64", "x-uuencode", "uuencode", "x-uue", "uue"}


class Attachment(msgspec.Struct, frozen=True):
    """A leaf of the MIME tree that is not the text; `part` is its path ("2.1"), `size` counts decoded bytes."""

    part: str
    name: str
    type: str
    size: int
    cid: str = ""
    inline: bool = False


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail holds below its header: `charset` is what its raw header bytes are most likely written in."""

    text: str
    html: bool
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...]
    digest: str
    charset: str | None


def read_body(tree: Tree) -> Body:
    """The text, the attachments, and the sha256 of all decoded leaves, in which line ends of lines do not count."""
    digest = hashlib.sha256()
    plain: list[tuple[Leaf, bytes]] = []
    rich: list[tuple[Leaf, bytes]] = []
    attachments: list[Attachment] = []
    defects: list[str] = []
    for leaf in tree.leaves:
        data = decoded(leaf)
        encoding = encoding_of(leaf.headers)
        if encoding in _LINES or leaf.type.startswith(("text/", "message/")):
            same = data.replace(b"\r\n", b"\n").rstrip()
            digest.update(b"%d\n" % len(same))
            digest.update(same)
        else:
            digest.update(b"%d\n" % len(data))
            digest.update(data)
        if encoding not in _ENCODINGS:
            defects.append("unknown-encoding")
        if is_text(leaf, len(tree.leaves) == 1):
            (plain if leaf.type == "text/plain" else rich).append((leaf, data))
            if codec(charset_of(leaf)) is None:
                defects.append("unknown-charset")
        else:
            attachments.append(_attachment(leaf, data))
    text = _joined(plain, str)
    return Body(
        text=text if text or not rich else _joined(rich, html_to_text),
        html=bool(rich),
        attachments=tuple(attachments),
        defects=tuple(dict.fromkeys(defects)),
        digest=digest.hexdigest(),
        charset=next((charset_of(leaf) for leaf, _ in (*plain, *rich)), None),
    )


def is_text(leaf: Leaf, alone: bool) -> bool:
    """Whether a leaf is text to be read, not an attachment; `alone`: the mail has no other."""
    if leaf.type not in ("text/plain", "text/html"):
        return False
    if "content-disposition" not in leaf.headers and "name" not in leaf.parameters:
        return True
    disposition, _ = disposition_of(leaf.headers)
    return disposition != "attachment" and (alone or not file_name(leaf))


def _attachment(leaf: Leaf, data: bytes) -> Attachment:
    name = file_name(leaf)
    if not name and leaf.type == "message/rfc822":
        subject = split_block(data[:_MAX_BYTES]).headers.first("subject")
        words = decode_words(subject or "").replace("/", " ").replace("\\", " ").split()
        name = clean_name(" ".join(words))
        name = f"{name}.eml" if name else ""
    disposition, _ = disposition_of(leaf.headers)
    cid = content_id(leaf.headers)
    return Attachment(
        part=leaf.path,
        name=name or default_name(leaf.path, leaf.type),
        type=leaf.type,
        size=len(data),
        cid=cid,
        inline=disposition == "inline" or (bool(cid) and disposition != "attachment"),
    )


def _joined(parts: list[tuple[Leaf, bytes]], reads: Callable[[str], str]) -> str:
    texts: list[str] = []
    room, length = _MAX_BYTES, 0
    for number, (leaf, data) in enumerate(parts):
        piece = data if len(data) <= room else _cut(data, room)
        text = reads(_text(leaf, piece, guess=number < _GUESSED))
        if text.strip():
            texts.append(text)
            length += len(text)
        room -= len(piece)
        if length >= MAX_TEXT or room <= 0:
            break
    return "\n\n".join(text.strip("\n") for text in texts)[:MAX_TEXT]


def _text(leaf: Leaf, data: bytes, guess: bool) -> str:
    text = decode(data, charset_of(leaf), guess)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_ASCII_CONTROLS) if text.isascii() else _CONTROLS.sub("", text)


def _cut(data: bytes, room: int) -> bytes:
    # At the end of a line, so that no character and no escape sequence is cut in two.
    newline = data.rfind(b"\n", room // 2, room)
    return data[: newline + 1 if newline >= 0 else room]
