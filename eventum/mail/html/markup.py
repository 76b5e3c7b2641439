"""The HTML of a mail as it can be shown: raw bytes in, markup without scripts, forms or anything remote out.

nh3 (Ammonia) takes out what does not belong, from an explicit list of what does. It takes time that grows with the
square of how deep elements stand in each other, and so does a browser; so the text is first looked over by a scan that
only moves forward, and what is too large or too deep is not shown as HTML at all. `settled` reads its result once more
and puts the mail's own pictures into their places.

Whoever shows it puts it into a sandboxed frame of its own nevertheless.
"""

import re
from collections import Counter
from html import escape, unescape
from typing import Final, Literal

import msgspec
import nh3

from eventum.mail import reading
from eventum.mail.bodies import Item
from eventum.mail.charsets.charset import decode
from eventum.mail.content import Leaf, charset_of, content_id
from eventum.mail.html.pictures import Pictures, location, picture_type
from eventum.mail.html.settled import TAGS, Settling
from eventum.mail.html.sheet import STYLES, sheets, without_functions
from eventum.mail.message import embedded
from eventum.mail.parts import read_tree

MAX_HTML: Final = 500_000  # characters
MAX_DEPTH: Final = 120
MAX_WORK: Final = 200_000  # start tags, each as often as formatting elements are open around it

