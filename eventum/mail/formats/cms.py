"""What an S/MIME part holds (RFC 8551, RFC 5652): its BER in, its kind and, of a signed one, the signed content out.

Nothing is verified or decrypted.  The reader knows only what leads to the content, and counts every step.
"""

import binascii
from typing import Final, NamedTuple

MAX_PIECES: Final = 200_000  # of a content that is written in pieces
_MAX_DEPTH: Final = 8
_PKCS7: Final = bytes.fromhex("06092a864886f70d0107")
_SIGNED: Final = _PKCS7 + b"\x02"
_ENCRYPTED: Final = (
    _PKCS7 + b"\x03",
    _PKCS7 + b"\x06",
    bytes.fromhex("060b2a864886f70d0109100117"),  # authenticated enveloped data, RFC 5083
)
_SEQUENCE: Final = 0x30
_EXPLICIT: Final = 0xA0
_OCTETS: Final = 0x04


class Opened(NamedTuple):
    """`kind` is "signed" or "encrypted"; `content` the signed MIME entity, None where there is none to be had."""

    kind: str
    content: bytes | None = None


class _Element(NamedTuple):
    tag: int
    start: int  # of its content
    end: int  # -1: an end mark ends it


class _Bad(Exception):
    """These bytes are no BER, or more of it than anybody writes."""


def is_cms(data: bytes) -> bool:
    """Whether the bytes begin as signed or encrypted data; cheap to ask."""
    head = data[:40]
    return head[:1] == b"\x30" and any(oid in head for oid in (_SIGNED, *_ENCRYPTED))


def opened(data: bytes) -> Opened | None:
    """What the part holds; None for what is neither signed nor encrypted data."""
    if data.startswith(b"-----BEGIN "):
        data = _unarmoured(data)
    if not is_cms(data):
        return None
    if _SIGNED not in data[:40]:
        return Opened("encrypted")
    try:
        return Opened("signed", _content(data))
    except (_Bad, IndexError):
        return Opened("signed")


def _unarmoured(data: bytes) -> bytes:
    body = data.partition(b"\n")[2].partition(b"-----END")[0]
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return b""


def _content(data: bytes) -> bytes | None:
    info = _element(data, 0)
    place = _skip(data, info.start, 0)  # the type
    wrapper = _expect(data, place, _EXPLICIT)
    signed = _expect(data, wrapper.start, _SEQUENCE)
    place = _skip(data, signed.start, 0)  # the version
    place = _skip(data, place, 0)  # the digest algorithms
    inner = _expect(data, place, _SEQUENCE)
    place = _skip(data, inner.start, 0)  # the content's type
    if inner.end >= 0 and place >= inner.end:
        return None  # The signature stands alone: what it signs is elsewhere.
    holder = _element(data, place)
    if holder.tag != _EXPLICIT:
        return None
    pieces: list[bytes] = []
    _octets(data, holder.start, pieces, 0)
    return b"".join(pieces)


def _expect(data: bytes, place: int, tag: int) -> _Element:
    element = _element(data, place)
    if element.tag != tag:
        raise _Bad
    return element


def _element(data: bytes, place: int) -> _Element:
    """The element that begins there (X.690 section 8.1)."""
    tag, length = data[place], data[place + 1]
    if tag & 0x1F == 0x1F:  # a tag of several bytes, which none of ours is
        raise _Bad
    if length < 0x80:
        return _Element(tag, place + 2, place + 2 + length)
    if length == 0x80:
        return _Element(tag, place + 2, -1)
    count = length & 0x7F
    start = place + 2 + count
    if count > 6:
        raise _Bad
    return _Element(tag, start, start + int.from_bytes(data[place + 2 : start], "big"))


def _skip(data: bytes, place: int, depth: int) -> int:
    """Where the element after this one begins."""
    element = _element(data, place)
    if element.end >= 0:
        return element.end
    if depth > _MAX_DEPTH or not element.tag & 0x20:
        raise _Bad
    place = element.start
    for _ in range(1_000):
        if data[place : place + 2] == b"\0\0":
            return place + 2
        place = _skip(data, place, depth + 1)
    raise _Bad


def _octets(data: bytes, place: int, pieces: list[bytes], depth: int) -> int:
    """Put the bytes of an octet string, in one piece or many, among the pieces; where it ends."""
    element = _element(data, place)
    if element.tag == _OCTETS:
        pieces.append(data[element.start : element.end] if element.end >= 0 else b"")
        return element.end
    if element.tag != _OCTETS | 0x20 or depth > _MAX_DEPTH:
        raise _Bad
    place = element.start
    while place < (element.end if element.end >= 0 else len(data)):
        if element.end < 0 and data[place : place + 2] == b"\0\0":
            return place + 2
        if len(pieces) > MAX_PIECES:
            raise _Bad
        step = _octets(data, place, pieces, depth + 1)
        if step <= place:
            raise _Bad
        place = step
    return place
