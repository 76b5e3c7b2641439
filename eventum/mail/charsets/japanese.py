"""Japanese as mail carries it: bytes of ISO-2022-JP or EUC-JP in, with what vendors put into them, text out.

Python's codecs stop at the circled digits, the signs for companies and the half-width kana that Windows has been
writing into mail for thirty years. All of them have a place in Shift_JIS, through which they are read here.
"""

import re
from collections.abc import Callable
from typing import Final

_SWITCH: Final = re.compile(
    rb"""\x1b (?: &@\x1b)?   # JIS X 0208 of 1990 announces itself twice
         (\$@ | \$B | \$\(@ | \$\(B | \$\(D | \$\([OQ] | \$A | \$\(C | \(B | \(J | \(H | \(I)""",
    re.VERBOSE,
)
_SHIFTED: Final = re.compile(rb"\x0e([^\x0e\x0f]*)\x0f?")
_EUC_RUN: Final = re.compile(
    rb"""( (?: [\xad\xf9-\xfc][\xa1-\xfe] )+ )   # rows 13 and 89 to 92
       | (?: [\x00-\x8d] | \x8e[\xa1-\xdf] | \x8f[\xa1-\xfe]{2} | (?![\xad\xf9-\xfc])[\xa1-\xfe]{2} )+""",
    re.VERBOSE,
)


def iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP (RFC 1468, 1554) and what Microsoft's clients add: row 13, half-width kana, 8-bit bytes (CP50221).

    JIS X 0201 Roman is read as ASCII: clients switched to it for plain text, and its yen sign and overline would break
    paths and addresses.
    """
    pieces = _SWITCH.split(data)
    out = [_plain(pieces[0])]
    for switch, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        read = _READERS.get(switch)
        if read is None:
            out.append(_plain(piece))
            continue
        # RFC 1468: the end of a line goes back to ASCII, also where the client forgot to say so.
        japanese, newline, rest = piece.partition(b"\n")
        out.append(read(japanese))
        out.append(_plain(newline + rest))
    return "".join(out)


def euc_jp(data: bytes) -> str | None:
    """EUC-JP with the vendors' rows (CP51932): NEC's circled digits in row 13, IBM's kanji in rows 89 to 92.

    None when that is not what the bytes are.
    """
    out: list[str] = []
    position = 0
    try:
        for found in _EUC_RUN.finditer(data):
            if found.start() != position:
                return None
            out.append(_jis_x_0208(found[1]) if found[1] else found[0].decode("euc_jp"))
            position = found.end()
    except UnicodeError:
        return None
    return "".join(out) if position == len(data) else None


def _plain(piece: bytes) -> str:
    if b"\x0e" in piece:  # half-width kana of seven bits stand between two controls (CP50222)
        piece = _SHIFTED.sub(lambda found: bytes(byte | 0x80 if byte > 32 else byte for byte in found[1]), piece)
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


def _in_high(charset: str) -> Callable[[bytes], str]:
    return lambda piece: bytes(byte | 0x80 if byte > 32 else byte for byte in piece).decode(charset, "replace")


_HIGH: Final = bytes(byte | 0x80 for byte in range(256))
_READERS: Final[dict[bytes, Callable[[bytes], str]]] = {
    b"$@": _jis_x_0208,
    b"$B": _jis_x_0208,
    b"$(@": _jis_x_0208,
    b"$(B": _jis_x_0208,
    b"$(D": _jis_x_0212,
    b"$(O": _in_high("euc_jis_2004"),
    b"$(Q": _in_high("euc_jis_2004"),
    b"$A": _in_high("gb2312"),
    b"$(C": _in_high("euc_kr"),
    b"(I": _half_width,
}
