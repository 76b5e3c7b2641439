"""RTF as Outlook packs it: LZFu (MS-OXRTFCP) in, and of the RTF the HTML it was made of (MS-OXRTFEX), or its text.

Linear in what comes out, and that is bounded.  Pictures, objects and everything a reader may skip are skipped.
"""

import re
from typing import Final, NamedTuple

from eventum.mail.charsets.charset import codec

MAX_RTF: Final = 1_500_000  # bytes that are unpacked and read
_MAX_DEPTH: Final = 200  # groups in one another
_MAX_FONTS: Final = 1_000
_BEGUN: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW: Final = 4_096
_TOKEN: Final = re.compile(
    rb"""\\ ([A-Za-z]{1,32}) (-?[0-9]{1,9})? \ ?   # a word, its number, the blank that ends it
       | \\' ([0-9A-Fa-f]{2})                     # a byte
       | \\ (.)                                   # a sign
       | ([{}])
       | [\r\n]+                                  # means nothing
       | ([^\\{}\r\n]+)                           # text
       | \\""",
    re.VERBOSE | re.DOTALL,
)
_SKIPPED: Final = frozenset(
    {"colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "footerl", "footerr",
     "themedata", "datastore", "latentstyles", "listtable", "listoverridetable", "generator", "xmlnstbl", "fldinst"}
)  # fmt: skip
_SIGNS: Final = {
    "par": "\n", "line": "\n", "tab": "\t", "cell": "\t", "row": "\n", "page": "\n", "sect": "\n", "emdash": "\u2014",
    "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
    "bullet": "\u2022", "emspace": "\u2003", "enspace": "\u2002",
}  # fmt: skip
_ESCAPED: Final = {
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
    b"~": "\u00a0",
    b"_": "\u2011",
    b"-": "",
    b"\n": "\n",
    b"\r": "\n",
}
_CHARSETS: Final = {
    0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5hkscs", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250",
}  # fmt: skip


def unpacked(data: bytes) -> bytes:
    """The RTF in compressed RTF, as far as it goes; b"" for what is none."""
    kind, size = data[8:12], min(int.from_bytes(data[4:8], "little"), MAX_RTF)
    if kind == b"MELA":
        return data[16 : 16 + size]
    if kind != b"LZFu":
        return b""
    window = bytearray(_BEGUN.ljust(_WINDOW, b"\0"))
    write, place, end = len(_BEGUN), 16, len(data)
    out = bytearray()
    while place < end and len(out) < size:
        flags = data[place]
        place += 1
        for bit in range(8):
            if flags >> bit & 1:
                if place + 1 >= end:
                    return bytes(out)
                pair = data[place] << 8 | data[place + 1]
                place += 2
                offset = pair >> 4
                if offset == write:
                    return bytes(out)
                for _ in range((pair & 15) + 2):
                    byte = window[offset]
                    offset = (offset + 1) % _WINDOW
                    window[write] = byte
                    write = (write + 1) % _WINDOW
                    out.append(byte)
            else:
                if place >= end:
                    return bytes(out)
                window[write] = data[place]
                write = (write + 1) % _WINDOW
                out.append(data[place])
                place += 1
    return bytes(out[:size])


def read(data: bytes) -> tuple[str, str]:
    """What the RTF says: ("html", its HTML) where it was made of HTML, else ("text", its text)."""
    data = data[:MAX_RTF]
    return _Reader(is_html=b"\\fromhtml" in data[:2_000]).run(data)


class _Group(NamedTuple):
    """What holds until the group ends."""

    skipped: bool = False
    is_tag: bool = False  # inside of {\*\htmltag ...}
    is_rtf: bool = False  # what only a reader of RTF shows
    fallback: int = 1  # signs that stand for one \u
    font: int = -1
    in_fonts: bool = False


