"""ISO-2022-JP for mail we send (RFC 1468): text in, bytes of 7 bits out, or the answer that the text does not fit.

Only ASCII and the characters of JIS X 0208 are written, because old readers know no others: half-width kana, circled
digits and the yen sign of JIS X 0201 do not fit. What mail brings in is read by `charset`, which knows far more.
"""

import binascii
from typing import Final

CHARSET: Final = "iso-2022-jp"
_LONGEST: Final = 900  # octets of a line: RFC 5322 2.1.1 says 998, and relays add to them
_FRAME: Final = len("=?ISO-2022-JP?B??=")
_KANJI_IN: Final = b"\x1b$B"
# Windows and macOS type these for six signs of JIS X 0208; every reader shows the same sign for either.
_SAME_SIGN: Final = str.maketrans("\uff5e\uff0d\u2225\uffe0\uffe1\uffe2\u2014", "\u301c\u2212\u2016\xa2\xa3\xac\u2015")


def encoded(text: str) -> bytes | None:
    """`text` in ISO-2022-JP, in ASCII at the end of each line and at its own; None when a character does not fit."""
    if text.isascii():
        return None if "\x1b" in text else text.encode("ascii")
    try:
        data = text.translate(_SAME_SIGN).encode("iso2022_jp")
    except UnicodeEncodeError:
        return None
    switches = data.count(b"\x1b")
    return data if switches == 2 * data.count(_KANJI_IN) and "\x1b" not in text and b"\x1b(J" not in data else None


def fits(text: str) -> bool:
    """Whether all of `text` can be sent in ISO-2022-JP, also as lines that no relay cuts."""
    data = encoded(text)
    return data is not None and max(map(len, data.split(b"\n"))) <= _LONGEST


def encode_words(text: str, first: int, room: int) -> list[str]:
    """`text`, which fits, as encoded words of at most `room` letters, the first of at most `first` (RFC 2047).

    Each is whole in itself and ends in ASCII, so that it can be read by who looks at no other.
    """
    words: list[str] = []
    chunk, data = "", b""
    limit = _bytes_in(first)
    for char in text:
        longer = encoded(chunk + char) or b""
        if chunk and len(longer) > limit:
            words.append(_word(data))
            limit = _bytes_in(room)
            chunk, longer = "", encoded(char) or b""
        chunk, data = chunk + char, longer
    return [*words, _word(data)] if chunk else words


def _bytes_in(letters: int) -> int:
    return (letters - _FRAME) // 4 * 3


def _word(data: bytes) -> str:
    return f"=?ISO-2022-JP?B?{binascii.b2a_base64(data, newline=False).decode('ascii')}?="
