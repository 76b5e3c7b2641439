"""HTML of a mail to readable text: any str in, plain text with quotes marked by "> " out, in linear time.

A tokenizer of our own (`html_scan`) that only ever moves forward: Python's `html.parser` and tree builders take time
that grows with the square of some mails.  The result is text; it is never put into a page as HTML.

What a reader of the mail would not see is left out: what a style hides, and the lines for the preview of an inbox.
"""

from typing import Final

from eventum.mail.html.scan import scan
from eventum.mail.html.stack import LINES, MAX_TABLES, PARAGRAPHS, List, Stack
from eventum.mail.html.table import Table
from eventum.mail.html.tags import PLAIN, attributes_of, marker, number, picture, style_of
from eventum.mail.html.writer import MAX_TEXT

__all__ = ["MAX_HTML", "MAX_TEXT", "html_to_text"]

MAX_HTML: Final = 1_000_000
_MAX_QUOTES: Final = 12
_MAX_DEPTH: Final = 400  # open elements; those in deeper ones are read as if they were not there


_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_TELLING: Final = frozenset({"a", "img", "blockquote", "ol", "li", "table"})  # whose attributes say something
_OF_TABLES: Final = frozenset({"table", "tr", "td", "th", "tbody", "thead", "tfoot"})


def html_to_text(source: str) -> str:
    """The readable text of an HTML body: paragraphs, lists, rows of tables, quotes as "> ", links with their target."""
    source = source[:MAX_HTML]
    reader = _Reader(source)
    text = reader.run()
    # An element that hides and is never closed hides what was meant to be read.
    return text if text.strip() or not reader.has_hidden else _Reader(source, hides=False).run()


