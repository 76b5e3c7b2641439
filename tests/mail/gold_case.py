"""One mail of GOLD.jsonl with what is stated of it, what we make of it, and how two values are compared."""

from functools import cached_property
from typing import Any

import msgspec

from eventum.mail.message import Message, parse
from eventum.mail.parts import Tree, read_tree
from eventum.mail.quotes.quoting import Piece, pieces, written


class Case:
    """One mail with what is stated of it, and what we make of it."""

    def __init__(self, row: dict[str, Any], raw: bytes) -> None:
        self.row = row
        self.raw = raw

    @property
    def name(self) -> str:
        """The mail as the list of differences names it."""
        return f"{self.row['source']}/{self.row['file']}"

    @cached_property
    def message(self) -> Message:
        """What a user sees of it."""
        return parse(self.raw)

    @cached_property
    def tree(self) -> Tree:
        """Its leaves."""
        return read_tree(self.raw)

    @cached_property
    def cut(self) -> tuple[Piece, ...]:
        """The pieces of its text. Two projects state them of bare texts, which are no mails."""
        return pieces(self.text)

    @property
    def text(self) -> str:
        """The text that is cut."""
        bare = self.row["source"] in ("email_reply_trimmer", "github-email_reply_parser")
        return self.raw.decode("utf-8", "replace").replace("\r\n", "\n") if bare else self.message.text

    @property
    def written(self) -> str:
        """What its writer wrote himself."""
        return written(self.text)


class Held(msgspec.Struct, frozen=True):
    """Whether a field holds, and what we have instead of what is stated."""

    holds: bool
    ours: Any = None


def same(ours: Any, wanted: Any) -> Held:
    """Whether two values are equal."""
    return Held(ours == wanted, ours)


def blanks(text: str | None) -> str:
    """One line, with one blank where there were several."""
    return " ".join((text or "").split())
