"""The second look at cleaned HTML: each tag is read again, what is not known falls, pictures and links get their place.

Flows in: HTML as nh3 writes it (every attribute in double quotes, every bracket in a text escaped). Flows out: the
same with the mail's own pictures in it, remote ones left out or let in, counted, and links marked that say they lead
elsewhere. It believes nothing of what came before: a tag or attribute that is not on its own list is taken out, and
what is no tag is text, so a fault in the cleaning alone lets nothing through.
"""

import re
from html import escape, unescape
from typing import Final

from eventum.mail.html.links import has_user, leads_to, misleads
from eventum.mail.html.pictures import Pictures
from eventum.mail.html.sheet import without_functions

VOID: Final = frozenset({"br", "col", "hr", "img", "wbr"})
TAGS: Final = {
    *("a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
      "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark "
      "nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead "
      "time tr tt u ul var wbr").split()
}  # fmt: skip
ATTRIBUTES: Final = {
    *("align alt bgcolor border cellpadding cellspacing class color colspan datetime dir face height hidden href "
      "hspace lang noshade nowrap rowspan size span src start style title type valign value vspace "
      "width").split()
}  # fmt: skip
_LINK: Final = {"target": "_blank", "rel": "noopener noreferrer nofollow"}
MOST_REMOTE: Final = 300  # remote pictures that one mail may load
_TAG: Final = re.compile(
    r"""<(/?) ([a-z][a-z0-9]{0,20})
        ((?: \x20 [a-z-]{1,30} ="[^"]*" )*)>""",
    re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r' ([a-z-]{1,30})="([^"]*)"')
_FOLLOWED: Final = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_NOTHING: Final = re.compile(r"\s*0*[01]?(?:\.\d*)?(?:px|pt)?\s*(?:!\s*important)?\s*", re.IGNORECASE)
_HIDING: Final = re.compile(
    r"""(?:\A|;) \s{0,5}
        (?: display \s{0,5}:\s{0,5} none
          | visibility \s{0,5}:\s{0,5} (?:hidden|collapse)
          | opacity \s{0,5}:\s{0,5} 0?\.?0* \s{0,5}(?:;|!|\Z)
          | (?:max-)?(?:width|height) \s{0,5}:\s{0,5} (?:[01](?:\.0{0,9})? | 0?\.\d{1,9})(?:px|pt)? \s{0,5}(?:;|!|\Z)
        )""",
    re.VERBOSE | re.IGNORECASE,
)
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.[a-z][a-z0-9-]{0,60}[a-z0-9]")
_INSIDE: Final = (".local", ".localhost", ".internal", ".lan", ".home", ".corp", ".home.arpa", ".test")
# A style sheet of the mail must not be able to hide it, so every word of it is `!important` and in the element.
_MARK: Final = (
    '<span style="all:initial!important;display:inline!important;visibility:visible!important;opacity:1!important;'
    "font:600 12px/1.4 system-ui,sans-serif!important;color:#8a4b00!important;background:#fff4e5!important;"
    'unicode-bidi:isolate!important;direction:ltr!important" translate="no"> [\N{RIGHTWARDS ARROW} {}] </span>'
)
_LONGEST_WORDS: Final = 300
_PICTURE, _BLOCK = 600, 80  # of `extent`
_BLOCKS: Final = frozenset({"p", "tr", "li", "blockquote", "pre", "h1", "h2", "h3", "br", "hr"})


