"""A language of nobody, in which every translated text stands in ⟦brackets⟧ with accents: what has none was forgotten.

Flows in: the texts as they stand in the source, and pages in that language. Flows out: a catalogue, and the texts of a
page that have Latin letters and stand in no brackets. Data is written without Latin letters (`scene.in_greek`), so
what is found is the program's own.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog

from tests import catalogues
from tests.web.browser import VOID

OPEN, CLOSE = "⟦⟧"
ACCENTED = str.maketrans("aceinouyACEINOUY", "áçéíñóúýÁÇÉÍÑÓÚÝ")
# Attributes that are read or seen.
SAID = ("title", "placeholder", "aria-label", "alt", "label")
# What holds code, names and addresses of machines, or moments, which are the same in every language.
NOT_TEXT = {"code", "pre", "kbd", "samp", "time", "script", "style"}
# Lists whose values are names that are nobody's language: zones, and types of accounts.
NAMES = ("timezone", "type", "security", "language")
# Addresses of mail and of pages, domains, sizes, names of programs, zones of time, and the mark of an answer.
SAME_EVERYWHERE = re.compile(
    r"""
    https?://[^\s<>"]+
    | [\w.+=-]+@[\w.-]+
    | \b[\w-]+(?:\.[\w-]+)*\.(?:example|org|com)\b(?::\d+)?
    | \b\d[\d.,]*\s?(?:B|KB|MB|GB|TB)\b
    | \bRe:
    | \b(?:Eventum|cron|systemd|Postfix|Exim|Sendmail|qmail|Maildir)\b
    | \b(?:UTC|CET|CEST|GMT)\b
    | \.(?:pdf|png|eml|csv)\b
    """,
    re.VERBOSE,
)


def strange(text: str) -> str:
    """A text in that language; its places for values stay."""
    parts = re.split(f"({catalogues.PLACE.pattern})", text)
    return OPEN + "".join(part if number % 2 else part.translate(ACCENTED) for number, part in enumerate(parts)) + CLOSE


def make(folder: Path) -> None:
    """Put the catalogue of that language where the English one would lie."""
    catalogue = Catalog(locale="en", charset="utf-8")
    for message in catalogues.texts_of(catalogues.extracted()):
        if isinstance(message.id, tuple | list):
            catalogue.add(tuple(message.id), tuple(strange(text) for text in message.id))
        else:
            catalogue.add(message.id, strange(message.id), context=message.context)
    place = folder / "en" / "LC_MESSAGES" / "messages.mo"
    place.parent.mkdir(parents=True)
    place.write_bytes(catalogues.compiled(catalogue))


def forgotten(html: str) -> Iterator[str]:
    """The texts of a page that nobody could read in another language."""
    reader = _Reader()
    reader.feed(html)
    return iter(reader.found)


class _Reader(HTMLParser):
    """Goes through a page with how deep in brackets it is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._open: list[tuple[str, bool]] = []  # Elements around, and whether they hold no text of ours.

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element, and what its attributes say."""
        given = {name: value or "" for name, value in attrs}
        is_other = (
            tag in NOT_TEXT
            or given.get("translate") == "no"
            or "mono" in given.get("class", "").split()
            or (tag == "select" and given.get("name", "").endswith(NAMES))
            or tag == "textarea"
        )
        if not (is_other or self._is_other()):
            for name in SAID:
                self._look(given.get(name, ""), f"{name}: ")
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            self._look(given.get("value", ""), "value: ")
        if tag not in VOID:
            self._open.append((tag, is_other))

    def handle_endtag(self, tag: str) -> None:
        """The end of an element, and of those in it that have no end."""
        if tag in [name for name, _ in self._open]:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Words."""
        if not self._is_other():
            self._depth = self._look(data, "", self._depth)

    def _is_other(self) -> bool:
        return any(is_other for _, is_other in self._open)

    def _look(self, text: str, where: str, depth: int = 0) -> int:
        outside = []
        for part in re.split(f"([{OPEN}{CLOSE}])", text):
            if part == OPEN:
                depth += 1
            elif part == CLOSE:
                depth -= 1
            elif depth <= 0:
                outside.append(part)
        if re.search(r"[A-Za-z]", SAME_EVERYWHERE.sub("", "".join(outside))):
            self.found.append(where + " ".join(text.split())[:100])
        return depth
