"""Addresses of header fields: undecoded header text in, `Address` values out, and one address back into header text.

The splitter is our own, strict and linear.  It works on text whose encoded words are not decoded yet, and takes an
address only from where one may stand: never from a comment, a quoted name or an encoded word (CVE-2023-27043,
CVE-2019-16056).  Who has rights is not decided here; `clear_sender` says whether a From names one person at all.
"""

import re
from typing import Final

import msgspec

from eventum.mail.words import clean_line, decode_words, encode_words

MAX_ADDRESS: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_MAX_NAME: Final = 200
_MAX_TEXT: Final = 65_536
_SHORT: Final = 300

_ADDRESS: Final = re.compile(
    r"""(?!-) [A-Za-z0-9!\#$%&'*+/=?^_`{|}~.-]{1,128}   # atoms; dots anywhere, as Japanese carriers gave them out
        @
        (?: [A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])? (?: \. [A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])? )*
          | \[ [A-Za-z0-9.:]{2,60} \]                   # a domain literal
        )""",
    re.VERBOSE,
)
_SIMPLE: Final = re.compile(
    r"""(?: "? ([\w\ .'&/+-]*?) "? \s* < ([^\s<>"(),:;]+) >   # a plain name, perhaps quoted, and brackets
          | ([^\s<>"(),:;]+)                                  # nothing but an address
        )""",
    re.VERBOSE | re.ASCII,
)
_TOKEN: Final = re.compile(
    r"""=\? [^?\s=]{1,60} \? [bBqQ] \? [^?]* \?=   # an encoded word stays whole, whatever signs it holds
      | [^"(<>,:;=]+                             # what has no meaning of its own
      | .""",
    re.VERBOSE | re.DOTALL,
)
_LOOKS_LIKE_ADDRESS: Final = re.compile(
    r"""[^\s<>()\[\]",:;'@]{1,128}
        [@\uff20\ufe6b]              # the sign itself, its wide and its small form
        [^\s<>()\[\]",:;'@]{1,253}""",
    re.VERBOSE,
)
_QUOTED: Final = re.compile(r'((?:[^"\\]|\\.)*+)"', re.DOTALL)
_UNESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_NEEDS_QUOTES: Final = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]")


class Address(msgspec.Struct, frozen=True):
    """One mailbox of a header: a clean display name, and `local@domain` in lower case, "" when none is usable."""

    name: str
    address: str


def is_address(text: str) -> bool:
    """Whether `text` is a bare ASCII addr-spec that is safe in headers, envelopes and command lines (RFC 5321 4.1.2).

    Quoted local parts, blanks and a leading hyphen are refused; a domain needs no dot.
    """
    return len(text) <= MAX_ADDRESS and _ADDRESS.fullmatch(text) is not None and "=?" not in text


def normalise(text: str) -> str:
    """The form in which addresses are stored and compared: lower case, no blanks around it."""
    return text.strip().lower()


def parse_addresses(header_value: str, limit: int = 500) -> tuple[Address, ...]:
    """The mailboxes of an undecoded address field (RFC 5322 section 3.4, groups opened), at most `limit` of them.

    An entry without a usable address is kept with `address` "" when it has a name.
    """
    simple = _SIMPLE.fullmatch(header_value.strip()) if len(header_value) < _SHORT else None
    if simple is not None:
        text = simple[2] or simple[3]
        if is_address(text):
            return (Address(_bare(simple[1]) if simple[1] else "", text.lower()),)
    return _Splitter(header_value[:_MAX_TEXT], limit).run()


def clear_sender(addresses: tuple[Address, ...], fields: int) -> str:
    """The one address that `fields` From lines with these addresses name, or "" when a person could be misled.

    Clear is one field with one usable address; no other address, not even in a display name or in text beside it.
    """
    usable = {entry.address for entry in addresses if entry.address}
    if fields != 1 or len(usable) != 1 or sum(bool(entry.address) for entry in addresses) != 1:
        return ""
    (sender,) = usable
    for entry in addresses:
        for found in _LOOKS_LIKE_ADDRESS.findall(entry.name):
            if found.lower() != sender:
                return ""
        if not entry.address and ("@" in entry.name or "<" in entry.name):
            return ""
    return sender


