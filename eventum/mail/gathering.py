"""All leaves of a mail, each decoded once and hashed once, with those that were found in containers.

A MIME tree in, `Gathered` out: what is text and what a file, of which kind; which of the texts are read is decided by
`bodies`.
"""

import hashlib
from typing import Final

import msgspec

from eventum.mail import containers
from eventum.mail.bodies import Item
from eventum.mail.charsets.charset import codec
from eventum.mail.content import Leaf, charset_of, decoded, disposition_of, encoding_of, file_name, is_mail
from eventum.mail.formats.calendar import Invitation
from eventum.mail.parts import MAX_PARTS, Tree

_LINES: Final = frozenset({"", "7bit", "8bit", "quoted-printable"})  # line ends may change on the way
_ENCODINGS: Final = _LINES | {"binary", "base64", "x-uuencode", "uuencode", "x-uue", "uue"}
_TEXTS: Final = frozenset(
    {"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown"}
)


class Gathered(msgspec.Struct):
    """All leaves of a mail, decoded, with those that were found in containers; `multiparts` as of a `Tree`."""

    items: list[Item]
    multiparts: dict[str, str]
    defects: list[str]
    seals: list[str]
    digest: str
    events: list[Invitation] = []


def gather(tree: Tree, simply: bool = False) -> Gathered:
    """All leaves of the mail, and of what is opened in it, decoded; the digest is of the former.

    `simply`: nothing is opened.
    """
    digest = hashlib.sha256()
    multiparts = {path: content.type for path, content in tree.multiparts.items()}
    found = Gathered([], multiparts, [], containers.seals_of(tree.multiparts), "")
    alone = len(tree.leaves) == 1
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
            found.defects.append("unknown-encoding")
        _take(found, leaf, data, alone, level=containers.MAX_LEVELS if simply else 0)
    found.digest = digest.hexdigest()
    return found


def _take(found: Gathered, leaf: Leaf, data: bytes, alone: bool, *, level: int = 0) -> None:
    """Put one leaf, or what it holds, among what was found."""
    is_body = is_text(leaf, alone)
    if is_body and codec(charset_of(leaf)) is None:
        found.defects.append("unknown-charset")
    if is_body and not containers.has_files(leaf, data):
        found.items.append(Item(leaf, data, True))
        return
    if is_body or containers.may_be_opened(leaf, data):
        box = containers.opened(leaf, data) if level < containers.MAX_LEVELS else None
        if box is not None:
            _unpack(found, box, level)
            return
        if level >= containers.MAX_LEVELS:
            found.defects.append("limit-depth")
    found.items.append(Item(leaf, data, is_body, kind=kind_of(leaf, data)))


def _unpack(found: Gathered, box: containers.Box, level: int) -> None:
    found.seals.extend(box.seals)
    found.defects.extend(box.defects)
    found.multiparts.update(box.multiparts)
    if box.event is not None:
        found.events.append(box.event)
    found.items.extend(box.items)
    for inner in box.leaves:
        if len(found.items) >= 2 * MAX_PARTS:
            found.defects.append("limit-parts")
            return
        _take(found, inner, decoded(inner), box.alone, level=level + 1)


def is_text(leaf: Leaf, alone: bool) -> bool:
    """Whether a leaf is text to be read, not an attachment; `alone`: the mail has no other."""
    if leaf.type not in _TEXTS:
        return False
    if "content-disposition" not in leaf.headers and "name" not in leaf.parameters:
        return True
    disposition, _ = disposition_of(leaf.headers)
    return disposition != "attachment" and (alone or not file_name(leaf))


def kind_of(leaf: Leaf, data: bytes) -> str:
    """What an attachment is to a reader; see `Attachment`."""
    kind = containers.KINDS.get(leaf.type, "")
    if kind:
        return kind
    if is_mail(leaf, data):
        return "mail"
    return "calendar" if leaf.type == "application/ics" or file_name(leaf).lower().endswith(".ics") else ""


def item_at(tree: Tree, part: str) -> Item | None:
    """The leaf with this path, or else the attached mail in which it lies; None when there is neither."""
    head = part.partition("/")[0]
    leaf = next((leaf for leaf in tree.leaves if leaf.path == head), None)
    if leaf is None:
        return None
    data = decoded(leaf)
    if head == part:
        return Item(leaf, data, False, kind_of(leaf, data))
    found = Gathered([], {}, [], [], "")
    _take(found, leaf, data, len(tree.leaves) == 1)
    mail = next((item for item in found.items if item.kind == "mail" and part.startswith(item.leaf.path + "/")), None)
    return next((item for item in found.items if item.leaf.path == part and not item.fallback), mail)
