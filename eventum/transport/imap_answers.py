"""What a FETCH response says (RFC 3501 section 7.4.2), read whole: brackets, order, literals; and sets of UIDs.

In flows what imaplib made of the answer, out flow names and values of each mail. A response that contradicts itself is
not believed: a literal that was announced too short or too long would be a mail cut or swollen.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

# One word of a FETCH response: a bracket, a quoted string, the mark of a literal, an atom.
WORD = re.compile(rb"""\s* ( [()] | "(?:[^"\\]|\\.)*" | \{\d+\+?\} | [^\s(){}"]+ )""", re.VERBOSE)
ESCAPED = re.compile(rb"\\(.)")
# What RFC 3501 and its extensions tell of a mail; in an answer with mails nothing else is believed to be a name.
KNOWN = re.compile(
    rb"UID$|FLAGS$|MODSEQ$|INTERNALDATE$|SAVEDATE$|RFC822|BODY|BINARY|ENVELOPE$|EMAILID$|THREADID$|PREVIEW$|X-"
)
NUMBER = re.compile(rb"\d{1,12}")
ARRIVED = re.compile(
    rb"""
    (?P<day>[ \d]\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4})\    # 17-Jul-1996, the day padded with a blank
    (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\             # local time of the server
    (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)               # its offset from UTC
    """,
    re.VERBOSE | re.IGNORECASE,
)
MONTHS = {month: n for n, month in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


class Untrusted(Exception):
    """A FETCH response that is none: a literal was shorter or longer than announced."""


def fetched(data: Sequence[object]) -> Iterator[dict[bytes, bytes]]:
    """What imaplib's answer to FETCH holds of each mail, by upper-case names. Raises Untrusted.

    A response is (text before a literal, literal)... and the text after the last one.
    """
    text, literals = b"", list[bytes]()
    for item in data:
        head = item[0] if isinstance(item, tuple) else item
        if not isinstance(head, bytes):
            continue
        if text and head[:1] not in (b")", b" "):
            raise Untrusted
        text += head
        if isinstance(item, tuple):
            literals.append(item[1])
        else:
            yield attributes(text, literals)
            text, literals = b"", []


def attributes(text: bytes, literals: Sequence[bytes]) -> dict[bytes, bytes]:
    """`1 (UID 7 BODY[] {12})` as names and values, of lists only that they are there. Raises Untrusted.

    Nothing may stand before or behind the brackets: the rest of a mail would, whose literal was announced too short.
    """
    found: dict[bytes, bytes] = {}
    left = iter(literals)
    place, _, rest = text.rstrip().partition(b" ")
    name, depth, at = b"", 0, 0
    if not NUMBER.fullmatch(place):
        raise Untrusted
    while at < len(rest):
        word = WORD.match(rest, at)
        if word is None or (depth == 0 and at > 0):
            raise Untrusted
        at, value = word.end(), word[1]
        depth += (value == b"(") - (value == b")")
        if value.startswith(b"{"):
            literal = next(left, None)
            if literal is None or int(value.strip(b"{+}")) != len(literal):
                raise Untrusted
            value = literal
        elif value.startswith(b'"'):
            value = ESCAPED.sub(rb"\1", value[1:-1])
        elif depth == 1 and name:
            # Only NIL and numbers stand without quotes; neither is a mail.
            value = b"" if name == b"BODY[]" else value
        if depth == 1 and word[1] == b")":
            name = b""  # The end of a list, which was a value.
        elif depth == 1 and not name and word[1] != b"(":
            name = value.upper()
            if literals and not KNOWN.match(name):
                raise Untrusted
        elif depth == 1 and name:
            if name in found:
                raise Untrusted
            found[name], name = value, b""
    if depth != 0 or next(left, None) is not None:
        raise Untrusted
    return found


def number(told: bytes) -> int:
    """A number of octets; 0 for what is none."""
    return int(told) if NUMBER.fullmatch(told) else 0


def arrived(told: bytes) -> datetime | None:
    """INTERNALDATE in UTC; None for what is no date."""
    found = ARRIVED.fullmatch(told)
    if found is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    try:
        zone = timezone(offset if found["sign"] == b"+" else -offset)
        day = datetime(int(found["year"]), MONTHS[found["month"].title()], int(found["day"]), tzinfo=zone)
        hour, minute, second = (int(found[part]) for part in ("hour", "minute", "second"))
        return (day + timedelta(hours=hour, minutes=minute, seconds=second)).astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return None


def uid_set(uids: Sequence[str]) -> str:
    """The UIDs as an IMAP set, neighbours joined: `1:3,7`; never a range that holds a UID not asked for."""
    parts: list[list[int]] = []
    for uid in map(int, uids):
        if parts and uid == parts[-1][1] + 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in parts)


def uids_in(data: Sequence[object]) -> list[int]:
    """The UIDs that an answer to SEARCH names, ascending; numbers that are none are left out."""
    words = [word for line in data if isinstance(line, bytes) for word in line.split()]
    numbers = {int(word) for word in words if NUMBER.fullmatch(word)}
    return sorted(one for one in numbers if 0 < one < 1 << 32)
