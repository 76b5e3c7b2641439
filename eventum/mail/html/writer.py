"""Lines of text as an HTML body is read: blanks as a browser sees them, links with their target, entries of lists.

Text and what holds for it in, lines under the depth of their quotes out.  It knows no elements.
"""

import re
from typing import Final

from eventum.mail.html.table import Line
from eventum.mail.html.tags import BLANKS, ENTITY, MAX_TARGET, entity, target_of

MAX_TEXT: Final = 500_000
_EMPTY_LINK: Final = 100  # characters of a target that is shown for a link without a text
_MOST_BLANK: Final = 2  # blank lines in a row
_INVISIBLE: Final = dict.fromkeys((0xAD, 0x34F, 0x200B, 0x2060, 0xFEFF))
_FILLERS: Final = "\u200c\u200d\u200e\u200f\u2007\u2002\u2003 "  # with nothing between: the end of a hidden preview
_JOINERS: Final = "\u200c\u200d\u2007 "
_BULLET: Final = re.compile(r"[·•▪§oØü–-] +")


class Writer:
    """Text that grows line by line."""

    def __init__(self) -> None:
        self.out: list[Line] = []
        self.line: list[str] = []
        self.length = 0
        self.gap = False  # a blank line is due before the next text
        self.marker = ""  # of the list's entry that begins with the next text
        # A link's target, where its text begins in the line, and what of it stands in lines before.
        self.link: tuple[str, int, str] | None = None
        self.led = ""  # where the last link led
        self.is_fresh = False  # nothing of an element was written yet in which line ends count
        # What holds for the text that comes.
        self.hidden = self.tiny = self.pre = self.office = False
        self.quotes = 0
        self.indent = ""

    def is_full(self) -> bool:
        return self.length >= MAX_TEXT

    def text(self, piece: str) -> None:
        if self.hidden or self.tiny:
            return
        if "&" in piece:
            piece = ENTITY.sub(entity, piece)
        if not piece.isascii():
            piece = piece.translate(_INVISIBLE)
        if self.pre:
            self.as_it_is(piece)
            return
        piece = BLANKS.sub(" ", piece)
        if piece[:1] == " " and (not self.line or self.line[-1][-1] == " "):
            piece = piece[1:]
        if piece:
            self.line.append(piece)

    def as_it_is(self, piece: str) -> None:
        """Text in which blanks and line ends count; the line end behind <pre> does not."""
        first, *others = piece.replace("\r\n", "\n").replace("\xa0", " ").split("\n")
        if self.is_fresh and not first and others:
            first, *others = others
        self.is_fresh = False
        if first:
            self.line.append(first)
        for other in others:
            self.flush(keep_blank=True)
            if other:
                self.line.append(other)

    def begin_link(self, attributes: dict[str, str]) -> None:
        self.end_link()
        if attributes.get("href"):
            self.link = (attributes["href"], len(self.line), "")

    def end_link(self) -> None:
        """Put a link's target behind its text, where that does not say it."""
        if self.link is None:
            return
        href, begin, before = self.link
        self.link = None
        here = "".join(self.line[begin:]).strip()
        shown = f"{before} {here}".strip()
        target = target_of(href, shown)
        if not target or (shown and target == self.led) or (not shown and len(target) > _EMPTY_LINK):
            return
        self.led = target
        if here:
            self.line.append(f"<{target}> " if self.line[-1][-1] == " " else f" <{target}>")
        elif not before:
            self.text(f"<{target}>")
        elif self.out and self.out[-1][1]:
            self.out[-1] = (self.out[-1][0], f"{self.out[-1][1]} <{target}>")

    def flush(self, keep_blank: bool = False) -> None:
        """End the line."""
        if not self.line and not keep_blank:
            return
        line = "".join(self.line)
        line = line.rstrip() if self.pre else line.strip().rstrip(_JOINERS)
        if self.link is not None:
            href, begin, before = self.link
            self.link = (href, 0, f"{before} {''.join(self.line[begin:]).strip()}".strip()[-MAX_TARGET:])
        self.line = []
        if not line.strip(_FILLERS):
            if keep_blank and self.out and not self.marker:
                self.out.append((self.quotes, ""))
            return
        if self.office:
            line, self.office = _BULLET.sub("- ", line, count=1) if _BULLET.match(line) else line, False
        self.add(self.quotes, line)

    def add(self, quotes: int, line: str) -> None:
        out = self.out
        if self.gap and out:
            out.append((min(quotes, out[-1][0]), ""))
        self.gap = False
        if line and self.marker:
            line = self.indent[: -len(self.marker)] + self.marker + line
            self.marker = ""
        elif line:
            line = self.indent + line
        out.append((quotes, line))
        self.length += 2 * quotes + len(line) + 2

    def result(self) -> str:
        """All of it."""
        made: list[str] = []
        blank = _MOST_BLANK
        for quotes, line in self.out:
            blank = 0 if line else blank + 1
            if blank <= _MOST_BLANK:
                made.append(("> " * quotes + line).rstrip())
        while made and not made[-1].strip("> "):
            made.pop()
        return "\n".join(made)[:MAX_TEXT]
