"""What one leaf of a MIME tree says of itself, and its body decoded: Content-* fields in, type, names and bytes out."""

import binascii
import re
from typing import Final

import msgspec

from eventum.mail.formats.uuencode import uudecoded
from eventum.mail.headers import Headers, parameters, split_block
from eventum.mail.words import base64, clean_line, decode_words

MAX_NAME: Final = 200
_TOKEN: Final = r"[a-z0-9!#$&^_.+*-]{1,100}"
_TYPE: Final = re.compile(f"{_TOKEN}/{_TOKEN}")
_EXTENSIONS: Final = {
    "application/ics": ".ics",
    "application/json": ".json",
    "application/ms-tnef": ".dat",
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/pgp-keys": ".asc",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/rtf": ".rtf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/x-pkcs7-mime": ".p7m",
    "application/x-pkcs7-signature": ".p7s",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/feedback-report": ".txt",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/rfc822-headers": ".txt",
    "text/rtf": ".rtf",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}
_TYPES: Final = {extension: type_ for type_, extension in reversed(_EXTENSIONS.items())} | {
    ".txt": "text/plain",
    ".ics": "text/calendar",
    ".jpeg": "image/jpeg",
    ".p7m": "application/octet-stream",
    ".dat": "application/octet-stream",
}
_MAILS: Final = frozenset({"message/rfc822", "message/global", "message/news", "message/x-rfc822", "application/eml"})
_CARRIERS: Final = frozenset({"application/octet-stream", "application/x-unknown", "text/plain", "text/html"})
_MAIL_BEGINS: Final = re.compile(
    rb"""(?: >?From\ [^\n]*\n )?              # an mbox line
         (?: [!-9;-~]{1,60}: [^\n]*\n (?:[ \t][^\n]*\n){0,50} ){0,80}?   # fields
         (?: from|date|subject|received|message-id|return-path|to ): """,
    re.VERBOSE | re.IGNORECASE,
)
_LOOKED_AT: Final = 20_000  # bytes of an attached mail
_HEAD: Final = 2_000_000  # bytes of it in which its subject is looked for
_HAS_EXTENSION: Final = re.compile(r"[^.]\.[A-Za-z0-9]{1,5}\Z")


class Leaf(msgspec.Struct, frozen=True):
    """One leaf of the tree: its path ("2.1"), its own fields, its type, and its body as it was sent."""

    path: str
    headers: Headers
    type: str
    parameters: dict[str, str]
    body: bytes


class Content(msgspec.Struct, frozen=True):
    """A Content-Type that was read: `type` is always type/subtype, lower case."""

    type: str
    parameters: dict[str, str]

    @property
    def boundary(self) -> str:
        """The boundary of a multipart, "" when there is none that can be used."""
        boundary = self.parameters.get("boundary", "").rstrip()
        return boundary if len(boundary) <= 250 and boundary.isascii() and boundary.isprintable() else ""


def content_of(headers: Headers, default: str = "text/plain") -> Content:
    """The first Content-Type of these fields; what is none is text/plain (RFC 2045 section 5.2)."""
    value = headers.first("content-type")
    if value is None:
        return Content(default, {})
    type_, found = parameters(value.replace("\r", " "))
    if _TYPE.fullmatch(type_) is None:
        type_ = "multipart/mixed" if "boundary" in found and type_.startswith("multipart") else "text/plain"
    return Content(type_, found)


def charset_of(leaf: Leaf) -> str | None:
    """The charset the leaf declares."""
    return leaf.parameters.get("charset")


def encoding_of(headers: Headers) -> str:
    """The Content-Transfer-Encoding in lower case, without comments."""
    return (headers.first("content-transfer-encoding") or "").split("(")[0].split(";")[0].strip().strip("\"'").lower()


def decoded(leaf: Leaf) -> bytes:
    """The bytes of the leaf behind its transfer encoding, as far as they can be read (RFC 2045 section 6)."""
    encoding = encoding_of(leaf.headers)
    if encoding == "base64":
        return base64(leaf.body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(leaf.body)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uudecoded(leaf.body)
    return leaf.body


def disposition_of(headers: Headers) -> tuple[str, dict[str, str]]:
    """The Content-Disposition and its parameters (RFC 2183)."""
    value = headers.first("content-disposition")
    return parameters(value) if value is not None else ("", {})


def file_name(leaf: Leaf) -> str:
    """The name the sender gave the leaf, as a label and never a path: its last part, one clean line; "" without one."""
    return clean_name(_given_name(leaf))


def has_long_name(leaf: Leaf) -> bool:
    """Whether the name of the leaf was cut."""
    return len(_given_name(leaf)) > MAX_NAME


def _given_name(leaf: Leaf) -> str:
    if "content-disposition" in leaf.headers:
        name = disposition_of(leaf.headers)[1].get("filename")
        # Some gateways write a question mark for each sign their charset has not, and leave the other name whole.
        other = leaf.parameters.get("name") or "?"
        if name:
            return other if "??" in name and "?" not in other else name
    return leaf.parameters.get("name") or ""


def clean_name(name: str) -> str:
    """`name` without folders, controls and line ends, at most 200 characters of it, its extension kept."""
    name = decode_words(name)
    if len(name) > 2 * MAX_NAME:
        name = name[:MAX_NAME] + name[-MAX_NAME:]
    name = clean_line(name, 2 * MAX_NAME)
    name = name.replace("\\", "/").rstrip("/ .").rpartition("/")[2].strip(" ")
    if len(name) > MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        name = stem[: MAX_NAME - 12] + dot + extension[:11] if dot else name[:MAX_NAME]
    return name


def default_name(leaf: Leaf) -> str:
    """What a leaf without a name is called: as its Content-Location or its description, if that is a file's name."""
    for text in (leaf.headers.first("content-location"), leaf.headers.first("content-description")):
        if not text:
            continue
        name = clean_name(text.partition("?")[0])
        if _HAS_EXTENSION.search(name) and "@" not in name and not ("//" in text and text.count("/") < 3):
            return name
    return f"part-{leaf.path.replace('/', '-')}{_EXTENSIONS.get(leaf.type, '.bin')}"


def type_of(name: str) -> str:
    """The type of a file that says none, by its name."""
    return _TYPES.get(f".{name.lower().rpartition('.')[2]}", "application/octet-stream")


def is_mail(leaf: Leaf, data: bytes) -> bool:
    """Whether the leaf is a mail that can be opened, also one that was attached as any file with the name *.eml."""
    if leaf.type in _MAILS:
        return True
    if leaf.type not in _CARRIERS and not leaf.type.startswith("message/"):
        return False
    return file_name(leaf).lower().endswith(".eml") and _MAIL_BEGINS.match(data[:_LOOKED_AT]) is not None


def subject_name(data: bytes) -> str:
    """A file's name made of the subject of an attached mail, "" when it has none."""
    subject = split_block(data[:_HEAD]).headers.first("subject")
    words = decode_words(subject or "").replace("/", " ").replace("\\", " ").split()
    name = clean_name(" ".join(words))
    return f"{name}.eml" if name else ""


def content_id(headers: Headers) -> str:
    """The Content-ID without its angle brackets, "" when there is none (RFC 2392)."""
    return clean_line(headers.first("content-id") or "", MAX_NAME).strip("<> ")
