"""text/enriched (RFC 1896) and its ancestor text/richtext as plain text: commands go, line ends are read as meant."""

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""<< | < (/?) ([A-Za-z0-9-]{1,60}) > | \n+ | [^<\n]+ | <""",
    re.VERBOSE,
)


def enriched_to_text(text: str) -> str:
    """The words of the text: one line end is a blank, of more one goes; parameters of commands are left out."""
    out: list[str] = []
    parameters = unfilled = 0
    for token in _TOKEN.finditer(text):
        piece, command = token[0], (token[2] or "").lower()
        if command:
            step = -1 if token[1] else 1
            parameters = max(0, parameters + step * (command == "param"))
            unfilled = max(0, unfilled + step * (command in ("nofill", "verbatim")))
            if command in ("nl", "np", "paragraph"):
                out.append("\n")
        elif not parameters:
            if piece[0] == "\n" and not unfilled:
                piece = piece[1:] or " "
            out.append("<" if piece == "<<" else piece)
    return "".join(out)
