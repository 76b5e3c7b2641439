"""Bytes of a mail and the charset it declares in, readable text out: never an exception, never a lone surrogate.

The name a mail declares is only ever looked up in the table below, never handed to `codecs.lookup`: Python would run
`idna`, `unicode_escape` or `utf-7` as text codecs on a stranger's word.  Nothing here knows headers or MIME.
"""

import re
from typing import Final

import charset_normalizer

_JIS_SWITCH: Final = re.compile(rb"\x1b(\$@|\$B|\$\(D|\(B|\(J|\(I)")
_JIS_MARK: Final = (b"\x1b$B", b"\x1b$@", b"\x1b$(D", b"\x1b(I")
_GUESS_BYTES: Final = 8_192
_ENOUGH: Final = 12  # bytes beyond ASCII; of fewer, any guess is a lottery

# WHATWG's reading of the labels: who says latin-1 means cp1252, who says gb2312 writes gb18030 characters.
_FAMILIES: Final = {
    "utf-8": "utf-8 utf8 utf-8-sig unicode-1-1-utf-8 cp65001 x-utf-8 utf-8-mac utf8mb4",
    "": "us-ascii ascii ansi-x3.4-1968 ansi-x3.4-1986 646 unknown-8bit x-unknown unknown default binary",
    "cp1252": "iso-8859-1 iso8859-1 latin1 latin-1 l1 iso-88591 cp819 windows-1252 cp1252 x-ansi",
    "iso2022_jp": "iso-2022-jp iso2022-jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-2004 iso-2022-jp-ms"
    " cp50220 cp50221 cp50222 csiso2022jp jis",
    "cp932": "shift-jis shiftjis sjis x-sjis s-jis ms-kanji csshiftjis cp932 ms932 windows-31j windows-932 x-ms-cp932",
    "euc_jp": "euc-jp eucjp x-euc-jp x-euc ujis cp51932 cseucpkdfmtjapanese eucjp-ms eucjp-win",
    "gb18030": "gb2312 gb-2312 gb2312-80 csgb2312 gbk x-gbk cp936 ms936 windows-936 gb18030 gb-18030 euc-cn chinese",
    "hz": "hz hz-gb-2312 hz-gb",
    "big5hkscs": "big5 big-5 csbig5 x-x-big5 big5-hkscs big5hkscs cp950 windows-950",
    "cp949": "euc-kr euckr ks-c-5601-1987 ks-c-5601-1989 ks-c-5601 ksc5601 ksc-5601 korean cp949 ms949 uhc windows-949",
    "iso2022_kr": "iso-2022-kr csiso2022kr",
    "cp874": "windows-874 cp874 tis-620 tis620 iso-8859-11 x-windows-874",
    "utf-16": "utf-16 utf16 unicode ucs-2 iso-10646-ucs-2",
    "utf-16-le": "utf-16le unicodelittle",
    "utf-16-be": "utf-16be unicodebig",
    "utf-32": "utf-32 utf32 ucs-4",
    "koi8-r": "koi8-r koi8r koi8 cskoi8r koi",
    "koi8-u": "koi8-u koi8-ru",
    "cp1254": "iso-8859-9 iso8859-9 latin5 l5 windows-1254 cp1254",
    "iso8859-8": "iso-8859-8 iso8859-8 iso-8859-8-i iso-8859-8-e hebrew",
    "mac-roman": "macintosh mac x-mac-roman macroman mac-roman",
    "mac-cyrillic": "x-mac-cyrillic mac-cyrillic",
} | {
    codec: f"{codec} iso-8859-{number} iso8859-{number}" + (f" {more}" if more else "")
    for codec, number, more in (
        ("iso8859-2", 2, "latin2 l2"),
        ("iso8859-3", 3, "latin3"),
        ("iso8859-4", 4, "latin4"),
        ("iso8859-5", 5, "cyrillic"),
        ("iso8859-6", 6, "arabic"),
        ("iso8859-7", 7, "greek"),
        ("iso8859-10", 10, "latin6"),
        ("iso8859-13", 13, ""),
        ("iso8859-14", 14, ""),
        ("iso8859-15", 15, "latin9 latin-9"),
        ("iso8859-16", 16, ""),
    )
}
_FAMILIES_OF_CODE_PAGES: Final = {
    f"cp{number}": f"cp{number} windows-{number} x-cp{number} ibm{number} {number}"
    for number in (437, 850, 852, 855, 857, 858, 860, 862, 865, 866, 1250, 1251, 1253, 1255, 1256, 1257, 1258)
}
_CODECS: Final = {
    alias: name for name, aliases in (_FAMILIES | _FAMILIES_OF_CODE_PAGES).items() for alias in aliases.split()
}
_TWO_BYTES: Final = frozenset({"cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"})
_SEVEN_BITS: Final = frozenset({"hz", "iso2022_kr", "utf-16", "utf-16-le", "utf-16-be", "utf-32"})


