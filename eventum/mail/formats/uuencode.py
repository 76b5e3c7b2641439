"""uuencoded data: a part that is nothing else, and the files that old programs put between the lines of a text.

Bytes in, bytes out, in linear time: a line of data never holds a small letter, so no block begins inside another.
"""

import binascii
import re
from typing import Final

_MAX_LINES: Final = 400_000  # 18 MB of data
_BEGIN: Final = re.compile(rb"^begin [0-7]{3,4} ", re.MULTILINE)
_BLOCK: Final = re.compile(
    rb"""^begin\ [0-7]{3,4}\ ++ ([^\r\n]{1,300}) \r?\n   # the rights of a file and its name
         ((?: [ -`]{0,100} \r?\n )*+)                # lines of data, each begins with how many bytes it holds
         end [ \t]* (?: \r?\n | \Z )""",
    re.MULTILINE | re.VERBOSE,
)


def uudecoded(body: bytes) -> bytes:
    """The data of a part whose transfer encoding is uuencode; the part as it is when it is too large for one."""
    if body.count(b"\n") > _MAX_LINES:
        return body
    begin = _BEGIN.search(body)
    lines = body[begin.start() if begin else 0 :].splitlines()
    return _data(lines[1 if begin else 0 :])


def has_files(data: bytes) -> bool:
    """Whether a text may hold uuencoded files; cheap to ask."""
    return b"begin " in data and _BEGIN.search(data) is not None


def split(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A text without the files in it, and their names and contents, in their order."""
    rest: list[bytes] = []
    files: list[tuple[bytes, bytes]] = []
    position = lines = 0
    for block in _BLOCK.finditer(data):
        coded = block[2].splitlines()
        lines += len(coded)
        if lines > _MAX_LINES:
            break
        if coded and not _holds_data(coded[0]):
            continue
        rest.append(data[position : block.start()])
        files.append((block[1].strip(), _data(coded)))
        position = block.end()
    return b"".join([*rest, data[position:]]), files


def _holds_data(line: bytes) -> bool:
    """Whether a line is as long as its first sign says; blanks at its end may have been lost on the way."""
    count = (line[0] - 32) & 63 if line else 0
    return count == 0 or (count * 4 + 2) // 3 - 3 <= len(line) - 1 <= (count + 2) // 3 * 4 + 2


def _data(lines: list[bytes]) -> bytes:
    out: list[bytes] = []
    for line in lines:
        if line.strip() == b"end":
            break
        out.append(_line(line))
    return b"".join(out)


def _line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some programs fill the line up behind what its first sign counts.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
