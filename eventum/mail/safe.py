"""What a sender called a file, made fit to be shown and to be written into a header: any str in, a short label out.

A label is no path and has no line ends, no halves of characters, and no marks that turn the direction of what follows:
they make `exe.jpg` of `gpj.exe`.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST: Final = 150
# Controls, surrogates, line separators, marks of direction and invisible signs, and what some system takes for a path.
_NEVER: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\\\\/:*?"<>|]+'
)
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")


def file_label(name: str, longest: int = LONGEST) -> str:
    """The name without anything that is not a name; never "", its extension kept."""
    clean = " ".join(unicodedata.normalize("NFC", _NEVER.sub(" ", name)).split()).strip(". ")
    if len(clean) > longest:
        stem, dot, extension = clean.rpartition(".")
        clean = stem[: longest - 12] + dot + extension[:11] if dot else clean[:longest]
    if _RESERVED.match(clean):
        clean = f"_{clean}"
    return clean or "file"


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition with this label, for old browsers and new ones (RFC 6266)."""
    label = file_label(name)
    return f"{kind}; filename=\"{_PLAIN.sub('_', label)}\"; filename*=UTF-8''{quote(label, safe='')}"
