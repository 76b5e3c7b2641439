"""winmail.dat (MS-OXTNEF): what Outlook packs a mail's formatted text and its files into; bytes in, plain values out.

Everything is bounded by the size of what came in: nothing is unpacked but the text in RTF, and of that so much.
"""

from collections.abc import Iterator
from typing import Final

from eventum.mail.charsets.charset import codec
from eventum.mail.content import clean_name, type_of
from eventum.mail.formats.meeting import meeting, time_of
from eventum.mail.formats.rebuilt import File, Packed, rebuilt

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
MAX_ATTRIBUTES: Final = 5_000
MAX_PROPERTIES: Final = 5_000
_MAX_VALUES: Final = 1_000  # of one property
_MAX_DEPTH: Final = 3  # of messages in messages
# Attributes of the stream (MS-OXTNEF 2.1.3.2).
_SUBJECT, _BODY, _CLASS, _PROPERTIES, _CODE_PAGE = 0x8004, 0x800C, 0x8008, 0x9003, 0x9007
_BEGIN, _TITLE, _DATA, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
# Properties (MS-OXPROPS).
_P_CLASS, _P_SUBJECT, _P_BODY, _P_HTML, _P_RTF, _P_CPID = 0x001A, 0x0037, 0x1000, 0x1013, 0x1009, 0x3FDE
_P_FROM_NAME, _P_FROM, _P_SMTP, _P_SENT = 0x0C1A, 0x0C1F, 0x5D01, 0x0039
_P_LONG_NAME, _P_NAME, _P_LABEL, _P_MIME, _P_CID, _P_FILE = 0x3707, 0x3704, 0x3001, 0x370E, 0x3712, 0x3701
_FIXED: Final = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING8, _UNICODE, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0x0D
_MANY: Final = 0x1000


class _Bad(Exception):
    """The stream ends in the middle, or counts more than it can hold."""


