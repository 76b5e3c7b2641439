"""The open elements while an HTML body is read, and what holds until each of them ends.

Elements are opened by their reader and end here, alone or with those around them; what is in a cell of a table cannot
end what is around the table.
"""

from typing import Any, Final

from eventum.mail.html.table import Table
from eventum.mail.html.writer import Writer

MAX_TABLES: Final = 24
"""Tables in one another; deeper ones are read as if they were none."""
_MAX_INDENT: Final = 40  # characters

PARAGRAPHS: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"})
LINES: Final = PARAGRAPHS | frozenset({
    "address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "html", "legend", "li", "main", "nav", "section", "summary", "tbody", "td",
    "tfoot", "th", "thead", "tr",
})  # fmt: skip


class Frame:
    """An open element, and what held before it."""

    __slots__ = ("before", "name")

    def __init__(self, name: str, before: Any) -> None:
        self.name = name
        self.before = before


class List:
    """A list: how it counts, and where its open entry is in the stack of open elements, -1 for none."""

    __slots__ = ("count", "item", "kind")

    def __init__(self, kind: str, start: int) -> None:
        self.kind, self.count, self.item = kind, start, -1


class Stack(Writer):
    """Text, and the elements that are open around it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.open: set[str] = set()  # the names of those that are open within the innermost cell
        self.lost: dict[str, int] = {}  # how many of a name were too deep
        # These hold, with what the writer knows, until the element ends that says so.
        self.tables = 0
        self.list: List | None = None
        self.table: Table | None = None

    def deeper(self, by: str) -> None:
        if len(self.indent) < _MAX_INDENT:
            self.indent += by

    def push(self, name: str) -> None:
        before = (
            self.hidden, self.tiny, self.pre, self.office, self.quotes, self.tables, self.indent,
            self.list, self.table, self.out, self.open,
        )  # fmt: skip
        self.frames.append(Frame(name, before))
        # What is in a cell cannot end what is around it.
        self.open = set() if name in ("td", "th", "table") and self.tables < MAX_TABLES else set(self.open)
        self.open.add(name)

    def pop(self, place: int) -> None:
        """End the open elements from this place of the stack on."""
        while len(self.frames) > place:
            frame = self.frames.pop()
            if frame.name == "a":
                self.end_link()
            elif frame.name in LINES:
                self.flush()
            table = self.table
            (
                self.hidden, self.tiny, self.pre, self.office, self.quotes, self.tables, self.indent,
                self.list, self.table, self.out, self.open,
            ) = frame.before  # fmt: skip
            if frame.name == "li":
                self.marker = ""
            elif frame.name == "table" and table is not None and table is not self.table:
                self.gap, self.marker = table.gap, table.marker
                for quotes, line in table.lines():
                    self.add(quotes, line)

    def pop_cell(self, table: Table) -> None:
        if table.cell >= 0:
            self.pop(table.cell)
            table.cell = -1

    def pop_row(self, table: Table) -> None:
        self.pop_cell(table)
        if table.row >= 0:
            self.pop(table.row)
            table.row = -1
