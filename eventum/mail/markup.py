"""The HTML of a mail as it can be shown: raw bytes in, markup without scripts, forms or anything remote out.

nh3 (Ammonia) takes out what does not belong, from an explicit list of what does. It takes time that grows with the
square of how deep elements stand in each other, and so does a browser; so the text is first looked over by a scan that
only moves forward, and what is too large or too deep is not shown as HTML at all. Pictures that the mail brings along
stand in the markup itself, because its frame has no cookies to ask for them; remote ones are taken out and counted.

Whoever shows it puts it into a sandboxed frame of its own nevertheless.
"""

import base64
import re
from collections import Counter
from typing import Final, Literal

import msgspec
import nh3

from eventum.mail.charset import decode
from eventum.mail.content import Leaf, charset_of, content_id, decoded
from eventum.mail.parts import read_tree
from eventum.mail.reading import is_text

MAX_HTML: Final = 500_000  # characters
MAX_DEPTH: Final = 120
MAX_WORK: Final = 200_000  # start tags, each as often as formatting elements are open around it
MAX_IMAGE: Final = 3_000_000  # bytes of one picture
MAX_IMAGES: Final = 8_000_000  # bytes of all pictures together
PICTURES: Final = (  # how files of these types begin; nothing else is ever shown as a picture
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

_NEVER: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
# Elements that end where the next of them begins: left open a thousand times they stand beside each other.
_ENDED: Final = frozenset({"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option", "colgroup"})
# Elements that are opened anew in every block until somebody closes them.
_FORMATTING: Final = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_TAGS: Final = {
    *("a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del "
      "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark "
      "nav ol p pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead "
      "time tr tt u ul var wbr").split()
}  # fmt: skip
_REMOTE: Final = frozenset({"src", "srcset", "background", "poster"})
_ATTRIBUTES: Final = {
    "*": {"align", "valign", "dir", "lang", "title", "style", "bgcolor", "background"},
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
# None of them can load anything or leave its place.
_STYLES: Final = {
    *("background-color border border-bottom border-collapse border-color border-left border-radius border-right "
      "border-spacing border-style border-top border-width color direction display font font-family font-size "
      "font-style font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom "
      "margin-left margin-right margin-top max-width min-width padding padding-bottom padding-left padding-right "
      "padding-top text-align text-decoration text-indent text-transform vertical-align white-space width word-break "
      "word-spacing overflow-wrap").split()
}  # fmt: skip

Trouble = Literal["", "too_large", "too_deep"]


class Markup(msgspec.Struct, frozen=True, kw_only=True):
    """The cleaned HTML of a mail; `remote` pictures were taken out. With a `trouble` there is only the text."""

    html: str = ""
    remote: int = 0
    trouble: Trouble = ""


def markup(raw: bytes) -> Markup | None:
    """What a mail's HTML can be shown as; None for a mail without any."""
    leaves = read_tree(raw).leaves
    rich = [leaf for leaf in leaves if leaf.type == "text/html" and is_text(leaf, len(leaves) == 1)]
    if not rich:
        return None
    if sum(len(leaf.body) for leaf in rich) > 4 * MAX_HTML:
        return Markup(trouble="too_large")
    source = "\n".join(decode(decoded(leaf), charset_of(leaf), guess=True) for leaf in rich)
    source = _NEVER.sub("", source)
    trouble = trouble_of(source)
    return Markup(trouble=trouble) if trouble else cleaned(source, leaves)


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


def cleaned(source: str, leaves: tuple[Leaf, ...] = ()) -> Markup:
    """HTML without what does not belong into a mail; `leaves` hold the pictures it brings along."""
    return _Cleaning(leaves).run(source)


def picture_type(data: bytes) -> str:
    """The type of a picture by its first bytes, "" for what is none of those that are shown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in PICTURES if data.startswith(begin)), "")


class _Cleaning:
    """One mail's HTML being cleaned."""

    def __init__(self, leaves: tuple[Leaf, ...]) -> None:
        self._leaves = {cid: leaf for leaf in leaves if (cid := content_id(leaf.headers))}
        self._room = MAX_IMAGES
        self._remote = 0

    def run(self, source: str) -> Markup:
        html = nh3.clean(
            source,
            tags=_TAGS,
            clean_content_tags={"script", "style", "title", "noscript", "template", "textarea", "select", "object"},
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
            url_relative="pass_through",  # to the filter, which counts what it takes out
            filter_style_properties=_STYLES,
            set_tag_attribute_values={"a": {"target": "_blank"}},
            link_rel="noopener noreferrer nofollow",
        )
        return Markup(html=html, remote=self._remote)

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name in _REMOTE:
            if (tag, name) == ("img", "src"):
                return self._source(value.strip())
            # The attributes of elements that are taken out are asked for too, and a frame is no picture.
            return self._passed_over(value if tag in _TAGS else "")
        if name == "href":
            return value if re.match(r"(?:https?|mailto|tel):", value.strip(), re.IGNORECASE) else None
        if name == "style" and "(" in value:
            # No function of a style is needed to read a mail, and url() is one.
            return "; ".join(one for one in value.split(";") if "(" not in one)
        return value

    def _source(self, value: str) -> str | None:
        kind, _, rest = value.partition(":")
        match kind.lower():
            case "cid":
                return self._picture(rest)
            case "data":
                head, _, data = rest.partition(",")
                return value if head.lower() in _SHOWN and len(data) <= 2 * MAX_IMAGE else None
        return self._passed_over(value)

    def _passed_over(self, value: str) -> str | None:
        self._remote += bool(value)
        return None

    def _picture(self, cid: str) -> str | None:
        leaf = self._leaves.get(cid.strip("<> "))
        data = decoded(leaf) if leaf is not None else b""
        kind = picture_type(data)
        if not kind or len(data) > min(MAX_IMAGE, self._room):
            return None
        self._room -= len(data)
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


_SHOWN: Final = frozenset(f"image/{kind};base64" for kind in ("png", "jpeg", "gif", "webp"))
