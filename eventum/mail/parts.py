"""The MIME tree of a mail: raw bytes in, its leaves out, each with its path, type and still encoded body.

Two readers with one result.  The fast one finds boundaries with `bytes.find` and gives up at the first oddity; then
`tolerant` reads the mail line by line, and where that would take too long, the mail stays one piece.  Nothing here
decides what is text and what an attachment, and nothing ever re-serialises what was received.
"""

import re
from typing import Final

import msgspec

from eventum.mail.content import Content, Leaf, content_of
from eventum.mail.headers import Block, Headers, split_block, strict_block
from eventum.mail.tolerant import TooMuch, read_leaves

MAX_PARTS: Final = 1_000
_MAX_DEPTH: Final = 12
_MAX_MISSES: Final = 50_000  # lines that only begin like a delimiter
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_DELIMITER_END: Final = re.compile(rb"(--)?[ \t]*(\r?\n|\r|\Z)")


class Tree(msgspec.Struct, frozen=True):
    """A mail that was taken apart: the bytes that were read, its header block, its leaves in their order."""

    raw: bytes
    block: Block
    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...] = ()


def prepared(raw: bytes) -> tuple[bytes, Block]:
    """The bytes to read, without a byte order mark and with line ends that are lines, and their header block."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    return raw, split_block(raw)


def read_tree(raw: bytes) -> Tree:
    """The tree by the fast reader, or else by the tolerant one."""
    raw, block = prepared(raw)
    return fast_tree(raw, block) or tolerant_tree(raw, block)


def fast_tree(raw: bytes, block: Block) -> Tree | None:
    """The tree of a mail without oddities in its structure, None for any other."""
    content = content_of(block.headers)
    reader = _Fast(raw)
    try:
        reader.take(block.headers, content, (block.body, len(raw)), ())
    except _Odd:
        return None
    except _Enough:
        reader.defects.append("too-many-parts")
    return Tree(raw, block, tuple(reader.leaves), tuple(dict.fromkeys(reader.defects)))


def tolerant_tree(raw: bytes, block: Block) -> Tree:
    """The tree as far as it can be made out in bounded time."""
    try:
        leaves, defects = read_leaves(raw[block.body :], block.headers)
    except TooMuch:
        return whole_tree(raw, block)
    return Tree(raw, block, leaves, defects)


def whole_tree(raw: bytes, block: Block) -> Tree:
    """The mail as one text that nobody took apart."""
    leaf = Leaf("1", Headers({}), "text/plain", {}, raw[block.body :])
    return Tree(raw, block, (leaf,), ("kept-whole",))


class _Odd(Exception):
    """Something that only the tolerant reader may judge."""


class _Enough(Exception):
    """There are more parts than anybody will look at."""


class _Fast:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.leaves: list[Leaf] = []
        self.defects: list[str] = []
        self.boundaries: list[str] = []

    def take(self, headers: Headers, content: Content, span: tuple[int, int], path: tuple[int, ...]) -> None:
        if content.type.startswith("multipart/"):
            self.open(content, span, path)
            return
        shown = ".".join(map(str, path)) or "1"
        self.leaves.append(Leaf(shown, headers, content.type, content.parameters, self.raw[span[0] : span[1]]))

    def open(self, content: Content, span: tuple[int, int], path: tuple[int, ...]) -> None:
        boundary = content.boundary
        if not boundary or len(self.boundaries) >= _MAX_DEPTH or self.taken(boundary):
            raise _Odd
        if self.raw.find(b"\r--" + boundary.encode("ascii"), *span) >= 0:
            raise _Odd  # a line that ends in a bare CR
        self.boundaries.append(boundary)
        default = "message/rfc822" if content.type == "multipart/digest" else "text/plain"
        for number, piece in enumerate(self.pieces(boundary.encode("ascii"), *span), start=1):
            self.part(piece, default, (*path, number))
        self.boundaries.pop()

    def taken(self, boundary: str) -> bool:
        return any(boundary in (outer, outer + "--") or outer == boundary + "--" for outer in self.boundaries)

    def pieces(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between the delimiter lines of one multipart lie (RFC 2046 section 5.1.1)."""
        raw, delimiter = self.raw, b"\n--" + boundary
        found: list[tuple[int, int]] = []
        opened, misses = -1, 0
        position = start - 1  # the line end before the body belongs to the first delimiter
        while (at := raw.find(delimiter, position, end)) >= 0:
            rest = _DELIMITER_END.match(raw, at + len(delimiter), end)
            if rest is None:
                misses += 1
                if misses > _MAX_MISSES:
                    raise _Odd
                position = at + 1
                continue
            if rest[2] == b"\r" or (opened < 0 and rest[1]) or 0 <= at < opened or not (rest[1] or rest[2]):
                raise _Odd
            if opened >= 0:
                found.append((opened, at - 1 if at > opened and raw[at - 1] == 13 else at))
            if rest[1]:
                return found
            opened = rest.end()
            position = opened - 1
            if len(found) > MAX_PARTS:
                return [*found, (opened, end)]
        if opened < 0:
            raise _Odd
        self.defects.append("unterminated")
        if end == len(raw):  # else the line end was taken off with the delimiter that follows
            last = raw[max(opened, end - 2) :]
            end -= 2 if last == b"\r\n" else last[-1:] in (b"\n", b"\r")
        found.append((opened, end))
        return found

    def part(self, piece: tuple[int, int], default: str, path: tuple[int, ...]) -> None:
        raw, (start, end) = self.raw, piece
        if len(self.leaves) >= MAX_PARTS:
            self.leaves.append(Leaf("rest", Headers({}), "application/octet-stream", {}, raw[start:]))
            raise _Enough
        head = body = start
        if raw.startswith((b"\n", b"\r\n"), start, end):
            body = raw.index(b"\n", start) + 1
        elif start < end:
            blank = _BLANK_LINE.search(raw, start, end)
            if blank is not None:
                head, body = blank.start() + 1, blank.end()
            elif raw[end - 1] == 10:  # fields only: the blank line was the delimiter's line end
                head = body = end
            else:
                raise _Odd
        if raw.count(b"\r", start, head) != raw.count(b"\r\n", start, head):
            raise _Odd  # a bare CR, which is a line end to some
        headers = strict_block(raw, start, head) if head > start else Headers({})
        if headers is None:
            raise _Odd
        self.take(headers, content_of(headers, default), (body, end), path)
