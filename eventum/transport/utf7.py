"""Names of IMAP folders on the wire: modified UTF-7 of RFC 3501 section 5.1.3, both halves.

Text in, ASCII text out and back. It knows nothing of servers, quoting or hierarchy.
"""

import re
from base64 import b64decode, b64encode

# A run of what is not printable ASCII is written as one shifted piece.
SHIFTED = re.compile("[^ -~]+")
PIECE = re.compile("&([A-Za-z0-9+,]*)-")


def encode(name: str) -> str:
    """The folder's name as a server expects it; characters beyond Unicode's planes travel as surrogate pairs."""

    def shift(run: re.Match[str]) -> str:
        base64 = b64encode(run[0].encode("utf-16-be", "surrogatepass")).decode()
        return "&" + base64.rstrip("=").replace("/", ",") + "-"

    return SHIFTED.sub(shift, name.replace("&", "&-"))


def decode(name: str) -> str:
    """The folder's name as people read it; what is no modified UTF-7 stays as it stands."""

    def unshift(piece: re.Match[str]) -> str:
        if not piece[1]:
            return "&"
        base64 = piece[1].replace(",", "/")
        try:
            return b64decode(base64 + "=" * (-len(base64) % 4)).decode("utf-16-be", "surrogatepass")
        except ValueError:
            return piece[0]

    return PIECE.sub(unshift, name)
