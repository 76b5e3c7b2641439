"""A header block: its bytes in, fields by lower-case name out.

The block is split here, on bytes, and not by `email`, which takes minutes and raises on some blocks.  Junk lines
are dropped, every limit is by count, and two fields of one name are both kept: who may have only one says so.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from eventum.mail.charsets.charset import decode
from eventum.mail.parameters import MAX_FIELD_BYTES, parameters
from eventum.mail.words import clean_line, decode_words

__all__ = ["MAX_FIELDS", "MAX_FIELD_BYTES", "Block", "Headers", "parameters", "split_block", "strict_block"]

MAX_FIELDS: Final = 1_000
_MAX_BLOCK: Final = 8_000_000
_MAX_LEADING: Final = 65_536

_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_BLANK_LINES: Final = re.compile(rb"(?:[ \t]*+\r?\n)+")
_FIELD: Final = re.compile(
    rb"""^([!-9;-~]++)      # the name, RFC 5322 section 2.2
         ([ \t]*+) :        # blanks before the colon are obsolete syntax, section 4.5
         ([^\n]*+ (?: \n [ \t] [^\n]*+ )*+)  # the value with its folded lines
         \n?""",
    re.MULTILINE | re.VERBOSE,
)
_WORD: Final = re.compile(r"=\?([A-Za-z][\w.:-]{1,40})[*?]")
_UNFOLDED: Final = re.compile(
    rb"""(?: =\? [!->@-~]{1,60} \? [BQbq] \? [ -~]{0,200} \?=
            [ \t]*\r?\n){1,20}   # lines of one encoded word, which a gateway forgot to indent""",
    re.VERBOSE,
)


class Headers(Mapping[str, tuple[str, ...]]):
    """Fields by lower-case name; a value is unfolded, decoded (RFC 2047) and made clean when it is asked for."""

    __slots__ = ("_fields", "_texts", "charset")

    def __init__(self, fields: dict[str, list[bytes]]) -> None:
        self._fields = fields
        self._texts: dict[str, tuple[str, ...]] = {}
        self.charset: str | None = None  # what raw 8-bit values are written in: the body's charset

    def texts(self, name: str) -> tuple[str, ...]:
        """The unfolded values as text, encoded words not decoded, controls still in: what addresses are split from."""
        values = self._fields.get(name)
        if values is None:
            return ()
        known = self._texts.get(name)
        if known is None:
            known = self._texts[name] = tuple([self._text(value) for value in values])
        return known

    def first(self, name: str) -> str | None:
        """The first of `texts`, None when the field is absent."""
        return self.texts(name)[0] if name in self._fields else None

    def _text(self, value: bytes) -> str:
        if len(value) > MAX_FIELD_BYTES:
            value = value[:MAX_FIELD_BYTES]
        if b"\n" in value:
            value = value.replace(b"\r\n", b"").replace(b"\n", b"")
        value = value.strip()
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii")
        return decode(value, self.charset, guess=False).strip()

    def is_cut(self, name: str) -> bool:
        """Whether a field of this name is longer than what is read of it."""
        return any(len(value) > MAX_FIELD_BYTES for value in self._fields.get(name, ()))

    def words_charset(self) -> str | None:
        """The charset its writer's program uses: that of the first encoded word about subject and people, or None."""
        for name in ("subject", "from", "to", "reply-to"):
            found = _WORD.search(self.first(name) or "")
            if found is not None:
                return found[1]
        return None

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        """As of any mapping, but without an exception for each of the many fields a mail does not have."""
        return self[name] if name in self._fields else default

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name not in self._fields:
            raise KeyError(name)
        return tuple([_readable(text) for text in self.texts(name)])

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _readable(text: str) -> str:
    return text if text.isprintable() and "=?" not in text else clean_line(decode_words(text), MAX_FIELD_BYTES)


class Block(msgspec.Struct, frozen=True):
    """A header block that was split: where its body begins in the same bytes, and what was wrong with it."""

    headers: Headers
    body: int
    defects: tuple[str, ...]


def split_block(data: bytes, start: int = 0) -> Block:
    """The header block that begins at `start`; lines in front of it that mbox files and pipes add are passed over.

    A single junk line between fields is dropped; where more than one stands, or one in front of the blank line, the
    body has begun without it: no text may be lost.
    """
    defects: list[str] = []
    start = _skip_leading(data, start, defects)
    if data.startswith((b"\n", b"\r\n"), start):
        return Block(Headers({}), data.index(b"\n", start) + 1, tuple(defects))
    blank = _BLANK_LINE.search(data, start)
    end, body = (blank.start() + 1, blank.end()) if blank else (len(data), len(data))
    if end - start > _MAX_BLOCK:
        end = start + _MAX_BLOCK
        defects.append("limit-headers")
    fields: dict[str, list[bytes]] = {}
    position, name = start, ""
    for count, match in enumerate(_FIELD.finditer(data, start, end), start=1):
        if match.start() != position:
            if name and _UNFOLDED.fullmatch(data, position, match.start()):
                fields[name][-1] += b" " + data[position : match.start()].strip()
                defects.append("broken-folding")
            elif count == 1 or data.find(b"\n", position, match.start() - 1) >= 0:
                break
            else:
                defects.append("junk-in-headers")
        if count > MAX_FIELDS:
            defects.append("limit-headers")
            position = end
            break
        name = match[1].lower().decode("ascii")
        fields.setdefault(name, []).append(match[3])
        position = match.end()
    if name and position < end and _UNFOLDED.fullmatch(data, position, end):
        fields[name][-1] += b" " + data[position:end].strip()
        defects.append("broken-folding")
        position = end
    if position < end:
        defects.append("no-blank-line")
        body = position
    return Block(Headers(fields), body, tuple(dict.fromkeys(defects)))


def _skip_leading(data: bytes, start: int, defects: list[str]) -> int:
    if data[start : start + 1] in (b"\n", b"\r", b" ", b"\t"):
        # Blank lines before the first field are a pipe's; before anything else they end an empty header block.
        blank = _BLANK_LINES.match(data, start, start + _MAX_LEADING)
        field = _FIELD.match(data, blank.end()) if blank else None
        if blank and field and not field[2]:
            defects.append("blank-lines-first")
            start = blank.end()
    limit = start + _MAX_LEADING
    while data.startswith((b"From ", b">From "), start) and start < limit:
        defects.append("mbox-line")
        newline = data.find(b"\n", start)
        start = len(data) if newline < 0 else newline + 1
    return start


def strict_block(data: bytes, start: int, end: int) -> Headers | None:
    """The fields of data[start:end] when every line of it is one without any oddity, else None."""
    fields: dict[str, list[bytes]] = {}
    position = start
    for match in _FIELD.finditer(data, start, end):
        if match.start() != position or match[2]:
            return None
        fields.setdefault(match[1].lower().decode("ascii"), []).append(match[3])
        position = match.end()
    return Headers(fields) if position == end else None
