"""What somebody wrote, what he quoted or sent on, and his signature: the readable text of a mail, cut into pieces.

In flow: the text of a mail. Out flow: its pieces in order; joined by newlines they are the text again, so nothing is
ever lost by a wrong guess: a screen folds pieces, it removes none. Linear in the length of the text: each line is
looked at a few times, each time with at most a few around it.

The words that clients use are in `quote_words`, signatures in `signature`; here is what follows from them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from eventum.mail.quotes.fields import FIELD_LINES, Fields, fields_at, is_of_notes, is_quoted, unmarked
from eventum.mail.quotes.pieces import Forwarded, Kind, Piece, folded
from eventum.mail.quotes.signature import signatures
from eventum.mail.quotes.words import divides, introductions, is_ruler, sends_on

__all__ = ["MAX_PIECES", "Piece", "is_answer", "pieces", "written"]

MAX_PIECES: Final = 300
"""Pieces of one text; what follows the last of them is one piece more, and open."""
_FOLLOWING: Final = 6  # Blank lines, and lines, between what introduces a quote and the quote.
_REMEMBERED: Final = 10_000  # Characters of a text whose pieces are remembered: a page that is opened again asks again.

_PREFIX: Final = re.compile(r"\s*(?:\[[^\]]{0,40}\]\s*)?([^\s:：\[\]()]{1,4})\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]")
_FORWARDS: Final = frozenset(
    {"fw", "fwd", "wg", "tr", "rv", "enc", "i", "vb", "vl", "pd", "转发", "轉寄", "転送", "전달"}
)


def pieces(text: str, answers: bool = True) -> tuple[Piece, ...]:
    """The text in its pieces, in order; a text without quotes and signature is one piece.

    `answers`: whether the mail answers another (`is_answer`). One that does not is nobody's quote: what it holds of
    another mail it sends on, and that stays open.
    """
    return _pieces(text, answers) if len(text) <= _REMEMBERED else _pieces.__wrapped__(text, answers)


def written(text: str, answers: bool = True) -> str:
    """What the writer himself wrote: the text without quotes, signature and what he sent on, maybe nothing."""
    own = [piece.text.strip("\n") for piece in pieces(text, answers) if piece.kind == "text"]
    return "\n\n".join(one for one in own if one.strip()).strip()


def is_answer(subject: str, has_ids: bool) -> bool:
    """Whether a mail answers another, by the prefix of its subject in whatever language, or because it names one."""
    prefix = _PREFIX.match(subject)
    if prefix and prefix[1].casefold() in _FORWARDS:
        return False
    return has_ids or prefix is not None


@lru_cache(maxsize=512)
def _pieces(text: str, answers: bool) -> tuple[Piece, ...]:
    reader = _Reader(text.split("\n"), answers)
    reader.read()
    return folded(reader.cut(), answers)


class _Reader:
    def __init__(self, lines: list[str], answers: bool) -> None:
        self.lines = lines
        self.answers = answers
        self.kinds: list[Kind] = ["text"] * len(lines)
        self.plain: Kind = "text"  # what a line is that is nothing else
        self.introductions = introductions(lines)
        self.heads: dict[int, Forwarded] = {}  # by the line on which something begins that was sent on
        self.taken = 0  # the first line that is not decided yet

    def read(self) -> None:
        """Say of every line what it is."""
        while self.taken < len(self.lines):
            at = self.taken
            line = self.lines[at]
            if not line.strip():
                self.take(at + 1, self.plain)
            elif is_quoted(line):
                self.quoted(at)
            elif not ((at in self.introductions and self.introduced(at)) or self.sent_on(at) or self.answered(at)):
                self.take(at + 1, self.plain)
        self.sign()

    def take(self, end: int, kind: Kind) -> None:
        self.kinds[self.taken : end] = [kind] * (end - self.taken)
        self.taken = end

    def quoted(self, at: int) -> None:
        """Take a block of lines with marks."""
        end = self.end_of_quoted(at)
        bare = unmarked(self.lines[at])
        if not self.is_forward(at, bare):
            self.take(end, "quote")
            return
        below = self.next_written(at + 1, bare=True) if sends_on(bare) else at
        fields = fields_at(self.lines, below, marked=True) if below < end else None
        self.heads[at] = _forwarded(fields, at, min(fields.end if fields else at + 1, end))
        self.take(end, "forward")

    def end_of_quoted(self, at: int) -> int:
        """The line after a block of marked lines; blank ones between two of them belong to it, not those at its end."""
        end, place = at, at
        while place < len(self.lines) and (is_quoted(self.lines[place]) or not self.lines[place].strip()):
            place += 1
            if self.lines[place - 1].strip():
                end = place
        return end

    def is_forward(self, at: int, bare: str) -> bool:
        if sends_on(bare):
            return True
        if self.answers:
            return False
        fields = fields_at(self.lines, at, marked=True)
        return fields is not None and fields.is_head

    def introduced(self, at: int) -> bool:
        """Take what these lines introduce: the quote below, or all that follows when nothing marks it."""
        end, is_sure = self.introductions[at]
        after = self.next_written(end)
        if after < len(self.lines) and is_quoted(self.lines[after]):
            self.quoted_after(after)
            return True
        if not is_sure or after >= len(self.lines):
            return False
        self.rest(at)
        return True

    def quoted_after(self, at: int, kind: Kind = "quote") -> None:
        """Take all from here to the end of the block of marked lines that begins at `at`, whatever it begins with."""
        self.take(self.end_of_quoted(at), kind)

    def sent_on(self, at: int) -> bool:
        """Take the head of what was sent on; all below it is that mail, until it quotes another."""
        if not sends_on(self.lines[at]):
            return False
        below = self.next_written(at + 1)
        if below < len(self.lines) and is_quoted(self.lines[below]):
            fields = fields_at(self.lines, below, marked=True)
            self.quoted_after(below, "forward")
            self.heads[at] = _forwarded(fields, at, fields.end if fields else at + 1)
            return True
        fields = fields_at(self.lines, below) if below < len(self.lines) else None
        self.begin_forward(at, fields, at + 1)
        return True

    def begin_forward(self, at: int, fields: Fields | None, end: int) -> None:
        first = at if sends_on(self.lines[at]) or divides(self.lines[at]) else self.with_rulers(at)
        end = fields.end if fields else end
        self.heads[first] = _forwarded(fields, first, end)
        self.taken, self.plain = first, "forward"
        self.take(end, "forward")

    def answered(self, at: int) -> bool:
        """Whether all from this line on is somebody else's mail, without a mark on its lines; then it is taken."""
        line = self.lines[at]
        if divides(line):
            below = self.next_written(at + 1)
            fields = fields_at(self.lines, below) if below < len(self.lines) else None
        else:
            fields = fields_at(self.lines, at)
            if not is_of_notes(self.lines, at) and (fields is None or not fields.is_head):
                return False
        if self.answers or self.plain == "forward":
            self.rest(at if divides(line) else self.with_rulers(at))
        else:
            self.begin_forward(at, fields, at + 1)
        return True

    def rest(self, at: int) -> None:
        self.taken = at
        self.take(len(self.lines), "quote")

    def with_rulers(self, at: int) -> int:
        """The line from which a head is not the writer's any more: clients put a rule above it."""
        place = at - 1
        while place >= max(at - 3, 0) and not self.lines[place].strip():
            place -= 1
        if place < max(at - 3, 0) or self.kinds[place] != self.plain or not is_ruler(self.lines[place]):
            return at
        # Of two that are the same, this one ends a signature.
        return at if self.lines[place] in self.lines[max(place - FIELD_LINES, 0) : place] else place

    def next_written(self, at: int, bare: bool = False) -> int:
        """The next line with something on it, at most a few further on; the number of lines when there is none."""
        for place in range(at, min(at + _FOLLOWING, len(self.lines))):
            if (unmarked(self.lines[place]) if bare else self.lines[place]).strip():
                return place
        return len(self.lines)

    def sign(self) -> None:
        """Find signatures in what was written, in the first blocks of it and in the last."""
        blocks = [(start, end) for start, end in _runs(self.kinds) if self.kinds[start] in ("text", "forward")]
        for start, end in blocks if len(blocks) <= MAX_PIECES else (*blocks[:_FOLLOWING], blocks[-1]):
            for first, last in signatures(self.lines, start, end):
                self.kinds[first:last] = ["signature"] * (last - first)

    def cut(self) -> list[Piece]:
        """The pieces, none of them folded; blank lines belong to the piece before them."""
        found: list[tuple[int, int]] = []
        for start, end in _runs(self.kinds, self.heads):
            blank = not any(line.strip() for line in self.lines[start:end])
            if found and (
                len(found) > MAX_PIECES
                or (start not in self.heads and (blank or self.kinds[found[-1][0]] == self.kinds[start]))
            ):
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return [
            Piece(
                self.kinds[start] if number < MAX_PIECES else "text",
                "\n".join(self.lines[start:end]),
                forwarded=self.heads.get(start) if number < MAX_PIECES else None,
            )
            for number, (start, end) in enumerate(found)
        ]


def _runs(kinds: Sequence[Kind], heads: Sequence[int] | dict[int, Forwarded] = ()) -> list[tuple[int, int]]:
    found, start = [], 0
    for end in range(1, len(kinds) + 1):
        if end == len(kinds) or kinds[end] != kinds[start] or end in heads:
            found.append((start, end))
            start = end
    return found


def _forwarded(fields: Fields | None, first: int, end: int) -> Forwarded:
    values = fields.values if fields else {}
    return Forwarded(
        lines=end - first,
        from_=values.get("from", ""),
        date=values.get("date", ""),
        subject=values.get("subject", ""),
        to=values.get("to", ""),
    )