class _Reader:
    """One text in RTF being read."""

    def __init__(self, is_html: bool) -> None:
        self.is_html = is_html
        self.group = _Group()
        self.above: list[_Group] = []
        self.too_deep = 0
        self.page = "cp1252"
        self.default_font = -1
        self.fonts: dict[int, str] = {}
        self.out: list[str] = []
        self.bytes = bytearray()
        self.to_skip = 0
        self.starred = False

    def run(self, data: bytes) -> tuple[str, str]:
        """All of it, token by token."""
        for token in _TOKEN.finditer(data):
            if token[1]:
                self.word(token[1].decode("ascii"), token[2])
            elif token[3]:
                self.raw(bytes([int(token[3], 16)]))
            elif token[4]:
                self.sign(token[4])
            elif token[5]:
                self.brace(token[5])
            elif token[6]:
                self.raw(token[6])
        self.flush()
        text = "".join(self.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # halves of signs
        return ("html" if self.is_html else "text"), text

    def brace(self, brace: bytes) -> None:
        """A group begins or ends."""
        self.flush()
        self.to_skip = 0
        self.starred = False
        if brace == b"{":
            if len(self.above) < _MAX_DEPTH:
                self.above.append(self.group)
            else:
                self.too_deep += 1
        elif self.too_deep:
            self.too_deep -= 1
        elif self.above:
            self.group = self.above.pop()

    def word(self, word: str, number: bytes | None) -> None:
        """A control word; most of them only say how something looks."""
        self.flush_before(word)
        value = int(number) if number else None
        if word == "u" and value is not None:
            self.text(chr(value % 0x10000))
            self.to_skip = self.group.fallback
        elif word in _SIGNS:
            self.text(_SIGNS[word])
        elif word == "htmltag" and self.starred:
            self.group = self.group._replace(is_tag=True, skipped=False)
        elif word == "htmlrtf":
            self.group = self.group._replace(is_rtf=value != 0)
        elif word == "fonttbl":
            self.group = self.group._replace(in_fonts=True)
        elif word in _SKIPPED or (self.starred and word != "htmltag"):
            self.group = self.group._replace(skipped=True)
        else:
            self.setting(word, value)
        self.starred = False

    def setting(self, word: str, value: int | None) -> None:
        """A word that says how bytes are to be read."""
        if value is None:
            return
        if word == "ansicpg":
            self.page = codec(f"cp{value}") or self.page
        elif word == "deff":
            self.default_font = value
        elif word == "uc":
            self.group = self.group._replace(fallback=min(max(value, 0), 10))
        elif word == "f":
            self.group = self.group._replace(font=value)
        elif word == "fcharset" and self.group.in_fonts and len(self.fonts) < _MAX_FONTS and value in _CHARSETS:
            self.fonts[self.group.font] = _CHARSETS[value]

    def flush_before(self, word: str) -> None:
        """Decode what was gathered before a word that changes how bytes are read, or says something itself."""
        if self.bytes:
            self.flush()
        if word != "u":
            self.to_skip = 0

    def sign(self, sign: bytes) -> None:
        """A backslash and a sign."""
        if sign == b"*":
            self.starred = True
            return
        self.text(_ESCAPED.get(sign, ""))

    def raw(self, data: bytes) -> None:
        """Text as bytes of the font's charset."""
        if self.to_skip:
            skipped = min(self.to_skip, len(data))
            self.to_skip -= skipped
            data = data[skipped:]
        if not self._is_hidden():
            self.bytes += data

    def text(self, text: str) -> None:
        """Text as it is."""
        self.flush()
        if not self._is_hidden():
            self.out.append(text)

    def flush(self) -> None:
        """Decode the bytes that were gathered."""
        if self.bytes:
            font = self.group.font if self.group.font >= 0 else self.default_font
            name = self.page if self.group.is_tag else self.fonts.get(font, self.page)
            self.out.append(self.bytes.decode(name, "replace"))
            self.bytes.clear()

    def _is_hidden(self) -> bool:
        return self.group.skipped or self.group.in_fonts or self.group.is_rtf
