"""The pieces of a mail's text, and which of them are folded: what a reader needs at first stays open.

Pieces in, the same pieces out, some of them folded and a long quote maybe in two: what stands alone is never folded, no
quote that a reader needs for the answer below it, and nothing that the writer shows.
"""

from typing import Final, Literal

import msgspec

from eventum.mail.quotes.fields import fields_at, is_quoted, unmarked
from eventum.mail.quotes.words import introductions

Kind = Literal["text", "quote", "signature", "forward"]

_SHORT: Final = 8  # Lines of a quote that is shown where an answer to it follows.
_TAIL: Final = 3  # The last lines of a longer one, which are shown where several are answered.
_EXAMPLE: Final = 20  # Lines with ">" that belong to the text: nothing says that they are from another mail.
_FEW: Final = 3
_FIRST: Final = 6


class Forwarded(msgspec.Struct, frozen=True):
    """Of a mail that was sent on, what stands above it in the text, as it stands there; "" for what does not.

    `lines`: how many lines of the piece's text that head takes.
    """

    lines: int
    from_: str = ""
    date: str = ""
    subject: str = ""
    to: str = ""


class Piece(msgspec.Struct, frozen=True):
    """Some lines of a text. `folded`: whoever reads the mail does not need them at first."""

    kind: Kind
    text: str
    folded: bool = False
    forwarded: Forwarded | None = None

    @property
    def lines(self) -> int:
        """How many lines have something on them."""
        return sum(1 for line in self.text.split("\n") if line.strip())

    @property
    def head(self) -> str:
        """Of what was sent on, the lines that say what it is; "" in all other pieces."""
        return "\n".join(self.text.split("\n")[: self.forwarded.lines]) if self.forwarded else ""

    @property
    def body(self) -> str:
        """The text below the head."""
        return "\n".join(self.text.split("\n")[self.forwarded.lines :]) if self.forwarded else self.text


def folded(found: list[Piece], answers: bool) -> tuple[Piece, ...]:
    """The pieces of one text, those folded that need not be read; `answers`: the mail answers another."""
    own = [place for place, piece in enumerate(found) if piece.kind in ("text", "forward") and piece.text.strip()]
    if not own:
        return tuple(found)
    several = sum(1 for piece in found[: own[-1]] if piece.kind == "quote") > 1
    made: list[Piece] = []
    for place, piece in enumerate(found):
        if piece.kind == "signature":
            made.append(_fold(piece))
        elif piece.kind == "quote" and place < own[-1]:
            made.extend(_answered(piece, several))
        elif piece.kind == "quote":
            made.append(piece if _is_example(found[:place], piece, answers) else _fold(piece))
        else:
            made.append(piece)
    return tuple(made)


def _is_example(before: list[Piece], piece: Piece, answers: bool) -> bool:
    """Whether the last lines with marks are what the writer shows, and not the mail that he answers."""
    if not is_quoted(piece.text):  # it is introduced
        is_marked = is_quoted(piece.text.rstrip().rpartition("\n")[2])
        return not (answers or is_marked or any(one.forwarded for one in before))
    if any(one.kind == "quote" for one in before):
        return False
    lines = [unmarked(line) for line in piece.text.split("\n")[:_FIRST]]
    if introductions(lines) or fields_at(lines, 0) is not None:
        return False
    told = not answers or before[-1].text.rstrip().endswith((":", "："))
    return piece.lines <= (_EXAMPLE if told else _FEW)


def _fold(piece: Piece) -> Piece:
    return msgspec.structs.replace(piece, folded=True)


def _answered(piece: Piece, several: bool) -> tuple[Piece, ...]:
    """A quote with an answer below it: open when it is short; of a long one the end, where each part is answered."""
    if piece.lines <= _SHORT:
        return (piece,)
    lines = piece.text.split("\n")
    filled = [place for place, line in enumerate(lines) if line.strip()]
    at = filled[-_TAIL]
    if not several or not all(is_quoted(lines[place]) for place in filled[-_TAIL:]):
        return (_fold(piece),)
    return Piece("quote", "\n".join(lines[:at]), folded=True), Piece("quote", "\n".join(lines[at:]))
