"""Where a link really leads, and whether its words say something else: addresses and words in, a host or "" out.

An address is read as browsers read it (WHATWG URL), not as RFC 3986 would have it: they take a backslash for a slash,
and drop tabs and line ends inside. Nothing here decides whether a link may be followed.
"""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

_DROPPED: Final = re.compile("[\x00-\x20\x7f-\xa0\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_WEB: Final = re.compile(
    r"""https?: [/\\]{0,10}            # slashes are optional to browsers, and may be the other ones
        ([^/\\?\#]*)""",
    re.VERBOSE | re.IGNORECASE,
)
_SAYS: Final = re.compile(
    r"""(https?: [/\\]{1,10} | www\.)?         # words that begin so are meant as an address
        ((?: [^\s./\\:@?\#<>()"',;]{1,63} \. ){1,10}
         [^\W\d_][^\s./\\:@?\#<>()"',;]{1,62}) # a last label of two letters or more
        \.? (?: : \d{1,5})? (?: [/?\#\\] .*)?""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ADDRESS: Final = re.compile(r"[^\s@<>]{1,64}@([^\s@<>]{1,255})")
# Names that end like a host and are files.
_FILES: Final = frozenset(
    {*("bmp csv doc docx eml exe gif htm html ics jpeg jpg js json log md mp3 mp4 msg odt pdf png ppt pptx py rtf svg "
       "tif tiff txt vcf xls xlsx xml zip").split()}
)  # fmt: skip
_LONGEST_SAID: Final = 300
_MOST_WORDS: Final = 20
_FEW_WORDS: Final = 3
_LONGEST_HOST: Final = 255
_TAIL: Final = ".,;:!?)]}>'\"’”»"


def leads_to(address: str) -> str:
    """The host that an http or https address leads to, in ASCII and lower case; "" for any other address."""
    found = _WEB.match(_DROPPED.sub("", address[:4000]))
    if found is None:
        return ""
    host = found[1].rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return ascii_host(host.partition(":")[0])


def ascii_host(host: str) -> str:
    """A host as it is asked for in the DNS, `xn--` where it has other signs; lower case, without a dot at the end."""
    host = re.sub("[。．｡]", ".", host).rstrip(".").lower()[:_LONGEST_HOST]  # what IDNA takes for dots
    if host.isascii():
        return host
    return ".".join(_ascii_label(label) for label in host.split("."))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:  # What IDNA 2003 refuses; it is shown in a way that can be told from everything else.
        return "xn--" + label.encode("punycode").decode("ascii").lower()


def has_user(address: str) -> bool:
    """Whether something stands before an @ that looks like the host and is none."""
    found = _WEB.match(_DROPPED.sub("", address[:4000]))
    return found is not None and "@" in found[1]


def misleads(words: str, address: str) -> str:
    """Where a link leads, when its words are an address of somewhere else; "" when nobody is misled.

    A host and one above or below it are the same place: `www.shop.example` and `shop.example`.
    """
    target = leads_to(address)
    if not target:
        target = _mailbox_host(address)
    if not target:
        return ""
    if has_user(address):
        return target
    seen = unicodedata.normalize("NFKC", words[:_LONGEST_SAID])  # What looks like a dot is read as one.
    given = [_DROPPED.sub("", word) for word in seen.split()[:_MOST_WORDS]]
    if len(given) > _FEW_WORDS:  # Of a sentence only what can be nothing but an address.
        given = [word for word in given if word.lower().startswith(("http:", "https:", "www."))]
    said = [host for word in given if (host := _host_said(word))]
    return "" if all(_same_place(host, target) for host in said) else target


def _mailbox_host(address: str) -> str:
    kind, _, rest = address.strip().partition(":")
    return ascii_host(unquote(rest.partition("?")[0]).rpartition("@")[2]) if kind.lower() == "mailto" else ""


def _host_said(words: str) -> str:
    """The host that words name, "" when they are no address."""
    words = words.strip().lstrip("<([{'\"“„«").rstrip(_TAIL)
    # What stands before an @ in an address of the web is not where it leads.
    web = _WEB.match(words)
    if web is not None and "@" in web[1]:
        return leads_to(words)
    mailbox = _ADDRESS.fullmatch(words.removeprefix("mailto:")) if web is None else None
    if mailbox is not None:
        return ascii_host(mailbox[1])
    found = _SAYS.fullmatch(words)
    if found is None:
        return ""
    host = ascii_host(found[2])
    return host if found[1] or host.rpartition(".")[2] not in _FILES else ""


def _same_place(one: str, other: str) -> bool:
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
