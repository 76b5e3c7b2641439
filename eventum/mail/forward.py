"""Sending a received mail on: its bytes in, the same body under headers of ours out.

Text, pictures, attachments and signatures arrive as they were sent, because the body is not read, only joined to new
headers. Of the original's headers only those that describe the body are kept: its From, its DKIM-Signature, its
Received and its Sender would be lies on a mail of ours. Newlines stay as they are: whoever sends makes them CRLF.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from eventum.mail.compose import Draft, charset_for, header_lines, text_part
from eventum.mail.headers import Headers, parameters
from eventum.mail.parts import prepared

_LEAD: Final = "The mail is attached as it was received, because its headers do not say clearly what it contains.\n"

# Without one of these, or with two that differ, the body would be read as something else than it was.
_NEEDED: Final = ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition")
_WELCOME: Final = ("Content-ID", "Content-Description", "Content-Language", "Content-Location")

_CLEAN: Final = re.compile(r"[\t -~]{1,4000}")
# Folded is only before a parameter: some readers do not undo a fold inside a quoted boundary.
_BEFORE_PARAMETER: Final = re.compile(r'("(?:[^"\\]|\\.)*+")|;(?=[ \t]+[^ \t])')
_LINE: Final = 76
_LONGEST: Final = 990
_ENCODINGS: Final = {one: one for one in ("7bit", "8bit", "quoted-printable", "base64")} | {"binary": "8bit"}


def forward(raw: bytes, draft: Draft) -> bytes:
    """The mail `raw` under the headers of `draft`, its body untouched; raises Refused as `compose.header_lines` does.

    `raw` has no trace headers; the line ends of an old Mac become newlines. When its content headers contradict each
    other or cannot be sent, it is attached whole below `draft.text` or one sentence; else `draft.text` is not used.
    """
    raw, block = prepared(raw)
    body = raw[block.body :]
    content = _content_lines(block.headers, body)
    charset = charset_for(draft)
    head = header_lines(draft, charset)
    if content is None:
        return head + _attached(raw, text_part(draft.text or _LEAD, charset))
    return b"".join((head, b"MIME-Version: 1.0\r\n", content.encode("ascii"), b"\r\n", body))


def _content_lines(headers: Headers, body: bytes) -> str | None:
    """The lines about the body, ready to send; None when they would not say what the original said."""
    values: dict[str, str] = {}
    for name in _NEEDED:
        said = [text for text in headers.texts(name.lower()) if text]
        if len({" ".join(text.split()) for text in said}) > 1 or not all(map(_CLEAN.fullmatch, said)):
            return None
        values.update((name, text) for text in said[:1])
    for name in _WELCOME:
        said = [text for text in headers.texts(name.lower()) if _CLEAN.fullmatch(text)]
        values.update((name, text) for text in said[:1])
    if not _is_sound(values.get("Content-Type", ""), values.get("Content-Transfer-Encoding", "7bit")):
        return None
    lines = [_folded(name, value) for name, value in _completed(values, body).items()]
    return None if any(len(part) > _LONGEST for line in lines for part in line.split("\r\n")) else "".join(lines)


def _is_sound(content_type: str, encoding: str) -> bool:
    kind, found = parameters(content_type)
    return encoding.lower() in _ENCODINGS and (not kind.startswith("multipart/") or bool(found.get("boundary")))


def _completed(values: dict[str, str], body: bytes) -> dict[str, str]:
    """The headers with what an 8-bit body needs to pass a relay and to be read, where the original did not say it."""
    encoding = _ENCODINGS[values.get("Content-Transfer-Encoding", "7bit").lower()]
    if not body.isascii():
        encoding = "8bit" if encoding == "7bit" else encoding
        if "Content-Type" not in values:
            values = values | {"Content-Type": f"text/plain; charset={_charset(body)}"}
    return values | {"Content-Transfer-Encoding": encoding}


def _charset(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "unknown-8bit"  # RFC 1428 section 3
    return "utf-8"


def _folded(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    return line if len(line) <= _LINE else _BEFORE_PARAMETER.sub(lambda found: found[1] or ";\r\n", line)


def _attached(raw: bytes, lead: bytes) -> bytes:
    boundary = f"eventum-{hashlib.sha256(raw).hexdigest()[:40]}".encode("ascii")
    encoding = b"7bit" if raw.isascii() else b"8bit"
    return b"".join(
        (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="%b"\r\n' % boundary,
            b"Content-Transfer-Encoding: %b\r\n\r\n--%b\r\n" % (encoding, boundary),
            lead,
            b"\r\n--%b\r\nContent-Type: message/rfc822\r\n" % boundary,
            b'Content-Disposition: attachment; filename="original.eml"\r\n',
            b"Content-Transfer-Encoding: %b\r\n\r\n" % encoding,
            raw,
            b"\r\n--%b--\r\n" % boundary,
        )
    )
