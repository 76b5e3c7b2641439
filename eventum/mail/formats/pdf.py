"""Whether a PDF is at rest: bytes in, yes or no out. At rest is one that can run, send and start nothing.

Browsers show PDFs in viewers of their own, which no Content-Security-Policy reaches: in Chromium 156 a script in a PDF
opens a dialog although the answer says `sandbox; default-src 'none'`, and a sandboxed frame shows no PDF at all. So
one is offered to be looked at only when none of the names stands in it that let a PDF do something (ISO 32000-2, 12.6),
in its own bytes or in what it packed; whatever cannot be looked into is a no, and is a file to be saved.
"""

import re
import zlib
from typing import Final

MAX_PDF: Final = 10_000_000  # bytes
_MAX_UNPACKED: Final = 30_000_000  # bytes of all its streams together
_MAX_STREAMS: Final = 20_000
_CODED: Final = re.compile(rb"/[^\x00\t\n\f\r ()<>\[\]{}/%#]{0,127}#[^\x00\t\n\f\r ()<>\[\]{}/%]{1,127}")
_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
# Viewers pass over whatever stands behind the word on its line.
_STREAM: Final = re.compile(rb"stream[^\r\n]{0,80}(\r\n|\n|\r)?")
_ACTIVE: Final = frozenset(
    {
        *(b"JavaScript", b"JS", b"AA", b"Launch", b"SubmitForm", b"ImportData", b"XFA", b"RichMedia", b"Rendition"),
        *(b"GoToR", b"GoToE", b"Movie", b"Sound", b"3D", b"RichMediaExecute", b"GoTo3DView", b"Thread", b"SetState"),
    }
)
# What could hide names from this look: encryption, and filters that are not undone here.
_VEILED: Final = frozenset(
    {
        *(b"Encrypt", b"Crypt", b"ASCIIHexDecode", b"AHx", b"ASCII85Decode", b"A85", b"LZWDecode", b"LZW"),
        *(b"RunLengthDecode", b"RL"),
    }
)
# What prints by itself opens a dialog. One search over all: a Python loop over names takes seconds for 30 MB of them.
_WAKES: Final = re.compile(
    rb"/(?:%s|N[\x00\t\n\f\r ]{0,20}/Print)(?![^\x00\t\n\f\r ()<>\[\]{}/%%])" % b"|".join(sorted(_ACTIVE | _VEILED))
)
_TWICE: Final = re.compile(rb"/(?:FlateDecode|Fl)\s*/(?:FlateDecode|Fl)\b")
# A type that is not said where it belongs could be any.
_SAID_ELSEWHERE: Final = re.compile(rb"/(?:Type|Filter|F|DecodeParms|DP)\s{0,20}(?:%|\d{1,10}\s)")
_PREDICTED: Final = re.compile(rb"/(?:DecodeParms|DP)\b")
_AROUND: Final = 2_000  # bytes of a dictionary that are looked at around the word that says it holds objects


def is_at_rest(data: bytes) -> bool:
    """Whether a PDF can be shown without it doing anything; False for what is none, and for what nobody can tell."""
    if not data.startswith(b"%PDF-") or len(data) > MAX_PDF or not _is_calm(data):
        return False
    if _SAID_ELSEWHERE.search(data) is not None or _holds_predicted_objects(data):
        return False
    room = _MAX_UNPACKED
    for number, begin in enumerate(_STREAM.finditer(data)):
        if number >= _MAX_STREAMS or begin[1] is None:
            return False
        unpacked = _unpacked(data, begin.end(), room)
        room -= len(unpacked)
        if room <= 0 or not _is_calm(unpacked):
            return False
    return True


def _holds_predicted_objects(data: bytes) -> bool:
    """Whether objects lie behind a predictor: their names do not stand in clear in what is unpacked."""
    for found in re.finditer(rb"/ObjStm\b", data):
        begin = data.rfind(b"obj", max(0, found.start() - _AROUND), found.start())
        end = data.find(b"stream", found.end(), found.end() + _AROUND)
        if begin < 0 or end < 0 or _PREDICTED.search(data, begin, end) is not None:
            return True
    return False


def _unpacked(data: bytes, at: int, room: int) -> bytes:
    """What stands packed at this place, b"" when nothing does; wherever a stream really ends, packed data knows."""
    if at >= len(data) or data[at] & 0x0F != 8:
        return b""
    reader, out, length = zlib.decompressobj(), [], 0
    try:
        for begin in range(at, len(data), 65_536):
            out.append(reader.decompress(data[begin : begin + 65_536], room - length + 1))
            length += len(out[-1])
            if reader.eof or length > room or reader.unconsumed_tail:
                break
    except zlib.error:  # Damaged behind this; what came before is what a viewer shows, too.
        pass
    return b"".join(out)


def _is_calm(data: bytes) -> bool:
    if _TWICE.search(data) is not None or _WAKES.search(data) is not None:
        return False
    # Nobody writes a plain letter so who has nothing to hide.
    codes = (code for found in _CODED.finditer(data) for code in _HEX.findall(found[0])) if b"#" in data else ()
    return not any(bytes([int(code, 16)]).isalnum() for code in codes)
