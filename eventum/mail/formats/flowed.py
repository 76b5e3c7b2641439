"""Text in format=flowed (RFC 3676): the lines a client cut are put together again, quotes keep their ">".

Text in, text out.  A line that ends in a blank goes on in the next one of the same depth of quote; the line of a
signature never does.
"""

from typing import Final

_SIGNATURE: Final = "-- "
_MAX_DEPTH: Final = 100


def unflowed(text: str, joins_words: bool = False) -> str:
    """The paragraphs of the text, each in a line; `joins_words`: the blank at the end of a line is none (DelSp)."""
    out: list[str] = []
    paragraph: list[str] = []
    depth_before = 0
    for line in text.split("\n"):
        depth, content = _unquoted(line)
        if paragraph and (depth != depth_before or content == _SIGNATURE):
            out.append(_quoted(depth_before, "".join(paragraph)))
            paragraph = []
        depth_before = depth
        if content.endswith(" ") and content != _SIGNATURE:
            paragraph.append(content[:-1] if joins_words else content)
            continue
        out.append(_quoted(depth, "".join(paragraph) + content))
        paragraph = []
    if paragraph:
        out.append(_quoted(depth_before, "".join(paragraph)))
    return "\n".join(out)


def _unquoted(line: str) -> tuple[int, str]:
    """How deep a line is quoted, and what it says: without the blank that was put in front of it (section 4.4)."""
    content = line.lstrip(">") if line.startswith(">") else line
    depth = len(line) - len(content)
    return depth, content[1:] if content.startswith(" ") else content


def _quoted(depth: int, content: str) -> str:
    if depth:
        marks = ">" * min(depth, _MAX_DEPTH)
        return f"{marks} {content}" if content else marks
    # What is no quote must not become one; its blank was there to say so.
    return f" {content}" if content.startswith(">") else content
