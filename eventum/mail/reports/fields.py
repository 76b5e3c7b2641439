"""The fields of a report's part for programs, in groups between blank lines, and the values in them.

Flows in: a leaf of one of the types of `dsn`. Flows out: groups of names and values, addresses, words. What programs
really write is read: groups without the blank line between them, addresses without a type, in brackets, encoded.
"""

import re
from collections.abc import Iterator
from typing import Final

from eventum.mail.address import normalise
from eventum.mail.charsets.charset import decode
from eventum.mail.content import Leaf, decoded
from eventum.mail.words import clean_line

MAX_DIAGNOSTIC: Final = 500  # characters
MAX_BYTES: Final = 200_000  # of one part
_MAX_FIELDS: Final = 2_000
_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)")
_ADDRESS: Final = re.compile(
    r"""[^\s<>()\[\]",:;@\\]{1,128}     # written in any script (RFC 6531)
        @
        [^\s<>()\[\]",:;@\\]{1,253}""",
    re.VERBOSE,
)
# RFC 6533 section 3: \x{8349} in "utf-8" addresses; RFC 3461 section 4: +2B in those of an ORCPT.
_CODE_POINT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")

Fields = dict[str, str]
"""Values by names in lower case, the first of each."""


def text_of(leaf: Leaf) -> str:
    """The leaf as text, as much of it as is looked at."""
    return decode(decoded(leaf)[:MAX_BYTES], "utf-8", guess=False).replace("\r\n", "\n").replace("\r", "\n")


def fields_of(leaf: Leaf) -> Fields:
    """All fields of a leaf that has no groups, though blank lines may stand in it."""
    found: Fields = {}
    for name, value in _fields(text_of(leaf)):
        if name:
            found.setdefault(name, value)
    return found


def groups_of(text: str) -> list[Fields]:
    """The groups of fields between blank lines (RFC 3464 section 2.1).

    A second recipient without a blank line in front begins a group of its own, and one whose fields stand behind a
    blank line is one.
    """
    found: list[Fields] = [{}]
    after_blank = False
    for name, value in _fields(text):
        if not name:
            after_blank = bool(found[-1])
            continue
        last = found[-1]
        starts = name in ("final-recipient", "original-recipient")
        another = starts and (is_recipient(last) and (name in last or after_blank))
        if another or (after_blank and (starts or not is_recipient(last))):
            found.append({})
        after_blank = False
        found[-1].setdefault(name, value)
    return found


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case with their unfolded values; ("", "") for a blank line."""
    name, value = "", ""
    for line in text.split("\n", _MAX_FIELDS)[:_MAX_FIELDS]:
        if line[:1] in (" ", "\t") and line.strip() and name:
            value = f"{value} {line.strip()}" if len(value) < 4 * MAX_DIAGNOSTIC else value
            continue
        if name:
            yield name, value
        name = ""
        match = _FIELD.match(line[:4_000])
        if match:
            name, value = match[1].lower(), match[2].strip()
        elif not line.strip():
            yield "", ""
    if name:
        yield name, value


def is_recipient(group: Fields) -> bool:
    """Whether a group speaks of a recipient and not of the mail."""
    return "final-recipient" in group or "original-recipient" in group or "action" in group


def words_in(value: str) -> str:
    """A value of the form `type; words` without its type (RFC 3464 section 2.1.2)."""
    type_, semicolon, rest = value.partition(";")
    return clean_line(rest if semicolon and " " not in type_.strip() else value, MAX_DIAGNOSTIC)


def address_in(value: str) -> str:
    """The address in `rfc822; a@b`, also of another type, in brackets, or encoded (RFC 6533 section 3)."""
    type_, semicolon, rest = value[:2_000].partition(";")
    text = rest if semicolon else value[:2_000]
    if type_.strip().lower() == "utf-8":
        text = _CODE_POINT.sub(_sign, text)
        text = _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
    found = _ADDRESS.search(clean_line(text, 1_000))
    return normalise(found[0].strip(".'")) if found else ""


def _sign(match: re.Match[str]) -> str:
    point = int(match[1], 16)
    return chr(point) if point < 0x110000 else ""


def envelope_in(fields: Fields) -> str:
    """The ENVID that the mail was sent with (RFC 3461), "" without one."""
    return clean_line(fields.get("original-envelope-id", "").strip("<> "), 200)
