"""Plain text as paragraphs: everything in it is escaped, and addresses of the web and of mail can be followed.

Flows in: text, from anybody. Flows out: markup whose only elements are `p`, `br`, `a` and a `span` behind an address
that is not what it looks like. It runs once over the text, however long its lines are.
"""

import re

from markupsafe import Markup, escape

from eventum.tracker.leading import veiled_host

# Never anything but http, https and mailto. A path is ASCII only, because Japanese goes on behind an address without a
# blank; a host may have letters of any script.
_LINK = re.compile(
    r"""https?://
        (?: [a-z0-9._~%!$&'()*+,;=:-]{1,200} @ )?                   # a name before the host, which is marked
        ( \[[0-9a-f:.]{2,60}\] | [a-z0-9_\u00a1-\u2fff\u3005-\uffee.-]{1,255} )   # a host
        (?: :[0-9]{1,5} )?
        (?: [/?\#] [!\#-&(-;=?-\[\]_a-z~'|]* )?
      | mailto:[a-z0-9.!\#$%&*+/=?^_~-]{1,64}@[a-z0-9.-]{1,255}(?:\?[!\#-&(-;=?-\[\]_a-z~]*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_TAIL = ".,;:!?'*_|"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_PUNCTUATION = re.compile(
    "[\u2010-\u206f\u3000-\u3004\u3008-\u303f\uff00-\uff0c\uff0f-\uff20\uff3b-\uff40\uff5b-\uff65]"
)
LONGEST_LINK = 2000
MOST_LINKS = 500


def prose(text: str) -> Markup:
    """The text as paragraphs."""
    paragraphs = re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))  # the blanks before a line are its own
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
        address = _without_tail(_within_host(match))
        if not address or len(address) > LONGEST_LINK:
            continue
        left -= 1
        parts.append(escape(line[end : match.start()]))
        parts.append(_link(address))
        end = match.start() + len(address)
    parts.append(escape(line[end:]))
    return Markup("").join(parts), left


def _within_host(match: re.Match[str]) -> str:
    """The address, cut where its host ends: what follows in another script may be the sentence going on."""
    address, host = match[0], match[1]
    if host is None or host.isascii():
        return address
    stop = _PUNCTUATION.search(host)
    kept = host[: stop.start()] if stop else host
    last = kept.rstrip(".").rpartition(".")[2]
    # A last label is of one script: `shop.jpです` is `shop.jp` and a word.
    if not last.isascii() and re.match("[A-Za-z0-9-]", last):
        found = re.match(r"[\x00-\x7f]*", kept)
        kept = found[0] if found else ""
    if kept == host:
        return address
    return address[: match.start(1) - match.start() + len(kept)] if kept.strip(".") else ""


def _without_tail(address: str) -> str:
    """The address without what belongs to the sentence: points at its end, and brackets that were opened before it."""
    opened = {closing: address.count(closing) - address.count(opening) for closing, opening in _PAIRS.items()}
    end = len(address)
    while end:
        last = address[end - 1]
        if last in _PAIRS and opened[last] > 0:
            opened[last] -= 1
        elif last not in _TAIL:
            break
        end -= 1
    address = address[:end]
    return address if address.partition(":")[2].strip("/") else ""


def _link(address: str) -> Markup:
    made = Markup('<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>').format(address)
    if host := veiled_host(address):
        made += Markup(' <span class="leads-to" dir="ltr">[→ {}]</span>').format(host)
    return made
