"""Which texts of a mail are its text: all in their order, but of alternatives one (RFC 2046 section 5.1.4).

Senders err: with an empty or a useless plain text beside the HTML, with the same text twice in a multipart/mixed, with
different texts as alternatives.  No text may be lost for that, and none be read twice.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from eventum.mail.charsets.charset import decode
from eventum.mail.content import Leaf, charset_of, content_id
from eventum.mail.html.text import html_to_text

_STUB: Final = 400  # bytes of plain text that may be nothing but the advice to look at the HTML
_FULLER: Final = 4  # times as long the text of the HTML must be then
_LOOKED_AT: Final = 100_000  # bytes of a text that are read to compare it with another
_COMPARED: Final = 200_000  # bytes that are read so of one mail
_BEGIN: Final = 12  # bytes of a plain text that are looked for in the HTML
_SIGNS: Final = re.compile(r"\w+")
_STEP: Final = re.compile(r"[^./]*")


class Item(NamedTuple):
    """A leaf with its decoded bytes; `is_text`: to be read with others, not a file.

    `fallback` is a text that counts only where the mail has no other: what Outlook packs into winmail.dat.
    """

    leaf: Leaf
    data: bytes
    is_text: bool
    kind: str = ""
    fallback: bool = False


def chosen(items: Sequence[Item], multiparts: Mapping[str, str], rich: bool) -> list[Item]:
    """The texts that make up the mail, of alternatives the plain one, or with `rich` the HTML."""
    texts = [item for item in items if item.is_text and not item.fallback]
    if len(texts) > 1:
        texts = _Choice(multiparts, rich).under("", texts)
    spare = [item for item in items if item.fallback]
    if spare and rich and not any(_is_html(item) for item in texts):
        return [item for item in spare if _is_html(item)] or texts or spare
    if spare and not any(item.data.strip() for item in texts):
        return spare
    return texts


def _is_html(item: Item) -> bool:
    return item.leaf.type == "text/html"


def _size(branches: list[list[Item]]) -> int:
    return sum(len(item.data) for branch in branches for item in branch)


def _next(node: str, path: str) -> str:
    """The child of `node` on the way to `path`: "" -> "1" -> "1.2"; below a container "1" stands "1/", then "1/1"."""
    rest = path[len(node) :]
    if not rest:
        return node
    begun = rest[0] if rest[0] in "./" and not node.endswith("/") else ""
    if begun == "/":
        return f"{node}/"
    step = _STEP.match(rest, len(begun))
    return node + begun + (step[0] if step else "")


def _is_loose(texts: list[Item]) -> bool:
    """Whether a multipart/related holds what should be alternatives: plain text and HTML that nothing names."""
    types = [item.leaf.type for item in texts if not content_id(item.leaf.headers)]
    return "text/html" in types and "text/plain" in types


def _different(branches: list[list[Item]]) -> list[Item]:
    found: list[Item] = []
    known: set[bytes] = set()
    for branch in branches:
        said = b"\n".join(item.data.strip() for item in branch)
        if said not in known:
            known.add(said)
            found.extend(branch)
    return found


class _Choice:
    """The choice among the texts of one mail; `room` bytes may still be read to compare texts with each other."""

    def __init__(self, multiparts: Mapping[str, str], rich: bool) -> None:
        self.multiparts = multiparts
        self.rich = rich
        self.room = _COMPARED

    def under(self, node: str, texts: list[Item]) -> list[Item]:
        """Those texts of a node of the tree that count; `texts` all stand below it."""
        if len(texts) < 2:
            return texts
        branches: dict[str, list[Item]] = {}
        for item in texts:
            branches.setdefault(_next(node, item.leaf.path), []).append(item)
        kept = [self.under(child, branch) if child != node else branch for child, branch in branches.items()]
        kind = self.multiparts.get(node, "")
        if kind == "multipart/alternative" or (kind == "multipart/related" and _is_loose(texts)):
            return self.best(kept)
        return self.together([item for branch in kept for item in branch])

    def best(self, branches: list[list[Item]]) -> list[Item]:
        """Of alternatives the one to show, or all of a kind that differ."""
        html = [branch for branch in branches if any(_is_html(item) for item in branch)]
        plain = [branch for branch in branches if not any(_is_html(item) for item in branch)]
        plain = [branch for branch in plain if any(item.data.strip() for item in branch)]
        if not html or not plain:
            return html[-1] if html else _different(plain)
        if self.rich:
            return html[-1] if self.says_something(html[-1]) else _different(plain)
        return html[-1] if self.is_stub(plain, html[-1]) else _different(plain)

    def is_stub(self, plain: list[list[Item]], html: list[Item]) -> bool:
        """Whether a short plain text says next to nothing of what the HTML says."""
        if _size(plain) > _STUB or _size([html]) < _FULLER * _STUB:
            return False
        begin = plain[0][0].data.strip()[:_BEGIN]
        if any(begin in item.data for item in html):
            return False  # The quick answer, for nearly all mails.
        full = " ".join(self.words(item) for item in html)
        said = " ".join(self.words(item) for branch in plain for item in branch)
        if len(full) < _FULLER * max(len(said), 50):
            return False
        inside = set(_SIGNS.findall(full.lower()))
        words = _SIGNS.findall(said.lower())
        return sum(word in inside for word in words) * 2 < len(words)  # A short answer stands in the HTML too.

    def says_something(self, html: list[Item]) -> bool:
        """Whether HTML shows more than an empty page."""
        if _size([html]) > _STUB:
            return True
        return any(b"<img" in item.data.lower() or self.words(item).strip() for item in html)

    def together(self, texts: list[Item]) -> list[Item]:
        """Texts beside each other: all of them, but HTML not where it repeats a plain text."""
        if not any(map(_is_html, texts)) or all(map(_is_html, texts)):
            return texts
        plain = {self.letters(item) for item in texts if not _is_html(item)} - {""}
        again = [_is_html(item) and self.repeats(self.letters(item), plain) for item in texts]
        if self.rich and any(again):
            return [item for item in texts if _is_html(item) or not self.is_repeated(item, texts)]
        return [item for item, known in zip(texts, again, strict=True) if not known]

    def is_repeated(self, plain: Item, texts: list[Item]) -> bool:
        """Whether some HTML among the texts says what a plain text says."""
        return any(self.repeats(self.letters(item), {self.letters(plain)}) for item in texts if _is_html(item))

    def repeats(self, letters: str, plain: set[str]) -> bool:
        """Whether a text is one of those, or begins as it at least."""
        return any(letters == one or (len(one) > 100 and letters[:100] == one[:100]) for one in plain)

    def letters(self, item: Item) -> str:
        """The letters and figures of a text without anything between them."""
        return "".join(_SIGNS.findall(self.words(item)))

    def words(self, item: Item) -> str:
        """The beginning of a text as it reads; "" when too much was read already."""
        data = item.data[: min(_LOOKED_AT, self.room)]
        self.room -= len(data)
        text = decode(data, charset_of(item.leaf), guess=False)
        return html_to_text(text) if _is_html(item) else text
