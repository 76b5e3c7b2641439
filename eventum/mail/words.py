"""Encoded words of RFC 2047 in header text, and the one clean line that every header value becomes.

Undecoded header text in, readable text out.  Addresses must be split before their names come here: an encoded word
may hold a comma, an angle bracket or a whole address.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from eventum.mail.charsets.charset import codec, decode

_WORD_START: Final = re.compile(
    r"""=\? \s? ([^?\s=]{0,60}) \s?   # the charset; without one, or with a blank beside it, it is still a word
        \? ([bBqQ]) \?""",
    re.VERBOSE,
)
_UNENDED: Final = {  # what looks like a payload up to a blank, where no end of the word is written
    "B": re.compile(r"([A-Za-z0-9+/]{4,}={0,2})\??(?=\s|\Z)"),
    "Q": re.compile(r"([!-<>@-~]*(?:=[0-9A-Fa-f]{2}[!-<>@-~]*)+)\??(?=\s|\Z)"),  # with one quoted sign at least
}
_CUT_SIGN: Final = re.compile(r"=[0-9A-Fa-f]?\Z")
_CONTROL: Final = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(byte for byte in range(256) if byte not in _BASE64)
_BLANKED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FOOTER_BYTES: Final = 4_096  # of a body, in which a footer is looked for
_FOOTERS: Final = (b"\n_____", b"\n-----", b"\n-- \n", b"\n-- \r\n")
_MANY: Final = 10_000
_WORD_BYTES: Final = 45  # 60 characters of base64 and 12 of frame
# Marks of one direction (U+200E, U+200F, U+061C) and joiners stay: Hebrew, Arabic and Persian are written with them,
# and they end where they stand. What turns the direction of all that follows, or is not seen at all, goes.
_REMOVED: Final = re.compile("[\u200b\u202a-\u202e\u2060\u2066-\u206f\ufeff\ufff9-\ufffb]+")
_EDGES: Final = " \t\xa0\u3000\u061c\u200e\u200f"  # where they turn nothing, and hide that a line begins with "Re:"
_MARKS: Final = re.compile("[\u061c\u200e\u200f]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without what turns its direction.

    Controls and line ends become a blank, lone surrogates U+FFFD.
    """
    text = text[: 4 * limit]
    if not text.isprintable():
        text = _REMOVED.sub("", _SURROGATE.sub("\ufffd", _BLANKED.sub(" ", text))).strip(_EDGES)
    return text.strip()[:limit].rstrip()


def without_marks(line: str) -> str:
    """A clean line without the marks of direction that it may have: for what is compared and not shown."""
    return line if line.isprintable() else _MARKS.sub("", line).strip()


