"""Bytes of a mail and the charset it declares in, readable text out: never an exception, never a lone surrogate.

The name a mail declares is only ever looked up in the table below, never handed to `codecs.lookup`: Python would run
`idna`, `unicode_escape` or `utf-7` as text codecs on a stranger's word.  Nothing here knows headers or MIME.
"""

import re
from typing import Final

from eventum.mail.charsets.guess import JAPANESE, east_asian, likeliest
from eventum.mail.charsets.japanese import euc_jp, iso_2022_jp

_JIS_MARK: Final = (b"\x1b$B", b"\x1b$@", b"\x1b$(", b"\x1b(I", b"\x1b&@")
_GUESS_BYTES: Final = 8_192
_BYTE_ORDER: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LOST_ESCAPE: Final = re.compile(
    rb"""\$[@B] ((?:[!-~][!-~])+?) \([BJ]   # kanji between their switches, whose first sign a relay took out""",
    re.VERBOSE,
)

# WHATWG's reading of the labels: who says latin-1 means cp1252, who says gb2312 writes gb18030 characters.
_FAMILIES: Final = {
    "utf-8": "utf-8 utf8 utf-8-sig unicode-1-1-utf-8 cp65001 x-utf-8 utf-8-mac utf8mb4",
    "": "us-ascii ascii ansi-x3.4-1968 ansi-x3.4-1986 646 unknown-8bit x-unknown unknown default binary",
    "cp1252": "iso-8859-1 iso8859-1 latin1 latin-1 l1 iso-88591 cp819 windows-1252 cp1252 x-ansi",
    "iso2022_jp": "iso-2022-jp iso2022-jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-2004 iso-2022-jp-ms"
    " cp50220 cp50221 cp50222 csiso2022jp jis",
    "cp932": "shift-jis shiftjis sjis x-sjis s-jis ms-kanji csshiftjis cp932 ms932 windows-31j windows-932 x-ms-cp932"
    " x-mac-japanese",
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
    "mac_latin2": "x-mac-ce x-mac-centraleurroman macce",
    "mac_greek": "x-mac-greek macgreek",
    "mac_turkish": "x-mac-turkish macturkish",
    "koi8_t": "koi8-t",
    "kz1048": "kz-1048 strk1048-2002 rk1048",
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
    """The Python codec a charset name stands for, "" for ASCII and its like, None for a name that is not known.

    What clients put around a name is passed over: quotes (also as quoted-printable left them), `charset=`, `x-`, a
    comment, a second name.
    """
    if not declared:
        return ""
    name = declared.lower().removeprefix('3d"').strip(" \t\"'\\").replace("_", "-")
    known = _CODECS.get(name)
    if known is not None or len(name) > _LONGEST_NAME:
        return known
    name = _FIRST_NAME.split(name.removeprefix("charset="), maxsplit=1)[0].replace("-", "").replace(".", "")
    known = _SQUEEZED.get(name)
    return known if known is not None else _SQUEEZED.get(name.removeprefix("x").removeprefix("cs"))


_LONGEST_NAME: Final = 60
_FIRST_NAME: Final = re.compile(r"[\s;,:()\"'\\]")
_SQUEEZED: Final = {alias.replace("-", ""): name for alias, name in _CODECS.items() if len(alias) > 2}


def decode(data: bytes, declared: str | None, guess: bool = True) -> str:
    """The text of `data`: by escape sequences, as UTF-8, as declared, then by a guess; U+FFFD for what is no text.

    `guess=False` leaves out the slow last resort, for header text and for whoever has many small pieces.
    """
    name = codec(declared)
    if data[:2] in _BYTE_ORDER and len(data) % 2 == 0:
        return data[2:].decode(_BYTE_ORDER[data[:2]], "replace")
    if name in _SEVEN_BITS and name is not None and _plausible(data, name):
        return data.decode(name, "replace")
    if b"\x1b" in data and (name == "iso2022_jp" or any(mark in data for mark in _JIS_MARK)):
        return iso_2022_jp(data)
    if data.isascii():
        if name == "iso2022_jp" and (b"$" in data or b"\x0e" in data):
            return iso_2022_jp(_with_escapes(data))
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


def _with_escapes(data: bytes) -> bytes:
    """Kanji whose escape signs a relay took out, with them again; anything else stays as it is."""
    kanji = b"".join(_LOST_ESCAPE.findall(data[: 4 * _GUESS_BYTES]))
    if not kanji or likeliest(kanji.translate(_HIGH), JAPANESE, _SURELY) is None:
        return data
    return _LOST_ESCAPE.sub(lambda found: b"\x1b$B" + found[1] + b"\x1b(B", data)


_HIGH: Final = bytes(byte | 0x80 for byte in range(256))


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _plausible(data: bytes, name: str) -> bool:
    # A plain ASCII text under a label of UTF-16 is a client's mistake, and would be read as Chinese.
    if name.startswith("utf-"):
        return b"\0" in data or (len(data) % 2 == 0 and not data.isascii() and _strictly(data, "utf-8") is None)
    return data.isascii()


def _two_byte_only(text: str) -> bool:
    # Two bytes of EUC-JP or GBK can be one valid character of UTF-8 below U+0800, but hardly ever one above it.
    return max(text, default="") < "\u0800"


def _as_declared(data: bytes, name: str) -> str | None:
    """The text as its label says, None when it cannot be that."""
    if name in ("utf-8", "iso2022_jp"):  # no valid UTF-8, and no escape: 8-bit text under the wrong label
        return None
    if name == "cp1252" and (other := east_asian(data)) is not None:
        return _in(data, other)
    text = _strictly_in(data, name)
    if name in JAPANESE and (text is None or not _KANA.search(text)):
        likely = likeliest(data, JAPANESE, _SURELY)
        if likely is not None and likely != name and likeliest(data, frozenset({name})) is None:
            return _strictly_in(data, likely)
    return text


def _strictly_in(data: bytes, name: str) -> str | None:
    text = _strictly(data, name)
    if text is None and name == "euc_jp":
        # Sign by sign is slow; of very much text the newer standard will do, which knows most of what vendors added.
        return euc_jp(data) if len(data) <= _GUESS_BYTES * 20 else _strictly(data, "euc_jis_2004")
    if text is None and name == "big5hkscs":
        return _strictly(data, "cp950")
    return text


def _in(data: bytes, name: str) -> str:
    text = _strictly_in(data, name)
    return data.decode(name, "replace") if text is None else text


def _unlabelled(data: bytes, name: str | None, guess: bool) -> str:
    if name in ("", None, "utf-8") and _is_utf8_with_faults(data, name):
        return _line_by_line(data)
    if name and name not in _SEVEN_BITS and name not in ("utf-8", "iso2022_jp"):
        text = data.decode(name, "replace")
        if text.count("\ufffd") * 20 < len(text):
            return text
    likely = likeliest(data, JAPANESE) if name == "iso2022_jp" else likeliest(data)
    if likely is None and guess:
        likely = _last_resort(data)
    if likely is None and name == "utf-8":
        return data.decode("utf-8", "replace")
    return _in(data, likely or "cp1252")


def _last_resort(data: bytes) -> str | None:
    import charset_normalizer  # slow to load, and hardly any mail needs it

    if sum(byte > 127 for byte in data[:_GUESS_BYTES]) < _ENOUGH:
        return None
    best = charset_normalizer.from_bytes(data[:_GUESS_BYTES], cp_isolation=_GUESSES).best()
    return best.encoding if best is not None and codec(best.encoding) else None


_KANA: Final = re.compile("[\u3041-\u30fe]")  # which neither charset makes of what is written in the other
_SURELY: Final = 0.8  # before a declared charset is not believed
_ENOUGH: Final = 12  # bytes beyond ASCII; of fewer, the last resort is a lottery
_GUESSES: Final = [
    "cp1252", "cp1251", "koi8_r", "cp1250", "cp949", "gb18030", "big5", "cp1253", "cp1255", "cp1256", "cp874",
]  # fmt: skip


def _is_utf8_with_faults(data: bytes, name: str | None) -> bool:
    """Whether there is enough of UTF-8 in it: one cut character must not turn all the others into Latin letters."""
    sample = _CUT_ENDS.sub(b"", data[:_GUESS_BYTES])
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(not char.isascii() for char in text) - wrong
    if name == "utf-8" and 0 < right <= wrong:
        return likeliest(data, None, _SURELY) is None  # Shift_JIS is full of what could be a sign of two bytes
    return wrong * 10 < right or (name == "utf-8" and right > 0)


def _line_by_line(data: bytes) -> str:
    """UTF-8, in which lines that are none are of the charset of another mail that was quoted."""
    lines = data.split(b"\n")
    others = [line for line in lines if _SIGN.search(line) is None and _strictly(line, "utf-8") is None]
    name = likeliest(b"\n".join(others)) if others else None
    if name is None:
        return data.decode("utf-8", "replace")
    known = set(others)
    return "\n".join([line.decode(name if line in known else "utf-8", "replace") for line in lines])


_SIGN: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf] | [\xe0-\xef][\x80-\xbf]{2}", re.VERBOSE)
_CUT_ENDS: Final = re.compile(
    rb"""\A [\x80-\xbf]{1,3}   # what is left of a first character
       | (?: [\xc2-\xdf] | [\xe0-\xef][\x80-\xbf]? | [\xf0-\xf4][\x80-\xbf]{0,2} ) \Z   # and of a last""",
    re.VERBOSE,
)
