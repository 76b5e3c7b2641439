"""Builds what Outlook sends as winmail.dat (MS-OXTNEF), from the attributes and properties that a test names."""

import struct
from datetime import UTC, datetime, timedelta

MESSAGE, FILE = 1, 2
PROPERTIES, CODE_PAGE, BEGIN, TITLE, DATA, FILE_PROPERTIES = 0x69003, 0x69007, 0x69002, 0x18010, 0x6800F, 0x69005
SUBJECT, BODY, HTML, RTF, SENT, FROM_NAME, SMTP = 0x0037, 0x1000, 0x1013, 0x1009, 0x0039, 0x0C1A, 0x5D01
LONG_NAME, MIME, CID, OBJECT, LABEL = 0x3707, 0x370E, 0x3712, 0x3701, 0x3001


def attribute(level: int, name: int, data: bytes) -> bytes:
    """One attribute with its sum."""
    return struct.pack("<BII", level, name, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _padded(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)


def text(key: int, value: str) -> bytes:
    """A property in UTF-16."""
    return struct.pack("<HHI", 0x1F, key, 1) + _padded(value.encode("utf-16-le") + b"\0\0")


def old_text(key: int, value: bytes) -> bytes:
    """A property in the code page of the message."""
    return struct.pack("<HHI", 0x1E, key, 1) + _padded(value + b"\0")


def binary(key: int, value: bytes) -> bytes:
    """A property of bytes."""
    return struct.pack("<HHI", 0x102, key, 1) + _padded(value)


def thing(key: int, value: bytes) -> bytes:
    """A property that holds an object, as messages in messages are."""
    return struct.pack("<HHI", 0x0D, key, 1) + _padded(bytes(16) + value)


def number(key: int, value: int) -> bytes:
    """A property of four bytes."""
    return struct.pack("<HHI", 0x03, key, value)


def named(value: str) -> bytes:
    """A property whose name is a word."""
    word = "x-customer\0".encode("utf-16-le")
    return struct.pack("<HH", 0x1F, 0x8001) + bytes(16) + struct.pack("<I", 1) + _padded(word) + text(0, value)[4:]


def named_number(name: int, value: str) -> bytes:
    """A property in UTF-16 whose name is a number."""
    return struct.pack("<HH", 0x1F, 0x8002) + bytes(16) + struct.pack("<II", 0, name) + text(0, value)[4:]


def time(key: int, when: datetime) -> bytes:
    """A property that is a time."""
    ticks = (when - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    return struct.pack("<HHQ", 0x40, key, ticks)


def properties(*found: bytes) -> bytes:
    """A list of properties."""
    return struct.pack("<I", len(found)) + b"".join(found)


def file(title: bytes, data: bytes, *found: bytes) -> bytes:
    """One file: its name as old programs know it, its bytes, its properties."""
    parts = attribute(FILE, BEGIN, bytes(14)) + attribute(FILE, TITLE, title + b"\0")
    parts += attribute(FILE, DATA, data) if data else b""
    return parts + (attribute(FILE, FILE_PROPERTIES, properties(*found)) if found else b"")


def winmail(*attributes: bytes, page: int = 1252) -> bytes:
    """The whole stream."""
    return (
        b"\x78\x9f\x3e\x22\x01\x00" + attribute(MESSAGE, CODE_PAGE, struct.pack("<II", page, 0)) + b"".join(attributes)
    )


def message(*found: bytes) -> bytes:
    """The properties of the message itself."""
    return attribute(MESSAGE, PROPERTIES, properties(*found))


def packed_rtf(rtf: bytes) -> bytes:
    """RTF as it is packed when nothing of it is compressed."""
    return struct.pack("<II", len(rtf) + 12, len(rtf)) + b"MELA" + bytes(4) + rtf


def compressed_rtf(rtf: bytes) -> bytes:
    """RTF packed byte by byte, each as itself, and the mark of the end (MS-OXRTFCP)."""
    out = bytearray()
    for at in range(0, len(rtf), 8):
        out += b"\0" + rtf[at : at + 8]
    whole = len(rtf) % 8 == 0
    end = (207 + len(rtf)) % 4096 << 4
    if whole:
        out += b"\1"
    else:
        out[-(len(rtf) % 8) - 1] = 1 << len(rtf) % 8
    out += struct.pack(">H", end)
    return struct.pack("<II", len(out) + 12, len(rtf)) + b"LZFu" + bytes(4) + bytes(out)