def format_address(address: Address) -> str:
    """`Name <local@domain>` for a header, ASCII names quoted when they must be, others as encoded words (RFC 2047).

    An address that is not strict gives "": it must not reach a header.
    """
    if not is_address(address.address):
        return ""
    name = clean_line(address.name, _MAX_NAME)
    if not name:
        return address.address
    if not name.isascii() or "=?" in name:  # readers decode what looks like an encoded word inside quotes too
        return f"{encode_words(name)} <{address.address}>"
    if _NEEDS_QUOTES.search(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{address.address}>"


class _Splitter:
    """One pass over one field; every token is looked at once, save a bounded look for the end of a quote or bracket."""

    def __init__(self, text: str, limit: int) -> None:
        self.text = text
        self.limit = limit
        self.found: list[Address] = []
        self.stray_quotes = False
        self.begin()

    def begin(self) -> None:
        self.phrase: list[str] = []
        self.bare: list[str] = []  # what could be an address without brackets: no quotes, no comments
        self.at = False
        self.comment = ""
        self.angle: str | None = None
        self.quoted = False

    def run(self) -> tuple[Address, ...]:
        text, position = self.text, 0
        while position < len(text) and len(self.found) < self.limit:
            token = _TOKEN.match(text, position)
            if token is None:
                break
            char = token[0]
            position = token.end()
            if char == '"':
                position = self.quote(position)
            elif char == "(":
                position = self.parenthesis(position)
            elif char == "<":
                position = self.bracket(position)
            elif char in ",;":
                self.end()
            elif char == ":" and self.angle is None and not self.at:
                self.begin()  # the name of a group
            else:
                self.phrase.append(char)
                self.bare.append(char)
                self.at = self.at or ("@" in char and not char.startswith("=?"))
        self.end()
        return tuple(self.found[: self.limit])

    def quote(self, position: int) -> int:
        quoted = None if self.stray_quotes else _QUOTED.match(self.text, position)
        if quoted is None:
            # It has no end: a stray sign, and what follows is read as if it were not there; so are those after it,
            # which keeps the pass linear.
            self.stray_quotes = True
            return position
        self.phrase.append(_UNESCAPE.sub(r"\1", quoted[1]))
        self.quoted = True
        return quoted.end()

    def parenthesis(self, position: int) -> int:
        start, depth = position, 1
        while position < len(self.text):
            char = self.text[position]
            position += 2 if char == "\\" else 1
            depth += (char == "(") - (char == ")")
            if depth == 0:
                self.comment = self.comment or self.text[start : position - 1]
                return position
        self.comment = self.comment or self.text[start:]
        return len(self.text)

    def bracket(self, position: int) -> int:
        if self.angle is not None:
            self.end()  # a second address with no comma before it
        following = self.text.find("<", position)
        limit = following if following >= 0 else len(self.text)
        end = self.text.find(">", position, limit)
        self.angle = self.text[position : end if end >= 0 else limit]
        return end + 1 if end >= 0 else limit

    def end(self) -> None:
        name = "".join(self.phrase)
        if self.angle is not None:
            route = self.angle.strip()
            address = route.rpartition(":")[2] if route.startswith("@") else route  # RFC 5322 section 4.4
        else:
            address = "" if self.quoted else "".join(self.bare).strip()
            if is_address(address):
                name = ""
        usable = is_address(address)
        shown = _name(name) or _name(self.comment)
        if self.comment and "@" in self.comment and usable:
            shown = _name(f"{name} ({self.comment})")  # kept in sight, so that the sender is not called clear
        if not usable and self.angle is not None:
            shown = _name(f"{name} <{route}>") if route else shown
        if usable or shown:
            self.found.append(Address(shown, address.lower() if usable else ""))
        self.begin()


def _name(text: str) -> str:
    return _bare(clean_line(_BLANKS.sub(" ", decode_words(text)), _MAX_NAME)) if text else ""


def _bare(name: str) -> str:
    return _BLANKS.sub(" ", name).strip("'\" ")[:_MAX_NAME]
