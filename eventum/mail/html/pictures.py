"""The pictures a mail brings along, by the names its HTML has for them: leaves in, `data:` addresses out.

What a file is called says nothing; what it begins with does. They stand in the markup itself, because the frame of a
mail has no cookies to ask for them.
"""

import base64
import re
from typing import Final
from urllib.parse import unquote, urljoin

from eventum.mail.content import Leaf, content_id, decoded, file_name
from eventum.mail.words import clean_line

MAX_IMAGE: Final = 3_000_000  # bytes of one picture
MAX_IMAGES: Final = 8_000_000  # bytes of all pictures together
PICTURES: Final = (  # how files of these types begin; nothing else is ever shown as a picture
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_GIVEN: Final = re.compile(r"data:(image/(?:png|jpe?g|gif|webp)(?:;[a-z0-9=-]{1,40})?;base64),", re.IGNORECASE)


def picture_type(data: bytes) -> str:
    """The type of a picture by its first bytes, "" for what is none of those that are shown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in PICTURES if data.startswith(begin)), "")


class Pictures:
    """The pictures of one mail. `placed`: the parts that were put into its HTML; `too_large`: how many were not."""

    def __init__(self, leaves: tuple[Leaf, ...], base: str = "") -> None:
        self._base = base
        self._by_id: dict[str, Leaf] = {}
        self._by_place: dict[str, Leaf] = {}
        self._by_name: dict[str, Leaf] = {}
        for leaf in leaves:
            if leaf.type.startswith(("text/", "message/")):
                continue
            if cid := content_id(leaf.headers):
                self._by_id.setdefault(cid, leaf)
            if place := location(leaf):
                self._by_place.setdefault(urljoined(base, place), leaf)
            if name := file_name(leaf):
                self._by_name.setdefault(name, leaf)
        self._room = MAX_IMAGES
        self.placed: dict[str, None] = {}
        self.too_large = 0

    def by_source(self, source: str) -> str | None:
        """What an image's `src` stands for: a `data:` address, "" for a picture that is not there, None for no part.

        `cid:` names a Content-ID (RFC 2392), or with some programs a file; any other address a Content-Location
        (RFC 2557), from where the HTML says it stands.
        """
        kind, colon, rest = source.partition(":")
        match kind.lower() if colon else "":
            case "cid":
                cid = unquote(rest[:500]).strip("<> ")
                leaf = self._by_id.get(cid) or self._by_id.get(rest) or self._by_name.get(cid.partition("@")[0])
                return self.data_of(leaf) if leaf is not None else ""
            case "data":
                return source if _GIVEN.match(source) and len(source) <= 2 * MAX_IMAGE else ""
        place = self._by_place.get(urljoined(self._base, source)) or self._by_place.get(source)
        if place is not None:
            return self.data_of(place)
        return None if colon or source.startswith("//") else ""

    def data_of(self, leaf: Leaf) -> str:
        """A leaf as a `data:` address, "" for what is no picture that can be shown or for which there is no room."""
        data = decoded(leaf)
        kind = picture_type(data)
        if not kind:
            return ""
        if len(data) > min(MAX_IMAGE, self._room):
            self.too_large += leaf.path not in self.placed
            return ""
        self._room -= len(data)
        self.placed[leaf.path] = None
        return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def location(leaf: Leaf) -> str:
    """The Content-Location of a leaf, "" when there is none."""
    return "".join(clean_line(leaf.headers.first("content-location") or "", 1_000).split()).strip("<>\"'")


def urljoined(base: str, address: str) -> str:
    """`urljoin` for addresses that anybody may have made up."""
    try:
        return urljoin(base, address[:1_000])
    except ValueError:
        return address
