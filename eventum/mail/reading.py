"""What the leaves of a mail come to: the readable text and the attachments.

A MIME tree in, one `Body` out.  Text parts that are shown inline make the text, of alternatives the best; everything
else is an attachment, under a label that is never a path.  `gathering` finds what there is, also in what is opened;
`bodies` chooses the text.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from eventum.mail.bodies import Item, chosen
from eventum.mail.charsets.charset import decode
from eventum.mail.content import (
    MAX_NAME,
    Leaf,
    charset_of,
    content_id,
    default_name,
    disposition_of,
    file_name,
    has_long_name,
    subject_name,
)
from eventum.mail.formats.calendar import Invitation
from eventum.mail.gathering import gather
from eventum.mail.headers import Headers
from eventum.mail.html.text import MAX_HTML, html_to_text
from eventum.mail.parts import Tree

MAX_TEXT: Final = 500_000  # characters
MAX_TEXT_BYTES: Final = 2_000_000  # that are looked at for the text, of all parts together
MAX_EVENTS: Final = 20
_NO_FILES: Final = frozenset({"tnef", "signature", "report"})
_GUESSED: Final = 20  # text parts for which the slow guess of a charset is made
_ASCII_CONTROLS: Final = dict.fromkeys((*range(9), *range(11, 32), 127))  # the quick way, of the same signs
_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Attachment(msgspec.Struct, frozen=True):
    """A leaf of the MIME tree that is not the text; `part` is its path ("2.1"), `size` counts decoded bytes.

    The path of what lies in a container (a mail in this one, winmail.dat, a text with files in it, an opaque
    signature) is the container's path, a slash, and the path in there: "3/2".  `kind` is "mail" for what can be opened
    as a mail, "calendar", "tnef", "signature" or "report" for what is no file for people, "" for a file.
    """

    part: str
    name: str
    type: str
    size: int
    cid: str = ""
    inline: bool = False
    kind: str = ""


def files(attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Those that are files to a person: no signatures, no reports, and not winmail.dat, whose files are listed too."""
    return tuple([one for one in attachments if one.kind not in _NO_FILES])


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail holds below its header: `charset` is what its raw header bytes are most likely written in."""

    text: str
    html: bool
    attachments: tuple[Attachment, ...]
    defects: tuple[str, ...]
    digest: str
    charset: str | None
    seals: tuple[str, ...] = ()
    events: tuple[Invitation, ...] = ()


def read_body(tree: Tree, simply: bool = False) -> Body:
    """The text, the attachments, and the sha256 of all decoded leaves, in which line ends of lines do not count.

    `simply`: nothing is opened, for a mail on which one of the readers for rare things stumbles.
    """
    found = gather(tree, simply)
    plain = chosen(found.items, found.multiparts, rich=False)
    rich = _has_html(found.items) and _has_html(chosen(found.items, found.multiparts, rich=True))
    texts = [item for item in found.items if item.is_text and not item.fallback]
    texts.sort(key=lambda item: item.leaf.type != "text/plain")
    text = _joined(plain, found.defects, tree.block.headers)
    others = [item for item in found.items if not item.is_text]
    is_calendar = not simply and any(item.kind == "calendar" for item in others)
    events = _events(others) if is_calendar else tuple(found.events)
    if len(events) > MAX_EVENTS:
        found.defects.append("limit-events")
    return Body(
        text=text,
        html=rich,
        attachments=tuple([attachment_of(item, found.defects) for item in others]),
        defects=tuple(dict.fromkeys(found.defects)),
        digest=found.digest,
        charset=charset_of(texts[0].leaf) if texts else None,
        seals=tuple(dict.fromkeys(found.seals)),
        events=events[:MAX_EVENTS],
    )


def _has_html(items: Sequence[Item]) -> bool:
    return any(item.is_text and item.leaf.type == "text/html" for item in items)


def shown(tree: Tree) -> tuple[list[Item], list[Item]]:
    """What is to be seen of a mail as HTML, in its order: texts of both kinds, and pictures that stand between them;
    and all its leaves, for the pictures those texts name.
    """
    found = gather(tree)
    texts = chosen(found.items, found.multiparts, rich=True)
    places = {id(item) for item in texts}
    between = [item for item in found.items if id(item) in places or _is_between(item)]
    return between, found.items


def _is_between(item: Item) -> bool:
    """Whether a leaf is a picture that may belong between the texts."""
    return item.leaf.type.startswith("image/") and disposition_of(item.leaf.headers)[0] != "attachment"


def attachment_of(item: Item, defects: list[str]) -> Attachment:
    """The line of one leaf in the list of attachments."""
    leaf, data = item.leaf, item.data
    name = file_name(leaf)
    if len(name) > MAX_NAME - 13 and has_long_name(leaf):
        defects.append("limit-names")
    if not name and item.kind == "mail":
        name = subject_name(data)
    disposition = disposition_of(leaf.headers)[0] if "content-disposition" in leaf.headers else ""
    cid = content_id(leaf.headers)
    return Attachment(
        part=leaf.path,
        name=name or default_name(leaf),
        type=leaf.type,
        size=len(data),
        cid=cid,
        inline=disposition == "inline" or (bool(cid) and disposition != "attachment"),
        kind=item.kind,
    )


def _events(others: Sequence[Item]) -> tuple[Invitation, ...]:
    from eventum.mail.formats.icalendar import invitations  # Few mails are invitations.

    events: list[Invitation] = []
    known: set[bytes] = set()
    for item in others:
        # Outlook and others send the same calendar twice: as a text and as a file.
        if item.kind == "calendar" and item.data.strip() not in known and len(events) < MAX_EVENTS:
            known.add(item.data.strip())
            method = item.leaf.parameters.get("method", "")
            events += invitations(item.data, item.leaf.path, charset_of(item.leaf), method)
    return tuple(events)


def text_of(item: Item, data: bytes, guess: bool, headers: Headers | None = None) -> str:
    """The readable text of one text leaf, of which `data` is as much as shall be read.

    `headers` of the mail: what its encoded words are written in is the best hint for a text that does not say.
    """
    return _reader(item.leaf)(_source(item.leaf, data, guess, headers))


def _source(leaf: Leaf, data: bytes, guess: bool, headers: Headers | None) -> str:
    """The text of a leaf as it was written, HTML with its tags, in clean characters and lines."""
    declared = charset_of(leaf)
    if declared is None and headers is not None and not data.isascii():
        declared = headers.words_charset()
    text = decode(data, declared, guess)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_ASCII_CONTROLS) if text.isascii() else _CONTROLS.sub("", text)


def _reader(leaf: Leaf) -> Callable[[str], str]:
    if leaf.type == "text/html":
        return html_to_text
    if leaf.type in ("text/enriched", "text/richtext"):
        from eventum.mail.formats.enriched import enriched_to_text  # Hardly anybody writes it any more.

        return enriched_to_text
    if "format" in leaf.parameters and leaf.parameters["format"].strip().lower() == "flowed":
        from eventum.mail.formats.flowed import unflowed

        joins_words = leaf.parameters.get("delsp", "").strip().lower() == "yes"
        return lambda text: unflowed(text, joins_words)
    return str


def _joined(items: Sequence[Item], defects: list[str], headers: Headers) -> str:
    """The texts one after the other, as far as there is room for them."""
    texts = list(_texts(items, defects, headers))
    text = "\n\n".join(text.strip("\n") for text in texts)
    if len(text) >= MAX_TEXT:  # HTML is cut while it is read
        defects.append("limit-text")
    return text[:MAX_TEXT]


def _texts(items: Sequence[Item], defects: list[str], headers: Headers) -> Iterator[str]:
    room, length = MAX_TEXT_BYTES, 0
    for number, item in enumerate(items):
        if length >= MAX_TEXT or room <= 0:
            defects.append("limit-text")
            return
        data = item.data
        if len(data) > room:
            data = _cut(data, room)
            defects.append("limit-text")
        source = _source(item.leaf, data, number < _GUESSED, headers)
        if item.leaf.type == "text/html" and len(source) > MAX_HTML:
            defects.append("limit-text")
        text = _reader(item.leaf)(source)
        room -= len(data)
        if text.strip():
            length += len(text)
            yield text


def _cut(data: bytes, room: int) -> bytes:
    # At the end of a line, so that no character and no escape sequence is cut in two.
    newline = data.rfind(b"\n", room // 2, room)
    return data[: newline + 1 if newline >= 0 else room]
