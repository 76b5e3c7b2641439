"""What a tag of a mail's HTML says: its attributes, what its style hides, and where its link leads.

Strings in, values out; each pattern is linear, and each string was cut to a few thousand characters before.
"""

import html
import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

MAX_TARGET: Final = 500
"""Characters of a link's target that is shown; longer ones tell nothing but who tracks whom."""
MAX_ALT: Final = 150
"""Characters that are shown of what stands for a picture."""

BLANKS: Final = re.compile(r"[ \t\n\r\f\xa0]+")
ENTITY: Final = re.compile(
    r"""& (?: \# [0-9]{1,7} (?![0-9])                   # longer ones are no characters, and slow to make numbers of
            | \# [xX] [0-9a-fA-F]{1,6} (?![0-9a-fA-F])
            | [A-Za-z][A-Za-z0-9]{1,31}
        ) ;?""",
    re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(
    r"""
    (?<![^\s"'/]) (href|alt|style|type|class|start|value|role|border|width|height|hidden|id)
    (?: \s{0,3} = \s{0,3} (?: "([^"]*)" | '([^']*)' | ([^\s>"']+) ) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DECLARED: Final = re.compile(
    r"""
    (?: ^ | ; ) \s{0,9}
    (display | visibility | font-size | max-height | height | opacity | overflow | white-space | border)
    \s{0,9} : \s{0,9} ([^;]{1,60})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NOTHING: Final = re.compile(r"(?:0+(?:\.0+)?|\.0+)(?:px|pt|em|rem|%)?(?![\d.])")
_TINY: Final = re.compile(r"(?:0*[01](?:\.\d+)?|0?\.\d+)\s?(?:px|pt)\b|0+(?:\.0+)?(?:em|rem|%)?(?![\d.])")
_WRAPPED: Final = re.compile(
    r"""
      https?://[^/]{1,80}\.safelinks\.protection\.outlook\.com/[^?]{0,20}\?(?:[^#]{0,20}&)?url=(?P<quoted>[^&]{8,2000})
    | https?://urldefense\.com/v3/__(?P<plain>https?:/.{4,1500}?)__;
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WEB: Final = re.compile(r"(?:https?|ftp)://[^\s<>]{1,2000}\Z", re.IGNORECASE)


class Style(msgspec.Struct, frozen=True):
    """What the style of an element says of its text; None where it says nothing.

    `hidden`: nothing of it is seen. `tiny`: its letters have no size, unless an element in it gives them one.
    `pre`: whether line ends count. `unframed`: it has no border on purpose.
    """

    hidden: bool = False
    tiny: bool | None = None
    pre: bool | None = None
    unframed: bool = False


PLAIN: Final = Style()


def attributes_of(text: str) -> dict[str, str]:
    """The attributes that anybody asks for, in lower case, the first of each; entities are read."""
    found: dict[str, str] = {}
    for one in _ATTRIBUTE.finditer(text):
        name = one[1].lower()
        if name not in found:
            value = one[2] or one[3] or one[4] or ""
            found[name] = BLANKS.sub(" ", ENTITY.sub(entity, value) if "&" in value else value).strip()
    return found


@lru_cache(maxsize=1024)
def style_of(text: str) -> Style:
    """What this style attribute hides; the last of two declarations counts, as in a browser."""
    said = {name.lower(): value.strip().lower() for name, value in _DECLARED.findall(text)}
    if not said:
        return PLAIN
    flat = [name for name in ("max-height", "height") if _NOTHING.match(said.get(name, "1"))]
    hidden = (
        said.get("display", "").startswith("none")
        or said.get("visibility", "").startswith(("hidden", "collapse"))
        or _NOTHING.fullmatch(said.get("opacity", "1").removesuffix("!important").strip()) is not None
        or "max-height" in flat
        or ("height" in flat and said.get("overflow", "").startswith("hidden"))
    )
    size, space = said.get("font-size"), said.get("white-space")
    return Style(
        hidden=hidden,
        tiny=None if size is None else _TINY.match(size) is not None,
        pre=None if space is None else space.startswith(("pre", "break-spaces")),
        unframed=said.get("border", "").startswith(("none", "0")),
    )


def target_of(href: str, shown: str) -> str:
    """Where a link leads, as it is shown behind `shown`; "" when that says it already, or nobody can follow it."""
    if href[:7].lower() == "mailto:":
        address = unquote(href[7:].split("?")[0]).strip()
        return address if "@" in address and len(address) <= 200 and address.lower() not in shown.lower() else ""
    wrapped = _WRAPPED.match(href)
    if wrapped:
        inner = unquote(wrapped["quoted"]) if wrapped["quoted"] else wrapped["plain"]
        href = inner if _WEB.match(inner) else href
    if len(href) > MAX_TARGET or _WEB.match(href) is None:
        return ""
    return "" if _core(href) in (_core(shown), _core(shown.rstrip(".,;:!?)"))) else href


def _core(address: str) -> str:
    """What two writings of one address have in common."""
    address = address.strip().lower()
    for prefix in ("http://", "https://", "www."):
        address = address.removeprefix(prefix)
    return address.rstrip("/")


def picture(attributes: dict[str, str]) -> str:
    """What stands for a picture in a text, "" for one that shows nothing."""
    alt = attributes.get("alt", "")
    if not alt or attributes.get("width") in ("0", "1", "2") or attributes.get("height") in ("0", "1", "2"):
        return ""
    return f"[{alt if len(alt) <= MAX_ALT else alt[: MAX_ALT - 1] + '…'}]"


def entity(found: re.Match[str]) -> str:
    """The character that an entity stands for, itself where it is none."""
    return html.unescape(found[0])


def number(value: str, default: int) -> int:
    """A small number of an attribute."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 6 else default


def marker(kind: str, count: int) -> str:
    """What stands before an entry of a numbered list."""
    if kind in ("a", "A") and 1 <= count <= 26:
        return f"{chr(ord(kind) + count - 1)}. "
    if kind in ("i", "I") and 1 <= count < 100:
        tens = ("", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx", "xc")[count // 10]
        roman = tens + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[count % 10]
        return f"{roman if kind == 'i' else roman.upper()}. "
    return f"{count}. "
