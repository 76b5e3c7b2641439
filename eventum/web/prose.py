"""Plain text as paragraphs: everything in it is escaped, and addresses of the web can be followed.

Flows in: text, from anybody. Flows out: markup whose only elements are `p`, `br` and `a`. It runs once over the text,
however long its lines are.
"""

import re

from markupsafe import Markup, escape

# Never anything but http and https; ASCII only, because Japanese goes on behind an address without a blank.
_LINK = re.compile(r"https?://[!#-&(-;=?-\[\]_a-z~]+", re.ASCII | re.IGNORECASE)
_TAIL = ".,;:!?)]}'"
LONGEST_LINK = 2000
MOST_LINKS = 500


def prose(text: str) -> Markup:
    """The text as paragraphs."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.strip("\n"))
    left = MOST_LINKS
    made: list[Markup] = []
    for paragraph in paragraphs:
        if paragraph.strip():
            lines = []
            for line in paragraph.split("\n"):
                done, left = _linked(line, left)
                lines.append(done)
            made.append(Markup("<p>{}</p>").format(Markup("<br>").join(lines)))
    return Markup("\n").join(made)


def _linked(line: str, left: int) -> tuple[Markup, int]:
    parts: list[Markup] = []
    end = 0
    for match in _LINK.finditer(line):
        if left <= 0:
            break
        address = match.group()
        address = address.rstrip(_TAIL)
        if len(address) > LONGEST_LINK:
            continue
        left -= 1
        parts.append(escape(line[end : match.start()]))
        parts.append(Markup('<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>').format(address))
        end = match.start() + len(address)
    parts.append(escape(line[end:]))
    return Markup("").join(parts), left