class _Stream:
    """Bytes, and how far they were read."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise _Bad
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")


def read(data: bytes, depth: int = 0) -> Packed | None:
    """What the bytes hold, as far as they can be read; None for what is no TNEF."""
    if not data.startswith(SIGNATURE):
        return None
    reading = _Reading(depth)
    stream = _Stream(data, 6)
    try:
        for _ in range(MAX_ATTRIBUTES):
            if stream.at >= len(data):
                break
            stream.take(1)  # the level: of the message or of a file, as the attribute says too
            attribute = stream.number()
            length = stream.number()
            # A cut file still has most of its bytes.
            value = data[stream.at : stream.at + length]
            stream.at += length + 2  # a sum, which is not asked for: a wrong one is no reason to show nothing
            reading.attribute(attribute & 0xFFFF, value)
    except _Bad:
        pass
    return reading.packed()


class _Reading:
    """One stream being read: the message's own properties first, then its files one by one."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.page = "cp1252"
        self.own: dict[int, tuple[int, bytes]] = {}
        self.subject = b""
        self.body = b""
        self.kind = b""
        self.files: list[dict[int, tuple[int, bytes]]] = []

    def attribute(self, name: int, value: bytes) -> None:
        """Take one attribute of the stream."""
        if name == _CODE_PAGE:
            self.page = codec(f"cp{int.from_bytes(value[:4], 'little')}") or "cp1252"
        elif name == _SUBJECT:
            self.subject = value
        elif name == _BODY:
            self.body = value
        elif name == _CLASS:
            self.kind = value
        elif name == _PROPERTIES:
            self.own.update(properties(value))
        elif name == _BEGIN:
            self.files.append({})
        elif self.files and name == _TITLE:
            self.files[-1].setdefault(_P_NAME, (_STRING8, value))
        elif self.files and name == _DATA:
            self.files[-1].setdefault(_P_FILE, (_BINARY, value))
        elif self.files and name == _FILE_PROPERTIES:
            for key, found in properties(value):
                if found[1]:
                    self.files[-1][key] = found

    def packed(self) -> Packed:
        """Everything that was read."""
        html, text = self._texts()
        files = [file for file in map(self._file, self.files) if file is not None]
        subject = self._text(self.own, _P_SUBJECT) or self._decoded(self.subject)
        address = self._text(self.own, _P_SMTP) or self._text(self.own, _P_FROM)
        sender = self._text(self.own, _P_FROM_NAME), address
        return Packed(
            subject=subject,
            text=text,
            html=html,
            files=files,
            sender=sender[0],
            address=sender[1],
            sent=time_of(self.own.get(_P_SENT)),
            event=meeting(self._class(), self.own, subject, sender),
        )

    def _class(self) -> str:
        return self._text(self.own, _P_CLASS) or self._decoded(self.kind)

    def _texts(self) -> tuple[str, str]:
        text = self._text(self.own, _P_BODY) or self._decoded(self.body)
        html = self._html()
        packed = self.own.get(_P_RTF)
        if packed is not None and not html and packed[1]:
            from eventum.mail.formats import rtf

            kind, said = rtf.read(rtf.unpacked(packed[1]))
            if kind == "html":
                html = said
            else:
                text = text if text.strip() else said
        return html, text.replace("\r\n", "\n")

    def _html(self) -> str:
        kind, value = self.own.get(_P_HTML, (0, b""))
        if kind == _UNICODE:
            return value.decode("utf-16-le", "replace").rstrip("\0")
        number = int.from_bytes(self.own.get(_P_CPID, (0, b""))[1][:4], "little")
        return value.decode(codec(f"cp{number}") or self.page, "replace").rstrip("\0")

    def _file(self, found: dict[int, tuple[int, bytes]]) -> File | None:
        kind, data = found.get(_P_FILE, (_BINARY, b""))
        name = next((text for key in (_P_LONG_NAME, _P_NAME, _P_LABEL) if (text := self._text(found, key))), "")
        if kind == _OBJECT:
            data = data[16:]  # the name of its kind
            if data.startswith(SIGNATURE):
                message = read(data, self.depth + 1) if self.depth < _MAX_DEPTH else None
                raw = rebuilt(message) if message is not None else data
                return File(clean_name(name), "message/rfc822" if message else "application/ms-tnef", raw)
        if not data and not name:
            return None
        type_ = self._text(found, _P_MIME).strip().lower()
        usable = type_.isascii() and type_.isprintable() and type_.count("/") == 1 and len(type_) < 100
        type_ = type_ if usable and not type_.startswith("multipart/") else type_of(name)
        return File(clean_name(name), type_, data, clean_name(self._text(found, _P_CID)).strip("<>"))

    def _text(self, found: dict[int, tuple[int, bytes]], key: int) -> str:
        kind, value = found.get(key, (0, b""))
        if kind == _UNICODE:
            return value.decode("utf-16-le", "replace").rstrip("\0")
        return self._decoded(value) if kind == _STRING8 else ""

    def _decoded(self, value: bytes) -> str:
        return value.rstrip(b"\0").decode(self.page, "replace")


def properties(data: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """The properties in these bytes, each with its number, its kind and its first value (MS-OXTNEF 2.1.3.4)."""
    stream = _Stream(data)
    try:
        for _ in range(min(stream.number(), MAX_PROPERTIES)):
            kind, key = stream.number(2), stream.number(2)
            if key >= 0x8000:
                key = _named(stream)
            yield key, (kind & ~_MANY, _value(stream, kind))
    except _Bad:
        return


def _named(stream: _Stream) -> int:
    """The number of a property that has a name: what is above 0xFFFF says that it is one; 0 for a name in words."""
    stream.take(16)
    if stream.number() == 0:
        return 0x10000 | stream.number()
    _padded(stream)
    return 0


def _value(stream: _Stream, kind: int) -> bytes:
    base = kind & ~_MANY
    if base in _FIXED:
        count = stream.number() if kind & _MANY else 1
        size = -(-_FIXED[base] // 4) * 4
        if count > len(stream.data):
            raise _Bad
        return stream.take(size * count)[: _FIXED[base]]
    if base not in (_STRING8, _UNICODE, _BINARY, _OBJECT):
        raise _Bad
    count = stream.number()
    if count > _MAX_VALUES:
        raise _Bad
    values = [_padded(stream) for _ in range(count)]
    return values[0] if values else b""


def _padded(stream: _Stream) -> bytes:
    length = stream.number()
    value = stream.take(length)
    stream.at += -length % 4
    return value