def codec(declared: str | None) -> str | None:
    """The Python codec a charset name stands for, "" for ASCII and its like, None for a name that is not known."""
    if not declared:
        return ""
    name = declared.strip(" \t\"'").lower().replace("_", "-")
    return _CODECS.get(name)


def decode(data: bytes, declared: str | None, guess: bool = True) -> str:
    """The text of `data`: by escape sequences, as UTF-8, as declared, then by a guess; U+FFFD for what is no text.

    `guess=False` leaves out the slow last resort, for header text and for whoever has many small pieces.
    """
    name = codec(declared)
    if name in _SEVEN_BITS and name is not None and _plausible(data, name):
        return data.decode(name, "replace")
    if b"\x1b" in data and (name == "iso2022_jp" or any(mark in data for mark in _JIS_MARK)):
        return _iso_2022_jp(data)
    if data.isascii():
        return data.decode("ascii")
    utf8 = _strictly(data, "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8")
    if utf8 is not None and not (name in _TWO_BYTES and _two_byte_only(utf8)):
        return utf8
    if name and name not in _SEVEN_BITS:
        as_declared = _as_declared(data, name)
        if as_declared is not None:
            return as_declared
    if utf8 is not None:
        return utf8
    return _unlabelled(data, name, guess)


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _plausible(data: bytes, name: str) -> bool:
    # A plain ASCII text under a label of UTF-16 is a client's mistake, and would be read as Chinese.
    if name.startswith("utf-"):
        return b"\0" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.isascii()


def _two_byte_only(text: str) -> bool:
    # Two bytes of EUC-JP or GBK can be one valid character of UTF-8 below U+0800, but hardly ever one above it.
    return max(text, default="") < "\u0800"


def _as_declared(data: bytes, name: str) -> str | None:
    if name == "iso2022_jp":  # declared, but no escape in it: 8-bit Japanese under the wrong label
        return None
    text = _strictly(data, name)
    if text is None and name == "euc_jp":
        text = _strictly(data, "euc_jis_2004")  # knows NEC's row 13, the circled numbers
    return text


def _unlabelled(data: bytes, name: str | None, guess: bool) -> str:
    japanese = _japanese(data) if name in ("", None, "iso2022_jp", "cp932", "euc_jp", "utf-8") else None
    if japanese is not None:
        return japanese
    if name == "utf-8" or (name == "" and _mostly_utf8(data)):
        return data.decode("utf-8", "replace")
    if name and name not in _SEVEN_BITS and name != "iso2022_jp":
        return data.decode(name, "replace")
    if guess and sum(byte > 127 for byte in data[:_GUESS_BYTES]) >= _ENOUGH:
        best = charset_normalizer.from_bytes(data[:_GUESS_BYTES], cp_isolation=_GUESSES).best()
        if best is not None and codec(best.encoding) is not None:
            return data.decode(best.encoding, "replace")
    return data.decode("cp1252", "replace")


