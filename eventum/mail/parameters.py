"""The parameters of Content-Type and its like: the text of the field in, its first word and values by name out.

Names of files come in every way that clients have thought of, most of which no standard allows; each that has one
meaning is read. Nothing here says what a parameter is good for.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from eventum.mail.charsets.charset import decode
from eventum.mail.words import decode_words

MAX_FIELD_BYTES: Final = 100_000
_MAX_PARAMETERS: Final = 200

_PARAMETER: Final = re.compile(
    r"""; \s* ([^=;\s"]{1,100}) \s* = \s*
        (?: "( (?: [^"\\] | \\. )*+ )"   # quoted
            ([^;]*)                        # and what a client that does not quote quotes writes behind
          | ([^;]*)                      # a token, or a raw name with blanks
        )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PAIR: Final = re.compile(r'\\(["\\])')
_COMMENT: Final = re.compile(r"; \s* \( [^()]* \)", re.VERBOSE)
_TOKEN_END: Final = re.compile(r"[\s(,]")
_NAMES: Final = ("name", "filename")
_SAID_AS_RFC_2231: Final = re.compile(r"([A-Za-z][\w.:-]{1,40})'[\w-]{0,20}'(?=.*%[0-9A-Fa-f]{2})", re.DOTALL)
_PERCENT: Final = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
_ENTITY: Final = re.compile(r"&\#(\d{3,7});")
_CONTINUATION: Final = re.compile(r"(.+?)\*(\d{1,3})?(\*)?\Z")


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=x` as its lower-case first word and its parameters by lower-case name (RFC 2045, 2231).

    Values are decoded, also where a client used an encoded word (RFC 2047) for them, but not clean.
    """
    main, semicolon, rest = value.partition(";")
    words = main.split(None, 1)
    if len(words) > 1:  # a comment, or a parameter whose semicolon is missing
        main = words[0]
        if "=" in words[1] and not words[1].startswith("("):
            semicolon, rest = ";", f"{words[1]};{rest}"
    main = main.strip().lower()
    if not semicolon:
        return main, {}
    text = ";" + rest[:MAX_FIELD_BYTES]
    if "(" in text:
        text = _COMMENT.sub(";", text)
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for number, match in enumerate(_PARAMETER.finditer(text)):
        if number >= _MAX_PARAMETERS:
            break
        name = match[1].lower()
        parts = _CONTINUATION.match(name) if "*" in name else None
        said = _said(parts[1] if parts else name, match)
        if parts is None:
            plain.setdefault(name, said)
        else:
            encoded = parts[3] is not None or not parts[2]
            pieces.setdefault(parts[1], {}).setdefault(int(parts[2] or 0), (encoded, said))
    found = {name: decode_words(_as_name(said) if name in _NAMES else said) for name, said in plain.items()}
    for name, numbered in pieces.items():
        joined = _joined([numbered[number] for number in sorted(numbered)])
        # Some gateways write a question mark for each sign their charset does not have, beside the name as it is.
        if not ("?" in joined and "?" not in found.get(name, "?") and len(joined) <= len(found[name])):
            found[name] = joined
    return main, found


def _said(name: str, match: re.Match[str]) -> str:
    """The value of a parameter as it was written, without what stands around it."""
    if match[2] is None:
        said = match[4].strip()
        if said.isalnum():
            return said
        if name == "boundary":
            return said
        if name not in _NAMES:
            said = said.strip("\"'")
            end = _TOKEN_END.search(said)
            return said[: end.start()] if end is not None else said
        return said[1:-1] if said[:1] == said[-1:] == "'" and len(said) > 2 else said.strip('"')
    quoted = _QUOTED_PAIR.sub(r"\1", match[2]) if "\\" in match[2] else match[2]
    behind = match[3].strip() if name in _NAMES else ""
    if not behind or behind.startswith("(") or "=" in behind:
        return quoted
    return quoted + match[3].rstrip().replace('"', "")


def _as_name(said: str) -> str:
    """A file name that was said in a way for some other place: RFC 2231 without its star, a URL's, HTML's."""
    rfc_2231 = _SAID_AS_RFC_2231.match(said) if "'" in said and "%" in said else None
    if rfc_2231 is not None:
        return decode(unquote_to_bytes(said[rfc_2231.end() :]), rfc_2231[1], guess=False)
    if _PERCENT.search(said):
        data = unquote_to_bytes(said)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return said
    return _ENTITY.sub(_entity, said) if "&#" in said else said


def _entity(found: re.Match[str]) -> str:
    number = int(found[1])
    return chr(number) if 160 <= number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]


def _joined(pieces: list[tuple[bool, str]]) -> str:
    # RFC 2231 section 3 and 4: numbered pieces, of which those with a star are percent-encoded; the first one
    # begins with charset'language'. A sign can be cut in two anywhere, so neighbours are joined first.
    charset = ""
    data = b""
    run = ""
    for position, (encoded, text) in enumerate(pieces):
        if encoded and position == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        if encoded:
            run += text
        else:
            data += unquote_to_bytes(run) + text.encode("utf-8", "replace")
            run = ""
    return decode_words(decode(data + unquote_to_bytes(run), charset, guess=False))
