"""OpenPGP in the lines of a text (RFC 9580 sections 6 and 7): the signed text out of its armour, nothing verified.

Bytes of a text in, the text as its writer meant it and the signatures out.  What is encrypted stays as it is: who has
the key copies it from there.
"""

import re
from typing import Final

_SIGNED: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE: Final = b"-----BEGIN PGP SIGNATURE-----"
_END: Final = b"-----END PGP SIGNATURE-----"
_ENCRYPTED: Final = b"-----BEGIN PGP MESSAGE-----"
_MAX: Final = 20  # signed texts in one text
_HEAD: Final = re.compile(rb"[ \t]*\r?\n (?:[A-Za-z]{1,20}:[^\n]*\n){0,10} [ \t]*\r?\n", re.VERBOSE)
_ESCAPED: Final = re.compile(rb"^- (?=-|From )", re.MULTILINE)


def is_armoured(data: bytes) -> bool:
    """Whether a text may be signed or encrypted in itself; cheap to ask."""
    return b"-----BEGIN PGP " in data


def split(data: bytes) -> tuple[bytes, list[bytes], list[str]]:
    """A text without armour, its signatures, and which seals it had ("pgp-signed", "pgp-encrypted")."""
    rest: list[bytes] = []
    signatures: list[bytes] = []
    position = 0
    while len(signatures) < _MAX:
        start = _line_with(data, _SIGNED, position)
        head = _HEAD.match(data, start + len(_SIGNED)) if start >= 0 else None
        signature = _line_with(data, _SIGNATURE, head.end()) if head else -1
        if head is None or signature < 0:
            break
        end = _line_with(data, _END, signature)
        end = len(data) if end < 0 else end + len(_END)
        rest += [data[position:start], _ESCAPED.sub(b"", data[head.end() : signature])]
        signatures.append(data[signature:end] + b"\n")
        position = end
    rest.append(data[position:])
    seals = ["pgp-signed"] if signatures else []
    if _line_with(data, _ENCRYPTED, 0) >= 0:
        seals.append("pgp-encrypted")
    return b"".join(rest), signatures, seals


def _line_with(data: bytes, mark: bytes, position: int) -> int:
    """Where a line that begins with the mark begins, from there on; -1 without one."""
    if position == 0 and data.startswith(mark):
        return 0
    return data.find(b"\n" + mark, max(0, position - 1)) + 1 or -1
