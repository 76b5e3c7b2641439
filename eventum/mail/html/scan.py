"""The tokens of HTML, in order: a tokenizer that only ever moves forward, in time that grows with the source.

HTML in, calls of a sink out: its text as it stands between the tags, and each tag that opens or closes an element, with
its attributes as they stand there.  Comments, declarations, and elements that hold no text to be read are left out.
"""

import re
from typing import Final, Protocol

_MAX_ATTRIBUTES: Final = 4_000  # characters of one tag
_MAX_ODD_TAGS: Final = 30

_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
_ATTRIBUTES_END: Final = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")  # a ">" in quotes is none
_SKIPPED: Final = frozenset(
    {"script", "style", "head", "title", "template", "object", "svg", "math", "select", "textarea", "iframe", "applet"}
)


class Sink(Protocol):
    """Who takes the tokens."""

    def text(self, piece: str) -> None:
        """Text between two tags; its entities are not read yet."""

    def opened(self, name: str, text: str) -> None:
        """An element begins; `text` holds its attributes."""

    def closed(self, name: str) -> None:
        """A tag says that an element ends, whether it was open or not."""

    def is_full(self) -> bool:
        """Whether no more is wanted."""


def scan(source: str, sink: Sink) -> None:
    """Tell the sink every token of the source."""
    _Scanner(source, sink).run()


class _Scanner:
    def __init__(self, source: str, sink: Sink) -> None:
        self.source = source
        self.sink = sink
        self.unclosed: set[str] = set()
        self.odd_tags = 0

    def run(self) -> None:
        source, sink, position, end = self.source, self.sink, 0, len(self.source)
        while position < end and not sink.is_full():
            at = source.find("<", position)
            if at < 0:
                at = end
            if at > position:
                sink.text(source[position:at])
            position = self.markup(at) if at < end else end

    def markup(self, at: int) -> int:
        """Read what stands at a "<", and answer where to go on."""
        source = self.source
        tag = _TAG.match(source, at)
        if tag is None:
            if source.startswith("<!--", at):
                return self.behind("-->", at + 4)
            if source.startswith(("<!", "<?", "</"), at):
                return self.behind(">", at + 2)
            self.sink.text("<")
            return at + 1
        begin = tag.end()
        end = begin + 1 if source.startswith(">", begin) else self.end_of_tag(begin)
        closing, name = tag.groups()
        name = name.lower()
        if closing:
            self.sink.closed(name)
        elif name in _SKIPPED:
            return self.skipped(name, end)
        else:
            self.sink.opened(name, source[begin : min(end - 1, begin + _MAX_ATTRIBUTES)])
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
