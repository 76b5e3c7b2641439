"""What one leaf of a MIME tree says of itself, and its body decoded: Content-* fields in, type, names and bytes out."""

import binascii
import re
from typing import Final

import msgspec

from eventum.mail.headers import Headers, parameters
from eventum.mail.words import base64, clean_line, decode_words

MAX_NAME: Final = 200
_TOKEN: Final = r"[a-z0-9!#$&^_.+*-]{1,100}"
_TYPE: Final = re.compile(f"{_TOKEN}/{_TOKEN}")
_MAX_UU_LINES: Final = 400_000  # 18 MB of data
_UU_BEGIN: Final = re.compile(rb"^begin [0-7]{3,4} ", re.MULTILINE)
_EXTENSIONS: Final = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/rfc822-headers": ".txt",
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/zip": ".zip",
    "application/ms-tnef": ".dat",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
}


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
        return _uudecode(leaf.body)
    return leaf.body


def disposition_of(headers: Headers) -> tuple[str, dict[str, str]]:
    """The Content-Disposition and its parameters (RFC 2183)."""
    value = headers.first("content-disposition")
    return parameters(value) if value is not None else ("", {})


def file_name(leaf: Leaf) -> str:
    """The name the sender gave the leaf, as a label and never a path: its last part, one clean line; "" without one."""
    _, found = disposition_of(leaf.headers)
    name = found.get("filename") or leaf.parameters.get("name") or ""
    return clean_name(name)


def clean_name(name: str) -> str:
    """`name` without folders, controls and line ends, at most 200 characters of it, its extension kept."""
    name = clean_line(decode_words(name), 4 * MAX_NAME)
    name = name.replace("\\", "/").rstrip("/ .").rpartition("/")[2].strip(" ")
    if len(name) > MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        name = stem[: MAX_NAME - 12] + dot + extension[:11] if dot else name[:MAX_NAME]
    return name


def default_name(path: str, type_: str) -> str:
    """What a leaf without a name is called."""
    return f"part-{path}{_EXTENSIONS.get(type_, '.bin')}"


def content_id(headers: Headers) -> str:
    """The Content-ID without its angle brackets, "" when there is none (RFC 2392)."""
    return clean_line(headers.first("content-id") or "", MAX_NAME).strip("<> ")


def _uudecode(body: bytes) -> bytes:
    if body.count(b"\n") > _MAX_UU_LINES:
        return body
    begin = _UU_BEGIN.search(body)
    lines = body[begin.start() if begin else 0 :].splitlines()
    out: list[bytes] = []
    for line in lines[1 if begin else 0 :]:
        if line.strip() == b"end":
            break
        out.append(_uu_line(line))
    return b"".join(out)


def _uu_line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some programs fill the line up behind what its first sign counts.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
