"""What holds other parts without being a multipart: winmail.dat, an opaque signature, a text with files in it.

A decoded leaf in, a `Box` out: the leaves in it, under paths of their own ("2/1" is the first thing in leaf 2).  A
mail in a mail is no such box: it is one attachment, and read when somebody opens it.  The readers of what is rare
are loaded when it comes.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from eventum.mail.bodies import Item
from eventum.mail.charsets.charset import decode
from eventum.mail.content import Content, Leaf, type_of
from eventum.mail.formats import armour, uuencode
from eventum.mail.formats.calendar import Invitation
from eventum.mail.headers import Headers

MAX_LEVELS: Final = 5  # boxes in boxes, and mails in mails, that are opened
MAX_FILES: Final = 500  # of one box
_TNEF: Final = b"\x78\x9f\x3e\x22"
_TNEF_TYPES: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CMS_TYPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ANY_TYPE: Final = frozenset({"application/octet-stream", "application/x-unknown"})
_RARE: Final = _TNEF_TYPES | _CMS_TYPES | _ANY_TYPE
_ATTACHED: Final = {"content-disposition": [b"attachment"]}
KINDS: Final = {
    "message/rfc822": "mail",
    "message/global": "mail",
    "message/news": "mail",
    "text/calendar": "calendar",
    "application/pgp-signature": "signature",
    "application/pgp-encrypted": "signature",  # holds a version number and nothing else
    "application/pkcs7-signature": "signature",
    "application/x-pkcs7-signature": "signature",
    "message/delivery-status": "report",
    "message/global-delivery-status": "report",
    "message/disposition-notification": "report",
    "message/global-disposition-notification": "report",
    "message/feedback-report": "report",
    "text/rfc822-headers": "report",
    "message/global-headers": "report",
}


class Box(msgspec.Struct):
    """What was found in a leaf: `items` as they are, `leaves` that may be boxes themselves; `alone` as of `is_text`."""

    items: list[Item] = []
    leaves: list[Leaf] = []
    multiparts: dict[str, str] = {}
    seals: list[str] = []
    defects: list[str] = []
    alone: bool = False
    event: Invitation | None = None


def seals_of(multiparts: Mapping[str, Content]) -> list[str]:
    """Which signed and encrypted multiparts stand in a tree (RFC 1847, RFC 3156, RFC 8551)."""
    seals: list[str] = []
    for content in multiparts.values():
        if content.type in ("multipart/signed", "multipart/encrypted"):
            protocol = content.parameters.get("protocol", "").lower()
            what = "signed" if content.type == "multipart/signed" else "encrypted"
            if "pgp" in protocol:
                seals.append(f"pgp-{what}")
            elif "pkcs7" in protocol:
                seals.append(f"smime-{what}")
    return seals


def has_files(leaf: Leaf, data: bytes) -> bool:
    """Whether a text may hold more than text; cheap to ask."""
    return leaf.type == "text/plain" and (uuencode.has_files(data) or armour.is_armoured(data))


def may_be_opened(leaf: Leaf, data: bytes) -> bool:
    """Whether a leaf that is no text may be a box; cheap to ask."""
    return leaf.type in _RARE and (leaf.type not in _ANY_TYPE or data.startswith((_TNEF, b"\x30")))


def opened(leaf: Leaf, data: bytes) -> Box | None:
    """What the leaf holds, None when it is no box after all."""
    if leaf.type == "text/plain":
        return _text(leaf, data)
    if data.startswith(_TNEF):
        return _tnef(leaf, data)
    if leaf.type in _CMS_TYPES or data[:1] == b"\x30":
        return _cms(leaf, data)
    return None


def _text(leaf: Leaf, data: bytes) -> Box:
    text, files = uuencode.split(data)
    text, signatures, seals = armour.split(text)
    box = Box([Item(leaf, text, True)], seals=seals)
    if len(files) > MAX_FILES:
        box.defects.append("limit-attachments")
    for name, content in files[:MAX_FILES]:
        label = decode(name, leaf.parameters.get("charset"), guess=False)
        box.leaves.append(attached(f"{leaf.path}/{len(box.leaves) + 1}", type_of(label), content, name=label))
    for signature in signatures:
        path = f"{leaf.path}/{len(box.leaves) + 1}"
        box.leaves.append(attached(path, "application/pgp-signature", signature, name="signature.asc"))
    return box


def attached(path: str, type_: str, data: bytes, *, name: str, cid: str = "") -> Leaf:
    """A leaf for a file that has no fields of its own."""
    fields = {**_ATTACHED, "content-id": [cid.encode("utf-8", "replace")]} if cid else _ATTACHED
    return Leaf(path, Headers(dict(fields)), type_, {"name": name} if name else {}, data)


def _tnef(leaf: Leaf, data: bytes) -> Box | None:
    from eventum.mail.formats import tnef

    found = tnef.read(data)
    if found is None:
        return None
    box = Box([Item(leaf, data, False, "tnef")])
    if found.event is not None:
        box.event = msgspec.structs.replace(found.event, part=leaf.path)
    for type_, text in (("text/html", found.html), ("text/plain", found.text)):
        if text.strip():
            body = Leaf(f"{leaf.path}/0", Headers({}), type_, {"charset": "utf-8"}, text.encode("utf-8", "replace"))
            box.items.append(Item(body, body.body, True, fallback=True))
            break
    if len(found.files) > MAX_FILES:
        box.defects.append("limit-attachments")
    for number, file in enumerate(found.files[:MAX_FILES], start=1):
        box.leaves.append(attached(f"{leaf.path}/{number}", file.type, file.data, name=file.name, cid=file.cid))
    return box


def _cms(leaf: Leaf, data: bytes) -> Box | None:
    from eventum.mail.formats import cms
    from eventum.mail.parts import read_tree

    found = cms.opened(data)
    if found is None:
        return None
    if found.kind == "encrypted":
        return Box([Item(leaf, data, False)], seals=["smime-encrypted"])
    if found.content is None:  # nothing but certificates, or a signature of something else
        return Box([Item(leaf, data, False, "signature")])
    tree = read_tree(found.content)
    box = Box([Item(leaf, data, False, "signature")], seals=["smime-signed", *seals_of(tree.multiparts)])
    box.leaves = [msgspec.structs.replace(each, path=f"{leaf.path}/{each.path}") for each in tree.leaves]
    box.multiparts = {f"{leaf.path}/{path}": content.type for path, content in tree.multiparts.items()}
    box.defects = list(tree.defects)
    box.alone = len(tree.leaves) == 1
    return box