class _Reader(Stack):
    def __init__(self, source: str, *, hides: bool = True) -> None:
        super().__init__()
        self.source = source
        self.hides = hides
        self.has_hidden = False

    def run(self) -> str:
        scan(self.source, self)
        self.pop(0)
        self.end_link()
        self.flush()
        return self.result()

    def opened(self, name: str, text: str) -> None:
        is_line = name in LINES
        attributes: dict[str, str] = {}
        style = PLAIN
        if text and (name in _TELLING or "style" in text or "STYLE" in text or "hidden" in text):
            attributes = attributes_of(text)
            style = style_of(attributes["style"]) if "style" in attributes else PLAIN
        hides = self.hides and (style.hidden or ("hidden" in attributes and not attributes["hidden"]))
        if name in _VOID:
            if not self.hidden and not hides:
                self.void(name, attributes)
            return
        if is_line:
            self.before_block(name)
            if name in _OF_TABLES and name != "table" and self.table is None:
                return
        if not (is_line or style is not PLAIN or hides or name in self.open):
            if name == "a" and not self.hidden:
                self.begin_link(attributes)
            elif name == "q":
                self.text("“")
            return
        if len(self.frames) >= _MAX_DEPTH:
            self.lost[name] = self.lost.get(name, 0) + 1
            return
        self.push(name)
        self.has_hidden = self.has_hidden or hides
        self.hidden = self.hidden or hides
        if style.tiny is not None and self.hides:
            self.has_hidden = self.has_hidden or style.tiny
            self.tiny = style.tiny
        if style.pre is not None:
            self.pre = style.pre
        self.entered(name, text, attributes)

    def entered(self, name: str, text: str, attributes: dict[str, str]) -> None:
        """What an element means for the text in it, beside its style."""
        if name == "a":
            self.begin_link(attributes)
        elif name == "blockquote":
            self.enter_quote(attributes)
        elif name == "pre":
            self.pre = self.is_fresh = True
        elif name in ("ul", "ol"):
            kind = attributes.get("type", "1") if name == "ol" else ""
            self.list = List(kind, number(attributes.get("start", ""), 1))
        elif name == "li":
            self.enter_entry(attributes)
        elif name == "dd":
            self.deeper("    ")
        elif name == "table":
            self.enter_table(attributes)
        elif name == "tr" and self.table:
            self.table.row = len(self.frames) - 1
            self.table.open_row()
        elif name in ("td", "th") and self.table:
            self.table.is_data = self.table.is_data or name == "th"
            self.table.cell = len(self.frames) - 1
            self.out, self.list, self.indent, self.gap = self.table.open_cell(), None, "", False
        elif "yahoo_quoted" in text:
            self.quotes = min(self.quotes + 1, _MAX_QUOTES)
        elif "MsoListParagraph" in text:
            self.office = True
            self.gap = self.gap and not (self.out and self.out[-1][1].startswith("- "))

    def enter_quote(self, attributes: dict[str, str]) -> None:
        said = style_of(attributes.get("style", ""))
        if said.unframed and "type" not in attributes and "class" not in attributes:
            self.deeper("    ")  # not a quote: how a client moves a paragraph to the right
        else:
            self.quotes = min(self.quotes + 1, _MAX_QUOTES)

    def enter_entry(self, attributes: dict[str, str]) -> None:
        found = self.list
        if found is None:
            self.marker = "- "
        else:
            found.item = len(self.frames) - 1
            found.count = number(attributes.get("value", ""), found.count)
            self.marker = marker(found.kind, found.count) if found.kind else "- "
            found.count += 1
        self.deeper(" " * len(self.marker))

    def enter_table(self, attributes: dict[str, str]) -> None:
        self.tables += 1
        if self.tables > MAX_TABLES:
            self.table = None
            return
        framed = attributes.get("border", "0") not in ("", "0") and attributes.get("role") != "presentation"
        self.table = Table(len(self.frames) - 1, self.quotes, is_data=framed)
        self.table.gap, self.table.marker = self.gap and bool(self.out), self.marker
        self.out, self.list, self.indent, self.gap, self.marker = self.table.loose, None, "", False, ""

    def before_block(self, name: str) -> None:
        """End what ends where this element begins."""
        self.flush()
        table = self.table
        if name in ("td", "th") and table:
            self.pop_cell(table)
        elif name in ("tr", "tbody", "thead", "tfoot") and table:
            self.pop_row(table)
        elif name == "li" and self.list and self.list.item >= 0:
            self.pop(self.list.item)
            self.list.item = -1
        elif name in ("dt", "dd"):
            self.close("dd")
        if "p" in self.open and name not in ("li", "td", "th"):
            self.close("p")
        if name in PARAGRAPHS and not self.hidden:
            if not ((self.list and name in ("ul", "ol")) or self.marker):
                self.gap = True
        elif name == "li" and self.list and self.list.count > 1:
            self.gap = False

    def void(self, name: str, attributes: dict[str, str]) -> None:
        if name == "br":
            self.flush(keep_blank=True)
        elif name == "hr":
            self.flush()
            self.line.append("---")
            self.flush()
        elif name == "img" and (shown := picture(attributes)):
            tiny, self.tiny = self.tiny, False  # letters without a size hide no picture
            self.text(shown)
            self.tiny = tiny

    def closed(self, name: str) -> None:
        if name == "br":  # some write it so, and browsers take it
            self.void("br", {})
        elif self.lost.get(name):
            self.lost[name] -= 1
        elif name in _OF_TABLES:
            self.close_in_table(name)
        elif name in self.open:
            self.close(name)
        elif name == "a":
            self.end_link()
        elif name == "q":
            self.text("”")

    def close(self, name: str) -> None:
        """End the innermost element of this name, with all in it; a cell keeps what is in it to itself."""
        if name not in self.open:
            return
        place = len(self.frames) - 1
        while self.frames[place].name != name:
            place -= 1
        self.pop(place)
        if name in LINES:
            self.after_block(name)

    def close_in_table(self, name: str) -> None:
        table = self.table
        if table is None:
            if name == "table":
                self.close(name)
            return
        if name in ("td", "th"):
            self.pop_cell(table)
        elif name != "table":
            self.pop_row(table)
        else:
            self.pop(table.frame)
            self.after_block(name)

    def after_block(self, name: str) -> None:
        self.flush()
        if name in PARAGRAPHS and not (self.list and name in ("ul", "ol")) and not self.marker and not self.hidden:
            self.gap = True
