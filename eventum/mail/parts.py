"""The MIME tree of a mail: raw bytes in, its leaves out, each with its path, type and still encoded body.

Two readers with one result.  The fast one finds boundaries with `bytes.find` and gives up at the first oddity; then
`tolerant` reads the mail line by line.  Where that would take too long, the fast one reads on past all oddities, and
where a multipart has a boundary that stands nowhere, the lines that look like one are taken.  Nothing here decides
what is text and what an attachment, and nothing ever re-serialises what was received.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from eventum.mail.content import Content, Leaf, content_of
from eventum.mail.headers import Block, Headers, split_block, strict_block
from eventum.mail.tolerant import TooMuch, read_leaves

MAX_PARTS: Final = 1_000
MAX_SIZE: Final = 64_000_000  # bytes of a mail that are read
MAX_DEPTH: Final = 20  # multiparts in one another that are taken apart in a mail beyond what `tolerant` reads
_FAST_DEPTH: Final = 12
_PREAMBLE: Final = 200  # bytes that may stand before the first part of what is not even called a multipart
_MAX_MISSES: Final = 50_000  # lines that only begin like a delimiter
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_DELIMITER_END: Final = re.compile(rb"(--)?[ \t]*(\r?\n|\r|\Z)")
_LIKE_DELIMITER: Final = re.compile(
    rb"""\n --([!-~]{1,200}) [ \t]*\r?\n        # a line that begins with two dashes
         (content-[a-z-]{2,40}: | \r?\n)      # and a field of MIME below it (RFC 2045 section 3), or no field
     """,
    re.VERBOSE | re.IGNORECASE,
)


class Tree(msgspec.Struct, frozen=True):
    """A mail that was taken apart: the bytes that were read, its header block, its leaves in their order.

    `multiparts` are the nodes above the leaves by their path, the mail itself under "".
    """

    raw: bytes
    block: Block
    leaves: tuple[Leaf, ...]
    defects: tuple[str, ...] = ()
    multiparts: Mapping[str, Content] = {}


def prepared(raw: bytes) -> tuple[bytes, Block]:
    """The bytes to read, without a byte order mark and with line ends that are lines, and their header block."""
    if len(raw) > MAX_SIZE:
        raw = raw[:MAX_SIZE]
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    return raw, split_block(raw)


def read_tree(raw: bytes) -> Tree:
    """The tree by the fast reader, or else by the tolerant one."""
    length = len(raw)
    raw, block = prepared(raw)
    tree = fast_tree(raw, block) or tolerant_tree(raw, block)
    if "content-type" not in block.headers or "no-parts" in tree.defects:
        tree = _guessed_tree(raw, block) or tree
    return msgspec.structs.replace(tree, defects=("limit-size", *tree.defects)) if length > MAX_SIZE else tree


def fast_tree(raw: bytes, block: Block) -> Tree | None:
    """The tree of a mail without oddities in its structure, None for any other."""
    try:
        return _taken_apart(_Fast(raw), block, content_of(block.headers))
    except _Odd:
        return None


def tolerant_tree(raw: bytes, block: Block) -> Tree:
    """The tree as far as it can be made out in bounded time."""
    try:
        leaves, defects, multiparts = read_leaves(raw[block.body :], block.headers)
    except TooMuch:
        return rough_tree(raw, block, content_of(block.headers))
    return Tree(raw, block, leaves, defects, multiparts)


def rough_tree(raw: bytes, block: Block, content: Content) -> Tree:
    """The tree of a mail that is too large or too deep to be read line by line."""
    return _taken_apart(_Fast(raw, rough=True), block, content)


def whole_tree(raw: bytes, block: Block) -> Tree:
    """The mail as one text that nobody took apart."""
    leaf = Leaf("1", Headers({}), "text/plain", {}, raw[block.body :])
    return Tree(raw, block, (leaf,), ("kept-whole",))


def _guessed_tree(raw: bytes, block: Block) -> Tree | None:
    """The tree by a boundary that the header does not name: a line like a delimiter, which is also closed."""
    line = _LIKE_DELIMITER.search(raw, max(0, block.body - 1))
    if line is None or raw.find(b"\n--" + line[1] + b"--", line.end()) < 0:
        return None
    said = content_of(block.headers)
    if not said.type.startswith("multipart/") and (line[2].isspace() or line.start() - block.body > _PREAMBLE):
        return None
    type_ = said.type if said.type.startswith("multipart/") else "multipart/mixed"
    if said.type == type_ and said.boundary == line[1].decode("ascii"):
        return None
    tree = rough_tree(raw, block, Content(type_, {**said.parameters, "boundary": line[1].decode("ascii")}))
    return msgspec.structs.replace(tree, defects=(*tree.defects, "guessed-boundary"))


def _taken_apart(reader: "_Fast", block: Block, content: Content) -> Tree:
    try:
        reader.take(block.headers, content, (block.body, len(reader.raw)), ())
    except _Enough:
        reader.defects.append("limit-parts")
    return Tree(reader.raw, block, tuple(reader.leaves), tuple(dict.fromkeys(reader.defects)), reader.multiparts)


class _Odd(Exception):
    """Something that only the tolerant reader may judge."""


class _Enough(Exception):
    """There are more parts than anybody will look at."""


class _Fast:
    """The reader by `bytes.find`; a `rough` one makes something of every oddity instead of raising `_Odd`."""

    def __init__(self, raw: bytes, rough: bool = False) -> None:
        self.raw = raw
        self.rough = rough
        self.leaves: list[Leaf] = []
        self.defects: list[str] = []
        self.boundaries: list[str] = []
        self.multiparts: dict[str, Content] = {}

    def take(self, headers: Headers, content: Content, span: tuple[int, int], path: tuple[int, ...]) -> None:
        if content.type.startswith("multipart/"):
            self.open(content, span, path)
            return
        self.leaf(headers, content, span, path)

    def leaf(self, headers: Headers, content: Content, span: tuple[int, int], path: tuple[int, ...]) -> None:
        shown = ".".join(map(str, path)) or "1"
        self.leaves.append(Leaf(shown, headers, content.type, content.parameters, self.raw[span[0] : span[1]]))

    def open(self, content: Content, span: tuple[int, int], path: tuple[int, ...]) -> None:
        boundary = content.boundary
        trouble = self.trouble(boundary, span)
        if trouble and not self.rough:
            raise _Odd
        pieces = [] if trouble else self.pieces(boundary.encode("ascii"), *span)
        if not pieces:
            self.defects.append(trouble or "no-parts")
            self.leaf(Headers({}), Content("text/plain", {}), span, path)
            return
        self.multiparts[".".join(map(str, path))] = content
        self.boundaries.append(boundary)
        default = "message/rfc822" if content.type == "multipart/digest" else "text/plain"
        for number, piece in enumerate(pieces, start=1):
            self.part(piece, default, (*path, number))
        self.boundaries.pop()

    def trouble(self, boundary: str, span: tuple[int, int]) -> str:
        """Why a multipart cannot be taken apart here, "" when it can."""
        taken = (boundary in (outer, outer + "--") or outer == boundary + "--" for outer in self.boundaries)
        if not boundary or any(taken):
            return "no-parts"
        if len(self.boundaries) >= (MAX_DEPTH if self.rough else _FAST_DEPTH):
            return "limit-depth"
        if not self.rough and self.raw.find(b"\r--" + boundary.encode("ascii"), *span) >= 0:
            return "bare-cr"  # a line that ends in one
        return ""

    def pieces(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between the delimiter lines of one multipart lie (RFC 2046 section 5.1.1)."""
        raw, delimiter = self.raw, b"\n--" + boundary
        found: list[tuple[int, int]] = []
        opened, misses = -1, 0
        position = start - 1  # the line end before the body belongs to the first delimiter
        while (at := raw.find(delimiter, max(0, position), end)) >= 0:
            rest = _DELIMITER_END.match(raw, at + len(delimiter), end)
            if rest is None or (self.rough and opened < 0 and rest[1]):
                misses += 1
                if misses > _MAX_MISSES:
                    if self.rough:
                        break
                    raise _Odd
                position = at + 1
                continue
            odd = rest[2] == b"\r" or (opened < 0 and rest[1]) or 0 <= at < opened or not (rest[1] or rest[2])
            if odd and not self.rough:
                raise _Odd
            if opened >= 0:
                found.append((opened, max(opened, at - 1 if at > opened and raw[at - 1] == 13 else at)))
            if rest[1]:
                return found
            opened = rest.end()
            position = opened - 1
            if len(found) > MAX_PARTS:
                return [*found, (opened, end)]
        if opened < 0:
            if self.rough:
                return []
            raise _Odd
        self.defects.append("unterminated")
        if end == len(raw):  # else the line end was taken off with the delimiter that follows
            last = raw[max(opened, end - 2) :]
            end -= 2 if last == b"\r\n" else last[-1:] in (b"\n", b"\r")
        found.append((opened, max(opened, end)))
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
            elif not self.rough:
                raise _Odd
        headers = self.fields(start, head)
        if headers is None:
            block = split_block(raw[start:end])
            headers, body = block.headers, start + block.body
        self.take(headers, content_of(headers, default), (body, end), path)

    def fields(self, start: int, head: int) -> Headers | None:
        """The fields of a part, None (in a rough reader) where they are too odd."""
        if head <= start:
            return Headers({})
        # A bare CR is a line end to some.
        bare = self.raw.count(b"\r", start, head) != self.raw.count(b"\r\n", start, head)
        headers = None if bare else strict_block(self.raw, start, head)
        if headers is None and not self.rough:
            raise _Odd
        return headers