_GUESSES: Final = [
    "cp1252", "cp1251", "koi8_r", "cp1250", "cp949", "gb18030", "big5", "cp1253", "cp1255", "cp1256", "cp874",
]  # fmt: skip


def _mostly_utf8(data: bytes) -> bool:
    # One cut character in a long text of UTF-8 must not turn all the others into latin-1.
    text = data[:_GUESS_BYTES].decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return wrong * 10 < sum(not char.isascii() for char in text) - wrong


def _japanese(data: bytes) -> str | None:
    """The text if it reads as Japanese in one of the two 8-bit charsets, else None."""
    best, best_score = None, 0.5  # of its characters beyond ASCII must be such as Japanese is written with
    for name in ("cp932", "euc_jp"):
        text = _as_declared(data, name)
        if text is None:
            continue
        beyond = [char for char in text[:_GUESS_BYTES] if not char.isascii()]
        # Any Korean or Chinese text is kanji when read as EUC-JP; only kana make it Japanese.
        kanji = 0.7 if name == "cp932" or any("\u3040" <= char <= "\u30ff" for char in beyond) else 0.0
        score = sum(_weight(char, kanji) for char in beyond) / len(beyond) if beyond else 0
        if score > best_score:
            best, best_score = text, score
    return best


def _weight(char: str, kanji: float) -> float:
    if "\u3040" <= char <= "\u30ff" or "\u3000" <= char <= "\u3002":
        return 1.0  # kana and the blank, comma and full stop: every Japanese sentence has them
    if "\u4e00" <= char <= "\u9fff":
        return kanji
    if "\uff61" <= char <= "\uff9f":
        return 0.4  # half-width kana: also what latin letters become when read as Shift_JIS
    return 0.5 if "\uff00" <= char <= "\uff60" or "\u2460" <= char <= "\u33ff" else 0.0


def _iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP (RFC 1468) and what Microsoft's clients add to it: row 13, half-width kana, 8-bit bytes (CP50221)."""
    pieces = _JIS_SWITCH.split(data)
    out = [_plain(pieces[0])]
    for switch, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if switch in (b"(B", b"(J"):
            out.append(_plain(piece))
            continue
        # RFC 1468: the end of a line goes back to ASCII, also where the client forgot to say so.
        japanese, newline, rest = piece.partition(b"\n")
        out.append(_KANJI[switch](japanese))
        out.append(_plain(newline + rest))
    return "".join(out)


def _plain(piece: bytes) -> str:
    return piece.replace(b"\x1b", b"").decode("cp932", "replace")


def _jis_x_0208(piece: bytes) -> str:
    out = bytearray()
    index, end = 0, len(piece)
    while index < end:
        first = piece[index] & 0x7F
        if not 0x21 <= first <= 0x7E or index + 1 == end:
            out.append(first)
            index += 1
            continue
        second = piece[index + 1] & 0x7F
        out.append((first + 1) // 2 + (0x70 if first < 0x5F else 0xB0))
        out.append(second + (0x7E if first % 2 == 0 else 0x20 if second > 0x5F else 0x1F))
        index += 2
    return out.decode("cp932", "replace")


def _jis_x_0212(piece: bytes) -> str:
    count = len(piece) // 2
    high = piece[: 2 * count].translate(_HIGH)
    out = bytearray(b"\x8f" * (3 * count))  # which announces JIS X 0212 in EUC-JP
    out[1::3], out[2::3] = high[0::2], high[1::2]
    return out.decode("euc_jp", "replace")


def _half_width(piece: bytes) -> str:
    return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in piece).decode("cp932", "replace")


_HIGH: Final = bytes(byte | 0x80 for byte in range(256))
_KANJI: Final = {b"$@": _jis_x_0208, b"$B": _jis_x_0208, b"$(D": _jis_x_0212, b"(I": _half_width}
