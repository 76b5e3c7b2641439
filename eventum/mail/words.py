"""Encoded words of RFC 2047 in header text, and the one clean line that every header value becomes.

Undecoded header text in, readable text out.  Addresses must be split before their names come here: an encoded word
may hold a comma, an angle bracket or a whole address.
"""

import binascii
import re
from typing import Final

from eventum.mail.charset import decode

_WORD_START: Final = re.compile(r"=\?([^?\s=]{1,60})\?([bBqQ])\?")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(byte for byte in range(256) if byte not in _BASE64)
_BLANKED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MANY: Final = 10_000
_WORD_BYTES: Final = 45  # 60 characters of base64 and 12 of frame
_REMOVED: Final = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def clean_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters: controls become a blank, bidi controls go, lone surrogates are U+FFFD."""
    text = text[: 4 * limit]
    if not text.isprintable():
        text = _REMOVED.sub("", _SURROGATE.sub("\ufffd", _BLANKED.sub(" ", text)))
    return text.strip()[:limit].rstrip()


def decode_words(text: str) -> str:
    """`text` with its encoded words read (RFC 2047), also those inside quotes or with blanks; anything else stays.

    Neighbours of one charset are joined before they are decoded: clients cut a character, or the state of
    ISO-2022-JP, in two.  The result is not clean: a word can hold a line end.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    word: list[bytes] = []  # the decoded bytes of neighbours of one charset
    charset = ""
    done = position = 0
    while (position := text.find("=?", position)) >= 0:
        start = _WORD_START.match(text, position)
        if start is None:
            position += 2
            continue
        end = text.find("?=", start.end())
        if end < 0:
            break
        between = text[done:position]
        name = start[1].partition("*")[0].lower()  # RFC 2231 section 5: charset*language
        if word and (name != charset or not between.isspace() and between):
            out.append(decode(b"".join(word), charset, guess=False))
            word.clear()
            between = "" if between.isspace() else between
        if not word:
            out.append(between)
        word.append(_bytes_of(text[start.end() : end], start[2]))
        charset = name
        done = position = end + 2
    if word:
        out.append(decode(b"".join(word), charset, guess=False))
    out.append(text[done:])
    return "".join(out)


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
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return base64(data)


def base64(data: bytes) -> bytes:
    """Base64 as far as it goes: alien characters, wrong padding and a cut end are data, not an error (RFC 2045 6.8)."""
    try:
        data = data.rstrip()
        if data.find(b"=", 0, -2) < 0:
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
