"""Files beside the text of a mail of ours: names and bytes in, a multipart body out.

Names are what somebody's computer called a file: folders, controls and line ends are taken out, and what is not ASCII
is said as RFC 2231 wants it, with a plain name beside it for old readers. A type that would make the file a part of
the mail's own structure is not believed.
"""

import binascii
import hashlib
import re
from typing import Final
from urllib.parse import quote

import msgspec

from eventum.mail.charsets import jis
from eventum.mail.content import clean_name
from eventum.mail.safe import file_label

_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_NOT_PLAIN: Final = re.compile(r"[^ !#-.0-9:-\[\]^-~]")  # what a quoted string of plain letters cannot hold
_LINE: Final = 76
_WORD: Final = 75  # RFC 2047 section 2
_SAVED: Final = 57  # bytes that make one line of base64
_LONGEST: Final = 60  # characters of a name, so that a line of it stays below 998 octets however it is said
UNKNOWN: Final = "application/octet-stream"


class Enclosure(msgspec.Struct, frozen=True):
    """A file that goes with a mail. `name` and `type` may hold anything."""

    name: str
    type: str
    data: bytes


def with_files(text: bytes, files: tuple[Enclosure, ...], charset: str = "utf-8") -> bytes:
    """The body of a mail, its content headers first: `text`, a part with its own headers, then the files.

    Names of files are said in `charset`, "utf-8" or "iso-2022-jp", into which they have to fit.
    """
    parts = [text, *(_part(one, charset) for one in files)]
    # Made of the content: the same mail is composed to the same bytes. "=_" stands in neither base64 nor
    # quoted-printable, and who writes the hash of his own text into it would have to know it before.
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    boundary = b"=_eventum-" + digest.hexdigest()[:40].encode("ascii")
    return b"".join(
        (
            b'Content-Type: multipart/mixed;\r\n boundary="%b"\r\n' % boundary,
            b"Content-Transfer-Encoding: 7bit\r\n\r\n",
            *(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts),
            b"--%b--\r\n" % boundary,
        )
    )


def safe_name(name: str) -> str:
    """What a file is called in a mail and on a screen, never "" and never a path."""
    return file_label(clean_name(name), _LONGEST)


def safe_type(type_: str) -> str:
    """The type of a file as it was said, or that of unknown bytes."""
    kind = type_.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        return UNKNOWN
    return kind


def _part(one: Enclosure, charset: str) -> bytes:
    name = safe_name(one.name)
    lines = [f"Content-Type: {safe_type(one.type)};"]
    if charset == jis.CHARSET and not name.isascii():
        # RFC 2047 section 5 does not allow it, and it is all that old Japanese clients read.
        lines.append(' name="' + "\r\n ".join(jis.encode_words(name, _WORD - len(' name=""'), _WORD)) + '"')
    else:
        lines.append(f' name="{_NOT_PLAIN.sub("_", name)}"')
    lines += [
        "Content-Disposition: attachment;",
        f' filename="{_NOT_PLAIN.sub("_", name)}"' + (";" if not name.isascii() else ""),
    ]
    if not name.isascii():
        lines += _extended(name, charset)
    lines.append("Content-Transfer-Encoding: base64")
    head = "\r\n".join(lines).encode("ascii")
    data = b"".join(
        binascii.b2a_base64(one.data[at : at + _SAVED], newline=False) + b"\r\n"
        for at in range(0, len(one.data), _SAVED)
    )
    return head + b"\r\n\r\n" + data


def _extended(name: str, charset: str) -> list[str]:
    """`filename*0*=` and its continuations (RFC 2231 section 4.1), each a line that is not too long."""
    data = jis.encoded(name) if charset == jis.CHARSET else None
    said = f"{charset}''{quote(name if data is None else data, safe='')}"
    lines: list[str] = []
    room = _LINE - len(" filename*10*=;")
    while said:
        cut = min(room, len(said))
        # An octet is said by three letters, which stay together.
        cut -= next((back for back in (1, 2) if cut < len(said) and said[cut - back] == "%"), 0)
        lines.append(f" filename*{len(lines)}*={said[:cut]};")
        said = said[cut:]
    lines[-1] = lines[-1][:-1]
    return lines