def decode_words(text: str) -> str:
    """`text` with its encoded words read (RFC 2047), also those inside quotes or with blanks; anything else stays.

    Neighbours of one charset are joined before they are decoded: clients cut a character, or the state of
    ISO-2022-JP, in two.  The result is not clean: a word can hold a line end.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    run: list[tuple[str, str, str]] = []  # neighbours: what was written, its encoding, its payload
    charset = ""
    done = position = close = 0
    while (position := text.find("=?", position)) >= 0:
        start = _WORD_START.match(text, position)
        if start is None:
            position += 2
            continue
        if 0 <= close < start.end():  # looked for once, or a text of nothing but beginnings would take for ever
            close = text.find("?=", start.end())
        end, after = _end(text, start, close)
        if end < 0:
            position = start.end()
            continue
        between = text[done:position]
        name = start[1].partition("*")[0]  # RFC 2231 section 5: charset*language
        if run and (not _same(name, charset) or (between and not between.isspace())):
            out.append(_read(run, charset))
            run.clear()
            between = "" if between.isspace() else between
        if not run:
            out.append(between)
        run.append((text[position:after], start[2].upper(), text[start.end() : end]))
        charset = name
        done = position = after
    if run:
        out.append(_read(run, charset))
    out.append(text[done:])
    return "".join(out)


def _end(text: str, start: re.Match[str], close: int) -> tuple[int, int]:
    """Where the payload of a word ends, and where the word does, when its `?=` is at `close`; -1 when nowhere."""
    if close >= 0:
        inner = text.find("=?", start.end(), close)
        if inner < 0 or _WORD_START.match(text, inner) is None:
            return close, close + 2
        return start.end() + len(text[start.end() : inner].rstrip()), inner  # cut off, and another word follows
    cut = _UNENDED[start[2].upper()].match(text, start.end())
    return (cut.end(1), cut.end()) if cut is not None else (-1, -1)


def _same(name: str, other: str) -> bool:
    return name == other or (codec(name) or name.lower()) == (codec(other) or other.lower())


def _read(run: list[tuple[str, str, str]], charset: str) -> str:
    """The text of neighbours of one charset; as they were written when they are rubbish in it."""
    data = b"".join(_chunks(run))
    text = decode(data, charset, guess=False)
    if not data.isascii() and _is_rubbish(text, data, charset):
        return " ".join([written for written, _, _ in run])
    return text


def _is_rubbish(text: str, data: bytes, charset: str) -> bool:
    if 2 * text.count("\ufffd") > len(text):
        return True
    if _CONTROL.search(text) is None:
        return False
    try:
        data.decode(codec(charset) or "utf-8")
    except UnicodeError:
        return True
    return False


def _chunks(run: list[tuple[str, str, str]]) -> Iterator[bytes]:
    """The bytes of each word; a sign that was cut in two in its encoding is put together first."""
    payload = encoding = ""
    for _, kind, more in run:
        if payload and kind == encoding and _is_cut(payload, encoding):
            payload += more
            continue
        if payload:
            yield _bytes_of(payload, encoding)
        payload, encoding = more, kind
    yield _bytes_of(payload, encoding)


def _is_cut(payload: str, encoding: str) -> bool:
    if encoding == "B":
        bare = payload.rstrip()
        return len(bare) % 4 != 0 and not bare.endswith("=")
    return _CUT_SIGN.search(payload, max(0, len(payload) - 2)) is not None


def encode_words(text: str) -> str:
    """`text` as encoded words of at most 75 characters with blanks between them; a character is never cut in two."""
    words: list[str] = []
    chunk = b""
    for char in text:
        data = char.encode("utf-8", "replace")
        if len(chunk) + len(data) > _WORD_BYTES:
            words.append(_encoded(chunk))
            chunk = b""
        chunk += data
    if chunk:
        words.append(_encoded(chunk))
    return " ".join(words)


def _encoded(chunk: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode('ascii')}?="


def _bytes_of(payload: str, encoding: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding == "Q":
        return binascii.a2b_qp(data, header=True)
    return base64(data)


def base64(data: bytes) -> bytes:
    """Base64 as far as it goes: alien characters, wrong padding and a cut end are data, not an error (RFC 2045 6.8)."""
    # Only near the end: to look through all of a file for it takes as long as to decode the file.
    end = max(0, len(data) - _FOOTER_BYTES)
    footer = min([at for mark in _FOOTERS if (at := data.find(mark, end)) >= 0], default=-1)
    if footer >= 0:  # what a list's server wrote below it is a text
        return base64(data[:footer]) + data[footer:]
    try:
        blank = len(data[end:]) - len(data[end:].rstrip())  # of the end alone: a file of megabytes is not copied for it
        if data.find(b"=", 0, max(0, len(data) - blank - 2)) < 0:
            return binascii.a2b_base64(data)
    except binascii.Error:
        pass
    # Some programs encode line by line and join the lines, so padding can stand anywhere.
    if data.count(b"=") > _MANY:
        return _unpadded(data)
    return b"".join(_unpadded(chunk) for chunk in data.split(b"="))


def _unpadded(chunk: bytes) -> bytes:
    chunk = chunk.translate(None, _NOT_BASE64)
    if len(chunk) % 4 == 1:
        chunk = chunk[:-1]
    return binascii.a2b_base64(chunk + b"=" * (-len(chunk) % 4))