_NEVER: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_BODY: Final = re.compile(r"<body\b([^>]{0,2000})>", re.IGNORECASE)
_BODY_SAYS: Final = re.compile(r"""\b(bgcolor|text|style)\s{0,3}=\s{0,3}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
# Elements that end where the next of them begins: left open a thousand times they stand beside each other.
_ENDED: Final = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "colgroup"})
# Elements that are opened anew in every block until somebody closes them.
_FORMATTING: Final = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_REMOTE: Final = frozenset({"src", "srcset", "background", "poster"})
_ATTRIBUTES: Final = {
    "*": {"align", "valign", "dir", "lang", "title", "style", "bgcolor", "background", "class", "hidden"},
    "a": {"href"},
    "img": {"src", "srcset", "alt", "width", "height", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "table": {"width", "height", "border", "cellpadding", "cellspacing"},
    "td": {"width", "height", "colspan", "rowspan", "nowrap"},
    "th": {"width", "height", "colspan", "rowspan", "nowrap"},
    "col": {"width", "span"},
    "colgroup": {"width", "span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value", "type"},
    "hr": {"width", "size", "color", "noshade"},
    "del": {"datetime"},
    "ins": {"datetime"},
    "time": {"datetime"},
}

Trouble = Literal["", "too_large", "too_deep"]


class Markup(msgspec.Struct, frozen=True, kw_only=True):
    """The cleaned HTML of a mail and its style sheet. With a `trouble` there is only the text.

    `remote`: pictures on servers elsewhere, in the markup only when they were asked for. `pixels`: pictures that are
    there to tell somebody that the mail was read; `others`: backgrounds, films and the like; neither is ever loaded.
    `marked`: links that say they lead elsewhere. `placed`: parts that stand in the markup as pictures; `too_large`:
    pictures there was no room for. `extent`: how much there is to be seen, in characters, for the height of its frame.
    """

    html: str = ""
    sheet: str = ""
    remote: int = 0
    pixels: int = 0
    others: int = 0
    marked: int = 0
    too_large: int = 0
    placed: tuple[str, ...] = ()
    extent: int = 0
    trouble: Trouble = ""


def markup(raw: bytes, inside: str = "", *, remote: bool = False) -> Markup | None:
    """What a mail's HTML can be shown as, with remote pictures when somebody wants them; None for a mail without any.

    `inside` is the path of a mail in this one, which is shown instead. Raises `NotFound` when there is none.
    """
    items, everything = reading.shown(read_tree(embedded(raw, inside) if inside else raw))
    rich = [item for item in items if item.leaf.type == "text/html" and item.is_text]
    if not rich:
        return None
    if sum(len(item.data) for item in rich) > 4 * MAX_HTML:
        return Markup(trouble="too_large")
    sources = {item.leaf.path: _source(item) for item in rich}
    whole = "\n".join(sources.values())
    trouble = trouble_of(whole)
    if trouble:
        return Markup(trouble=trouble)
    cleaning = _Cleaning(tuple(item.leaf for item in everything), remote=remote, base=location(rich[0].leaf))
    out = [cleaning.part(item, sources) for item in _in_order(items, whole)]
    return cleaning.done("\n".join(one for one in out if one), sheets(whole))


def _source(item: Item) -> str:
    return _NEVER.sub("", decode(item.data, charset_of(item.leaf), guess=True))


def trouble_of(source: str) -> Trouble:
    """Why HTML cannot be cleaned in good time, "" when it can."""
    if len(source) > MAX_HTML:
        return "too_large"
    opened: Counter[str] = Counter()
    depth = formatting = work = 0
    for tag in _TAG.finditer(source):
        name = tag[2].lower()
        if name in _VOID or name in _ENDED:
            work += formatting
        elif not tag[1]:
            opened[name] += 1
            depth += 1
            formatting += name in _FORMATTING
            work += formatting
        elif opened[name]:  # What closes nothing makes nothing less deep.
            opened[name] -= 1
            depth -= 1
            formatting -= name in _FORMATTING
        if depth > MAX_DEPTH or work > MAX_WORK:
            return "too_deep"
    return ""


def cleaned(source: str, leaves: tuple[Leaf, ...] = (), *, remote: bool = False) -> Markup:
    """HTML without what does not belong into a mail; `leaves` hold the pictures it brings along."""
    cleaning = _Cleaning(leaves, remote=remote)
    return cleaning.done(cleaning.html(source), sheets(source))


def _in_order(items: list[Item], source: str) -> list[Item]:
    """What a reader sees from top to bottom: the HTML, and the plain texts and pictures that stand between.

    Apple's Mail splits its HTML where a picture was dropped into it; list servers put a plain text below.
    """
    texts = [place for place, item in enumerate(items) if item.is_text]
    return [
        item
        for place, item in enumerate(items)
        if item.is_text or (texts[0] < place < texts[-1] and _is_in_place(item, source))
    ]


def _is_in_place(item: Item, source: str) -> bool:
    """Whether a picture belongs where it stands: none of the HTML says where else."""
    cid = content_id(item.leaf.headers)
    return (not cid or cid not in source) and picture_type(item.data) != ""


class _Cleaning:
    """One mail's HTML being cleaned."""

    def __init__(self, leaves: tuple[Leaf, ...], *, remote: bool = False, base: str = "") -> None:
        self._pictures = Pictures(leaves, base)
        self._settling = Settling(self._pictures, remote=remote)
        self._others = 0

    def part(self, item: Item, sources: dict[str, str]) -> str:
        """One leaf of the mail as HTML that may be shown."""
        if item.leaf.path in sources:
            return self.html(sources[item.leaf.path])
        if item.is_text:
            text = reading.text_of(item, item.data[: 4 * MAX_HTML], guess=True)[:MAX_HTML].strip("\n")
            return f'<div style="white-space:pre-wrap">{escape(text)}</div>' if text.strip() else ""
        source = self._pictures.data_of(item.leaf)
        return self._settling.placed(source) if source else ""

    def html(self, source: str) -> str:
        """HTML that may be shown."""
        html = nh3.clean(
            _BODY.sub(_body, source, count=1),
            tags=TAGS,
            clean_content_tags={"script", "style", "title", "noscript", "template", "textarea", "select", "object"},
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
            url_relative="pass_through",  # A Content-Location may be relative; `settled` takes out all others.
            filter_style_properties=STYLES,
            link_rel=None,  # `settled` writes it.
        )
        return self._settling.run(html)

    def done(self, html: str, sheet: str) -> Markup:
        """What it came to."""
        return Markup(
            html=html,
            sheet=sheet,
            remote=self._settling.remote,
            pixels=self._settling.pixels,
            others=self._others,
            marked=self._settling.marked,
            too_large=self._pictures.too_large,
            placed=tuple(self._pictures.placed),
            extent=self._settling.extent,
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name in _REMOTE:
            if (tag, name) == ("img", "src"):
                return value.strip()
            # The attributes of elements that are taken out are asked for too, and a frame is no picture; `srcset`
            # names the same picture as `src` in other sizes.
            self._others += bool(value) and tag in TAGS and name != "srcset"
            return None
        if name == "href":
            return value if re.match(r"(?:https?|mailto|tel):", value.strip(), re.IGNORECASE) else None
        if name == "title" and tag == "a":
            return None  # It would stand where the browser says where the link leads.
        return without_functions(value) if name == "style" else value


def _body(found: re.Match[str]) -> str:
    """What a body element says of colours, as an element that may stay."""
    said = {one[1].lower(): unescape(one[2] or one[3] or one[4] or "") for one in _BODY_SAYS.finditer(found[1])}
    style = ";".join(
        (
            f"background-color:{said.get('bgcolor', '')}".replace(";", ""),
            f"color:{said.get('text', '')}".replace(";", ""),
            said.get("style", ""),
        )
    )
    return f'<div style="{escape(style)}">' if said else "<div>"
