"""HTML of a mail to readable text: any str in, plain text with quotes marked by "> " out, in linear time.

A tokenizer of our own that only ever moves forward: Python's `html.parser` and tree builders take time that grows
with the square of some mails.  The result is text; it is never put into a page as HTML.
"""

import html
import re
from typing import Final

MAX_HTML: Final = 1_000_000
MAX_TEXT: Final = 500_000
_MAX_QUOTES: Final = 12
_MAX_ATTRIBUTES: Final = 4_000
_MAX_ODD_TAGS: Final = 30

_TAG: Final = re.compile(
    r"""<(/?) ([A-Za-z][A-Za-z0-9:-]{0,30})""",
    re.VERBOSE,
)
_ATTRIBUTES_END: Final = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")  # a ">" in quotes is none
_ENTITY: Final = re.compile(
    r"""& (?: \# [0-9]{1,7} (?![0-9])                   # longer ones are no characters, and slow to make numbers of
            | \# [xX] [0-9a-fA-F]{1,6} (?![0-9a-fA-F])
            | [A-Za-z][A-Za-z0-9]{1,31}
        ) ;?""",
    re.VERBOSE,
)
_WIDE: Final = re.compile(" {3,}")
_WEB: Final = re.compile(r"https?://[^\s<>]{1,300}\Z", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\n\r\f]+")
_VALUE: Final = r"""\s{0,3}=\s{0,3}(?:"([^"]*)"|'([^']*)'|([^\s>"']+))"""
_HREF: Final = re.compile(r"\bhref" + _VALUE, re.IGNORECASE)
_ALT: Final = re.compile(r"\balt" + _VALUE, re.IGNORECASE)

_SKIPPED: Final = frozenset({"script", "style", "head", "title", "template", "object", "svg", "math", "select"})
_TELLING: Final = frozenset({"a", "img"})  # whose attributes say something
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"}
)  # fmt: skip
_LINES: Final = _PARAGRAPHS | frozenset({
    "address", "article", "aside", "body", "caption", "center", "dd", "div", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "header", "hr", "html", "li", "main", "nav", "section", "tbody", "tfoot", "thead", "tr",
})  # fmt: skip


def html_to_text(source: str) -> str:
    """The readable text of an HTML body: paragraphs, lists, rows of tables, quotes as "> ", links with their target."""
    return _Reader(source[:MAX_HTML]).run()


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: list[str] = []
        self.line: list[str] = []
        self.length = 0
        self.quotes = self.quoted = 0  # how deep a quote is now, and was in the line before
        self.pre = 0
        self.gap = False  # a blank line is due before the next text
        self.link: tuple[str, int] | None = None  # where it leads, and where in the line its text begins
        self.unclosed: set[str] = set()
        self.odd_tags = 0

    def run(self) -> str:
        source, position, end = self.source, 0, len(self.source)
        while position < end and self.length < MAX_TEXT:
            at = source.find("<", position)
            if at < 0:
                at = end
            if at > position:
                self.text(source[position:at])
            position = self.markup(at) if at < end else end
        self.flush()
        return "\n".join(self.lines)[:MAX_TEXT]

    def markup(self, at: int) -> int:
        """Read what stands at a "<", and answer where to go on."""
        source = self.source
        tag = _TAG.match(source, at)
        if tag is None:
            if source.startswith("<!--", at):
                return self.behind("-->", at + 4)
            if source.startswith(("<!", "<?"), at):
                return self.behind(">", at + 2)
            self.text("<")
            return at + 1
        begin = tag.end()
        end = begin + 1 if source.startswith(">", begin) else self.end_of_tag(begin)
        closing, name = tag.groups()
        name = name.lower()
        if closing:
            self.closed(name)
        elif name in _SKIPPED:
            return self.skipped(name, end)
        else:
            self.opened(name, source[begin : min(end, begin + _MAX_ATTRIBUTES)] if name in _TELLING else "")
        return end

    def behind(self, mark: str, position: int) -> int:
        found = self.source.find(mark, position)
        return len(self.source) if found < 0 else found + len(mark)

    def end_of_tag(self, position: int) -> int:
        # Quotes hide a ">", but where they do not pair up, the next one counts; each miss may have looked at all
        # that follows, so after some of them quotes are not believed any more.
        if self.odd_tags < _MAX_ODD_TAGS:
            found = _ATTRIBUTES_END.match(self.source, position)
            if found is not None:
                return found.end()
            self.odd_tags += 1
        return self.behind(">", position)

    def skipped(self, name: str, position: int) -> int:
        if name in self.unclosed:
            return position
        found = re.compile(f"</{name}\\b[^>]{{0,100}}>?", re.IGNORECASE).search(self.source, position)
        if found is None:
            self.unclosed.add(name)
            return position
        return found.end()

    def opened(self, name: str, attributes: str) -> None:
        if name in _LINES:
            self.block(name)
        if name == "br":
            self.flush(keep_blank=True)
        elif name == "li":
            self.line.append("- ")
        elif name in ("td", "th") and self.line:
            self.line.append("  ")
        elif name == "blockquote":
            self.quotes = min(self.quotes + 1, _MAX_QUOTES)
        elif name == "pre":
            self.pre += 1
        elif name == "hr":
            self.line.append("---")
            self.flush()
        elif name == "a":
            self.link = (_value(_HREF, attributes), len(self.line))
        elif name == "img" and (alt := _value(_ALT, attributes).strip()):
            self.text(f"[{alt}]")

    def closed(self, name: str) -> None:
        if name == "a" and self.link is not None:
            target, begin = self.link
            self.link = None
            shown = "".join(self.line[begin:]).strip()
            if _WEB.match(target) and target.rstrip("/") not in (shown, shown.rstrip("/")):
                self.line.append(f" <{target}>" if shown else f"<{target}>")
            return
        if name in _LINES:
            self.block(name)
        if name == "blockquote":
            self.quotes = max(self.quotes - 1, 0)
        elif name == "pre":
            self.pre = max(self.pre - 1, 0)

    def block(self, name: str) -> None:
        self.flush()
        self.gap = self.gap or name in _PARAGRAPHS

    def text(self, piece: str) -> None:
        if "&" in piece:
            piece = _ENTITY.sub(_entity, piece)
        if self.pre:
            first, *others = piece.replace("\r\n", "\n").split("\n")
            self.line.append(first)
            for other in others:
                self.flush(keep_blank=True)
                self.line.append(other)
            return
        piece = _BLANKS.sub(" ", piece)
        if piece == " " and not self.line:
            return
        self.line.append(piece)

    def flush(self, keep_blank: bool = False) -> None:
        line = "".join(self.line)
        line = line.rstrip() if self.pre else _WIDE.sub("  ", line).strip()
        self.line = []
        self.link = None
        if not line and not keep_blank:
            return
        prefix = "> " * self.quotes
        if self.gap and self.lines:
            self.lines.append(("> " * min(self.quotes, self.quoted)).rstrip())
        self.gap, self.quoted = False, self.quotes
        self.lines.append((prefix + line).rstrip())
        self.length += len(prefix) + len(line) + 2


def _value(pattern: re.Pattern[str], attributes: str) -> str:
    found = pattern.search(attributes)
    if found is None:
        return ""
    return _BLANKS.sub(" ", _ENTITY.sub(_entity, next(value for value in found.groups() if value is not None)))


def _entity(found: re.Match[str]) -> str:
    return html.unescape(found[0]).replace("\xa0", " ")
