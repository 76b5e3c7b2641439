r"""An mbox: many mails in one file, each behind a line `From sender date` (RFC 4155; "mboxrd" quoting).

In flows an open file of any size, out flow the places of its mails; of the file a few megabytes are held at a time. A
line `From ` that stands in a mail was quoted as `>From ` by who wrote the file; `unquoted` takes one `>` away.
"""

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 4 << 20
AFTER = 2000  # Bytes behind a separator that are looked at: its own line and the beginning of the next.
# What every program writes: a weekday, a month and a year somewhere behind the sender.
_STRICT = re.compile(
    rb"""From\ [^\r\n]{0,998}?
    (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\ (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ +
    \d{1,2}\ \d{1,2}:\d\d [^\r\n]{0,60}? \d{4} [^\r\n]{0,20} \r?\n""",
    re.VERBOSE,
)
_LOOSE = re.compile(rb"From [^\r\n]{0,998}\r?\n")
_HEADER = re.compile(rb">?[!-9;-~]{1,100}[ \t]?:")  # some write >From: and >From before the first header
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(file: BinaryIO) -> bool:
    """Whether the file begins as an mbox does."""
    head = os.pread(file.fileno(), AFTER, 0)
    return _separator(head, 0, strict=False) > 0


def pieces(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """(offset, length, separator line) of each mail, in the order of the file."""
    before: tuple[int, bytes] | None = None
    for start, end, line in separators(file):
        if before is not None:
            yield before[0], _without_blank(file, before[0], start) - before[0], before[1]
        before = end, line
    if before is not None:
        size = os.fstat(file.fileno()).st_size
        yield before[0], max(0, _without_blank(file, before[0], size) - before[0]), before[1]


def separators(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """(beginning, end, line) of each line that begins a mail."""
    descriptor, base, data = file.fileno(), 0, b"\n"
    strict = _STRICT.match(os.pread(descriptor, AFTER, 0)) is not None
    # `data` begins one byte before `base`, so that the first line of the file stands behind a line's end too.
    position, is_whole = 0, False
    while not is_whole:
        chunk = os.pread(descriptor, CHUNK, position)
        position += len(chunk)
        is_whole = not chunk
        data += chunk
        at = data.find(b"\nFrom ")
        while at >= 0 and (is_whole or at + AFTER < len(data)):
            end = _separator(data, at + 1, strict=strict)
            if end:
                yield base + at, base + end - 1, data[at + 1 : end]
            at = data.find(b"\nFrom ", at + 1)
        # What may be a separator is looked at again with what follows it, and with the line before it.
        keep = at if at >= 0 else len(data) - 5
        keep = max(0, keep - 4)
        base, data = base + keep, data[keep:]


def _separator(data: bytes, at: int, *, strict: bool) -> int:
    """Where the line ends that begins a mail at this place; 0 for one that does not."""
    found = (_STRICT if strict else _LOOSE).match(data, at)
    if found is None:
        return 0
    is_behind_blank = at < 2 or data[at - 2 : at] == b"\n\n" or data[at - 4 : at] == b"\r\n\r\n"[-4:]
    is_before_header = _HEADER.match(data, found.end()) is not None or found.end() >= len(data)
    # Some write no blank line between mails; text that quotes a whole mbox line is rarer than they are.
    well = is_behind_blank or is_before_header if strict else is_behind_blank and is_before_header
    return found.end() if well else 0


def _without_blank(file: BinaryIO, start: int, end: int) -> int:
    """The end of a mail without the blank line that stands between mails."""
    tail = os.pread(file.fileno(), min(4, end - start), max(start, end - 4))
    for blank in (b"\r\n\r\n", b"\n\n"):
        if tail.endswith(blank):
            return end - len(blank) // 2
    return end


def unquoted(raw: bytes) -> bytes:
    """The mail as it was before it was put into the file."""
    return _QUOTED.sub(rb"\1", raw) if b">From " in raw else raw
