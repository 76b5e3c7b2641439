"""The tolerant reader of a MIME tree: the body of an odd mail in, its leaves out, as the standard library finds them.

Only the line machine of `email` (compat32) is used, never its reading of headers, types or encodings, which raise on
real mail and are slow on hostile mail.  It gets no mail that it could chew on for long: those are `TooMuch`.
"""

from email import errors
from email.message import Message
from email.parser import BytesParser
from email.policy import Policy, compat32
from typing import Final

from eventum.mail.content import Content, Leaf, content_of
from eventum.mail.headers import Headers

_MAX_BYTES: Final = 16_000_000
_MAX_LINES: Final = 250_000
_MAX_NODES: Final = 1_000
_MAX_MULTIPARTS: Final = 60
_MAX_LINES_AND_DEPTH: Final = 2_000_000  # every line is compared with every boundary above it


_TEXT: Final = Content("text/plain", {})


class TooMuch(Exception):
    """The mail is too big, or too deep, to be read line by line."""


Found = tuple[tuple[Leaf, ...], tuple[str, ...], dict[str, Content]]


def read_leaves(body: bytes, headers: Headers) -> Found:
    """The leaves of the body under these fields, the defects that were met, the multiparts; raises TooMuch."""
    lines = body.count(b"\n") + body.count(b"\r")
    if len(body) > _MAX_BYTES or lines > _MAX_LINES:
        raise TooMuch
    budget = _Budget(lines)

    def factory(policy: Policy) -> _Node:
        return _Node(policy, budget)

    content_type = (headers.first("content-type") or "").replace("\r", " ")  # which is a line end to the library
    head = b"Content-Type: " + content_type.encode("utf-8", "replace") + b"\n" if content_type else b""
    try:
        root = BytesParser(factory, policy=compat32).parsebytes(head + b"\n" + body)  # type: ignore[arg-type]
    except RecursionError:
        raise TooMuch from None
    leaves: list[Leaf] = []
    defects: list[str] = []
    multiparts: dict[str, Content] = {}
    stack: list[tuple[Message, tuple[int, ...]]] = [(root, ())]
    while stack:
        node, path = stack.pop()
        if not isinstance(node, _Node):
            continue
        if any(isinstance(defect, errors.CloseBoundaryNotFoundDefect) for defect in node.defects):
            defects.append("unterminated")
        if node.is_multipart():
            multiparts[".".join(map(str, path))] = node.content()
            children = list(enumerate(node.get_payload(), start=1))
            stack.extend((child, (*path, number)) for number, child in reversed(children))
            continue
        empty = node.content().type.startswith("multipart/")
        if empty:
            defects.append("no-parts")
        # The library drops what follows a closing delimiter that opened nothing, so of the root all is kept.
        leaves.append(node.leaf(path, empty) if path else _root_leaf(node.content(), headers, body, empty))
    return tuple(leaves), tuple(dict.fromkeys(defects)), multiparts


def _root_leaf(content: Content, headers: Headers, body: bytes, empty: bool) -> Leaf:
    if empty:
        return Leaf("1", Headers({}), _TEXT.type, _TEXT.parameters, body)
    return Leaf("1", headers, content.type, content.parameters, body)


class _Budget:
    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.nodes = 0
        self.multiparts = 0

    def node(self) -> None:
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise TooMuch

    def multipart(self) -> None:
        self.multiparts += 1
        if self.multiparts > _MAX_MULTIPARTS or self.multiparts * self.lines > _MAX_LINES_AND_DEPTH:
            raise TooMuch


class _Node(Message):
    """A node whose type and boundary are read by us; no type but multipart makes the line machine look inside."""

    def __init__(self, policy: Policy, budget: _Budget) -> None:
        super().__init__(policy)
        self._budget = budget
        self._content: Content | None = None
        budget.node()

    def content(self) -> Content:
        if self._content is None:
            self._content = content_of(self.fields(), self.get_default_type())
        return self._content

    def fields(self) -> Headers:
        fields: dict[str, list[bytes]] = {}
        for name, value in self.raw_items():
            fields.setdefault(name.lower(), []).append(value.encode("ascii", "surrogateescape"))
        return Headers(fields)

    def get_content_type(self) -> str:
        return self.content().type if self.get_content_maintype() == "multipart" else "application/octet-stream"

    def get_content_maintype(self) -> str:
        return "multipart" if self.content().type.startswith("multipart/") else "application"

    def get_boundary(self, failobj: object = None) -> str | None:  # type: ignore[override]
        self._budget.multipart()
        return self.content().boundary or None

    def leaf(self, path: tuple[int, ...], empty: bool) -> Leaf:
        """This node as a leaf; a multipart in which no part was found is a text."""
        content, fields = (_TEXT, Headers({})) if empty else (self.content(), self.fields())
        del self["content-transfer-encoding"]  # so that the library hands out the bytes as they were sent
        body = self.get_payload(decode=True)
        name = ".".join(map(str, path))
        return Leaf(name, fields, content.type, content.parameters, body if isinstance(body, bytes) else b"")
