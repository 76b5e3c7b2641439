"""One mailbox: what an address is, what odd ways to write one mean, and how one is written into a header.

Text in, `local@domain` in lower case or "" out, and back. Lists of mailboxes, with names and comments, are read in
`address`.
"""

import re
from typing import Final

import msgspec

from eventum.mail.words import clean_line, encode_words

MAX_ADDRESS: Final = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
MAX_NAME: Final = 200
_SHORT: Final = 300

_ADDRESS: Final = re.compile(
    r"""(?!-) [A-Za-z0-9!\#$%&'*+/=?^_`{|}~.-]{1,128}   # atoms; dots anywhere, as Japanese carriers gave them out
        @
        (?: [A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])? (?: \. [A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])? )*
          | \[ [A-Za-z0-9.:]{2,60} \]                   # a domain literal
        )""",
    re.VERBOSE,
)
_AROUND_SIGN: Final = re.compile(r"\s+(?=[@.])|(?<=[@.])\s+")
_QUOTED_LOCAL: Final = re.compile(r'"([A-Za-z0-9!#$%&\'*+/=?^_`{|}~.-]{1,64})"\s{0,9}(@\S{1,255})')
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


def usable(text: str) -> str:
    """The bare lower-case address that `text` means, "" when it means none that can be used.

    Blanks around its signs and a dot at its end are taken out (RFC 5322 section 4.4), and `mailto:` in front; a quoted
    local part that needs no quotes loses them; a domain in another script is said in ASCII (RFC 5891).
    """
    text = text.strip()
    if is_address(text):
        return text.lower()
    if len(text) > _SHORT or "@" not in text:
        return ""
    text = _AROUND_SIGN.sub("", text)
    text = text[7:] if text[:7].lower() == "mailto:" else text
    quoted = _QUOTED_LOCAL.fullmatch(text)  # as Japanese carriers' addresses with two dots have to be written
    if quoted is not None:
        text = quoted[1] + quoted[2]
    local, _, domain = text.rpartition("@")
    text = f"{local}@{_in_ascii(domain.removesuffix('.'))}"
    return text.lower() if is_address(text) else ""


def _in_ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    labels = domain.replace("\u3002", ".").split(".")
    try:
        said = [label if label.isascii() else label.encode("idna").decode("ascii") for label in labels]
    except UnicodeError:
        return ""
    # Wide letters would become plain ones: a name that only looks like another is not that name.
    return ".".join(said) if all(a == b or a.startswith("xn--") for a, b in zip(said, labels, strict=True)) else ""


def normalise(text: str) -> str:
    """The form in which addresses are stored and compared: lower case, no blanks around it."""
    return text.strip().lower()


def format_address(address: Address) -> str:
    """`Name <local@domain>` for a header, ASCII names quoted when they must be, others as encoded words (RFC 2047).

    An address that is not strict gives "": it must not reach a header.
    """
    if not is_address(address.address):
        return ""
    name = clean_line(address.name, MAX_NAME)
    if not name:
        return address.address
    if not name.isascii() or "=?" in name:  # readers decode what looks like an encoded word inside quotes too
        return f"{encode_words(name)} <{address.address}>"
    if _NEEDS_QUOTES.search(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{address.address}>"
