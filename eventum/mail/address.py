"""Addresses of header fields: undecoded header text in, `Address` values out, and one address back into header text.

The splitter is our own, strict and linear.  It works on text whose encoded words are not decoded yet, and takes an
address only from where one may stand: never from a comment, a quoted name or an encoded word (CVE-2023-27043,
CVE-2019-16056).  Who has rights is not decided here; `clear_sender` says whether a From names one person at all.
"""

import re
from typing import Final

from eventum.mail.mailbox import MAX_ADDRESS, MAX_NAME, Address, format_address, is_address, normalise, usable
from eventum.mail.words import clean_line, decode_words

MAX_TEXT: Final = 65_536
_SHORT: Final = 300

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


__all__ = [
    "MAX_ADDRESS",
    "MAX_TEXT",
    "Address",
    "clear_sender",
    "format_address",
    "is_address",
    "normalise",
    "parse_addresses",
]


def parse_addresses(header_value: str, limit: int = 500) -> tuple[Address, ...]:
    """The mailboxes of an undecoded address field (RFC 5322 section 3.4, groups opened), at most `limit` of them.

    An entry without a usable address is kept with `address` "" when it has a name.
    """
    simple = _SIMPLE.fullmatch(header_value.strip()) if len(header_value) < _SHORT else None
    if simple is not None:
        text = simple[2] or simple[3]
        if is_address(text):
            return (Address(_bare(simple[1]) if simple[1] else "", text.lower()),)
    return _Splitter(header_value[:MAX_TEXT], limit).run()


def one_person(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """The mailboxes of a From, in which a comma between last and first name was not quoted, as Outlook leaves it."""
    if len(addresses) != 2:
        return addresses
    last, first = addresses
    if last.address or not (first.address and first.name) or "@" in last.name or "<" in last.name:
        return addresses
    return (Address(f"{last.name}, {first.name}"[:MAX_NAME], first.address),)


def clear_sender(addresses: tuple[Address, ...], fields: int) -> str:
    """The one address that `fields` From lines with these addresses name, or "" when a person could be misled.

    Clear is one field with one usable address; no other address, not even in a display name or in text beside it.
    """
    found = [entry.address for entry in addresses if entry.address]
    if fields != 1 or len(found) != 1:
        return ""
    (sender,) = found
    for entry in addresses:
        for other in _LOOKS_LIKE_ADDRESS.findall(entry.name):
            if other.lower() != sender:
                return ""
        if not entry.address and ("@" in entry.name or "<" in entry.name):
            return ""
    return sender


class _Splitter:
    """One pass over one field; every token is looked at once, save a bounded look for the end of a quote or bracket."""

    def __init__(self, text: str, limit: int) -> None:
        self.text = text
        self.limit = limit
        self.found: list[Address] = []
        self.stray_quotes = False
        self.start = self.position = 0  # of the entry that is read, and of the token
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
            self.position = token.start()
            position = token.end()
            if char == '"':
                position = self.quote(position)
            elif char == "(":
                position = self.parenthesis(position)
            elif char == "<":
                position = self.bracket(position)
            elif char in ",;":
                self.end()
                self.start = position
            elif char == ":" and self.angle is None and not self.at:
                self.begin()  # the name of a group
                self.start = position
            else:
                self.phrase.append(char)
                self.bare.append(char)
                self.at = self.at or ("@" in char and not char.startswith("=?"))
        self.position = len(text)
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
        inside = self.text[position : end if end >= 0 else limit]
        if end < 0 and following >= 0 and "@" not in inside:
            self.phrase.append(inside)  # a bracket that opens before the name: <Name <a@b>>
            return limit
        self.angle = inside
        end = end + 1 if end >= 0 else limit
        while self.text.startswith(">", end):
            end += 1
        return end

    def end(self) -> None:
        name = "".join(self.phrase)
        address = route = ""
        if self.angle is not None:
            route = self.angle.strip()
            address = usable(route.rpartition(":")[2] if route.startswith("@") else route)  # RFC 5322 section 4.4
        elif not self.quoted:
            address, name = self.without_brackets(name)
        elif "@" in name:
            address, name = self.behind_quotes(name)
        shown = _name(name) or _name(self.comment)
        if self.comment and "@" in self.comment and address:
            shown = _name(f"{name} ({self.comment})")  # kept in sight, so that the sender is not called clear
        if not address and self.angle is not None:
            shown = _name(f"{name} <{route}>") if route else shown
        if address or (shown and (name.strip() or route)):  # a comment alone, as behind an empty group, is nobody
            self.found.append(Address(shown, address))
        self.begin()

    def without_brackets(self, name: str) -> tuple[str, str]:
        """What an entry without brackets is: an address, several with blanks between, or a name and one behind it."""
        bare = "".join(self.bare).strip()
        address = usable(bare)
        if address:
            return address, ""
        words = bare.split()
        addresses = [usable(word) for word in words] if 1 < len(words) <= 50 else []
        if addresses and all(addresses):
            self.found += [Address("", one) for one in addresses[:-1]]
            return addresses[-1], ""
        if addresses and addresses[-1] and bare.count("@") == 1 and bare.isascii() and "=?" not in bare:
            return addresses[-1], " ".join(words[:-1])
        return "", name

    def behind_quotes(self, name: str) -> tuple[str, str]:
        """What an entry without brackets but with quotes is: a quoted local part, or a quoted name and an address."""
        whole = self.text[self.start : self.position].strip().rstrip(",;").strip()
        address = usable(whole) if whole.startswith('"') else ""
        if address:
            return address, ""
        bare = "".join(self.bare).strip()
        behind = whole.endswith(bare) and not bare.startswith("@") and usable(bare)
        return (behind, name.rstrip().removesuffix(bare)) if behind else ("", name)


def _name(text: str) -> str:
    return _bare(clean_line(_BLANKS.sub(" ", decode_words(text)), MAX_NAME)) if text else ""


def _bare(name: str) -> str:
    return _BLANKS.sub(" ", name).strip("'\" ")[:MAX_NAME]