class Settling:
    """One mail's HTML at its second look. What it counted can be asked afterwards.

    `remote`: remote pictures, loaded or not; `pixels`: those that are there to be counted by their sender, never
    loaded; `marked`: links whose words are the address of another place; `extent`: how much there is to be seen, in
    characters, where a picture and a new block count as some.
    """

    def __init__(self, pictures: Pictures, *, remote: bool) -> None:
        self._pictures = pictures
        self._loads = remote
        self.remote = self.pixels = self.marked = self.extent = 0
        self._out: list[str] = []
        self._depth = 0
        self._hidden = -1  # how deep the element stands that hides all in it
        self._href = ""
        self._words: list[str] = []
        self._said = 0

    def run(self, html: str) -> str:
        """The HTML that may be shown."""
        self._out = []
        position = 0
        for tag in _TAG.finditer(html):
            self._text(html[position : tag.start()])
            position = tag.end()
            if tag[2] in TAGS:
                (self._closed if tag[1] else self._opened)(tag[2], tag[3])
        self._text(html[position:])
        return "".join(self._out)

    def placed(self, source: str) -> str:
        """A picture of the mail that stands between its texts."""
        self.extent += _PICTURE
        return f'<p><img src="{source}"></p>'

    def _text(self, text: str) -> None:
        if not text:
            return
        self._out.append(text.replace("<", "&lt;").replace(">", "&gt;"))
        self.extent += len(text) if not text.isspace() else 0
        if self._href and self._hidden < 0 and self._said < _LONGEST_WORDS:
            self._words.append(text)
            self._said += len(text)

    def _opened(self, name: str, given: str) -> None:
        attributes = _kept(given) if given else {}
        if name == "img":
            self._picture(attributes)
            return
        self.extent += _BLOCK if name in _BLOCKS else 0
        if name not in VOID:
            self._depth += 1
            if self._hidden < 0 and _is_hidden(attributes):
                self._hidden = self._depth
        if name == "a":
            self._href, self._words, self._said = attributes.get("href", ""), [], 0
            attributes |= _LINK if self._href else {}
        self._write(name, attributes)

    def _closed(self, name: str, _: str) -> None:
        if name in VOID:
            return
        if self._depth == self._hidden:
            self._hidden = -1
        self._depth -= 1
        self._out.append(f"</{name}>")
        if name == "a" and self._href:
            place = misleads(unescape("".join(self._words)), self._href)
            if place:
                self.marked += 1
                self._out.append(_MARK.replace("{}", escape(place)))
            self._href = ""

    def _write(self, name: str, attributes: dict[str, str]) -> None:
        said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
        self._out.append(f"<{name}{said}>")

    def _picture(self, attributes: dict[str, str]) -> None:
        source = attributes.pop("src", "").strip()
        found = self._pictures.by_source(source)
        if found is None:
            found = self._from_elsewhere(source, attributes)
        if found:
            attributes["src"] = found
        elif found is None or not attributes.get("alt"):
            return
        self.extent += _PICTURE
        self._write("img", attributes)

    def _from_elsewhere(self, source: str, attributes: dict[str, str]) -> str | None:
        if self._hidden >= 0 or _is_hidden(attributes) or _is_tiny(attributes):
            self.pixels += 1
            return None
        self.remote += 1
        if not self._loads or self.remote > MOST_REMOTE:
            return ""
        attributes["referrerpolicy"] = "no-referrer"
        return _loadable(source)


def _kept(given: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(given):
        if name not in ATTRIBUTES:
            continue
        value = unescape(value)
        if name == "href" and not _FOLLOWED.match(value):
            continue
        kept[name] = without_functions(value) if name == "style" else value
    return kept


def _is_hidden(attributes: dict[str, str]) -> bool:
    return "hidden" in attributes or _HIDING.search(attributes.get("style", "")) is not None


def _is_tiny(attributes: dict[str, str]) -> bool:
    return any(attributes.get(name) and _NOTHING.fullmatch(attributes[name]) for name in ("width", "height"))


def _loadable(source: str) -> str:
    """A remote picture's address over TLS, "" for one that does not lead into the open web.

    A mail has no business with the hosts of the reader's own network, which his browser could reach.
    """
    host = leads_to(f"https:{source}" if source.startswith("//") else source)
    if not _HOST.fullmatch(host) or host.endswith(_INSIDE) or has_user(source):
        return ""
    found = re.match(r"(?:https?:)?//([^/?#\\]*)(.*)", source, re.IGNORECASE | re.DOTALL)
    if found is None or ":" in found[1].removesuffix(":443").removesuffix(":80"):
        return ""
    return f"https://{host}{found[2][:4_000]}"
