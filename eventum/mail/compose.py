"""Building a mail of ours: a draft of plain strings in, the bytes to send out.

Every string may hold anything: what would break out of its header, or is invisible there, is taken out first. The
standard library's builders are not used: they turn long ids into encoded words, which ends threads in Outlook, and
cost ten times as much. Nothing here invents a date or an id, and nothing is sent.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from eventum.errors import Refused
from eventum.mail.address import Address, format_address, is_address
from eventum.mail.automatic import Origin, marks
from eventum.mail.charsets import jis
from eventum.mail.enclosure import Enclosure, safe_name, with_files
from eventum.mail.threading import is_whole_id
from eventum.mail.words import clean_line, encode_words


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as values. `automatic` says who wrote it, in the words of `automatic.marks`; "no" is a person.

    `text` may have any newlines; `files` go with it. `extra` are further headers, each name once, none that this struct
    has a field for. `charset` is a wish: "iso-2022-jp" is used when the whole mail fits into it, else UTF-8.
    """

    from_: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    subject: str
    text: str = ""
    message_id: str
    date: datetime
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    automatic: Origin = "no"
    extra: tuple[tuple[str, str], ...] = ()
    files: tuple[Enclosure, ...] = ()
    charset: str = "utf-8"


CHARSETS: Final = ("utf-8", jis.CHARSET)
"""What a draft may wish to be written in."""

_LINE: Final = 76  # RFC 2047 section 2: a line with an encoded word is no longer, and the others need not be
_WORD: Final = 75
_LONGEST: Final = 900  # RFC 5322 2.1.1 says 998; what relays put before a line should still fit
_LONGEST_VALUE: Final = 4000
_LONGEST_NAME: Final = 200
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_NAME: Final = re.compile(r"[!-9;-~]{1,36}")  # RFC 5322 section 2.2; half a line is left for the first word
_UNSEEN_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

_OURS_ALONE: Final = frozenset(
    ("date", "from", "to", "cc", "bcc", "subject", "message-id", "in-reply-to", "references")
    + ("mime-version", "received", "return-path")
    + tuple(name.lower() for name, _ in marks("auto-generated"))
)


def compose(draft: Draft) -> bytes:
    """The whole mail, CRLF throughout, as text/plain and in 7 bits; raises Refused without a usable sender.

    With files it is a multipart, the text first. No header line is longer than 998 octets, and no id is folded.
    """
    charset = charset_for(draft)
    body = text_part(draft.text, charset)
    whole = with_files(body, draft.files, charset) if draft.files else body
    return b"".join((header_lines(draft, charset), b"MIME-Version: 1.0\r\n", whole))


def charset_for(draft: Draft) -> str:
    """The charset all of `draft` is written in: the one it wishes, when its text, names and headers fit; else UTF-8."""
    if draft.charset != jis.CHARSET:
        return "utf-8"
    names = [one.name for one in (draft.from_, *draft.to, *draft.cc)] + [safe_name(one.name) for one in draft.files]
    lines = [draft.subject, *names, *[value for _, value in draft.extra]]
    whole = all(jis.fits(_one_line(line)) for line in lines) and jis.fits(_shown(draft.text))
    return jis.CHARSET if whole else "utf-8"


def header_lines(draft: Draft, charset: str = "utf-8") -> bytes:
    """The headers of `draft` but those that describe the body, each ended by CRLF; raises Refused as `compose` does.

    `charset` is what `charset_for` said of it.
    """
    if not is_address(draft.from_.address):
        sender = _one_line(draft.from_.address)
        raise Refused(
            'No mail can be sent from "{sender}": set smtp.from or the project\'s sender e-mail to an address.',
            sender=sender,
        )
    lines = (
        f"Date: {_date(draft.date)}",
        _addresses("From", (draft.from_,), charset),
        _addresses("To", draft.to, charset) or "To: undisclosed-recipients:;",
        _addresses("Cc", draft.cc, charset),
        _unstructured("Subject", draft.subject, charset),
        _ids("Message-ID", (draft.message_id,)),
        _ids("In-Reply-To", (draft.in_reply_to,)),
        _ids("References", draft.references),
        *[f"{name}: {value}" for name, value in marks(draft.automatic)],
        *_extra(draft.extra, charset),
    )
    return "".join([f"{line}\r\n" for line in lines if line]).encode("utf-8")


def text_part(text: str, charset: str) -> bytes:
    """A body part with its content headers: the text as it stands where 7 bits can hold it, else what is shorter.

    Text in ISO-2022-JP has to fit, as `charset_for` says; plain ASCII is UTF-8 either way.
    """
    text = _shown(text)
    label = "utf-8"
    if charset == jis.CHARSET and not text.isascii():
        label, encoding, body = "ISO-2022-JP", "7bit", (jis.encoded(text) or b"").replace(b"\n", b"\r\n")
    else:
        encoding, body = _encoded(text)
    head = f"Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body


def _unstructured(name: str, text: str, charset: str) -> str:
    """The header `name` with any text as its value, folded, without the last CRLF.

    Words that are not ASCII become encoded words of at most 75 letters that split no character (RFC 2047); so does
    what looks like one already, and what is too long for a line.
    """
    words = _one_line(text).split(" ")
    odd = [place for place, word in enumerate(words) if not word.isascii() or "=?" in word or len(word) > _LONGEST]
    if odd:
        # Blanks between encoded words vanish when they are read, those beside plain words stay: so all from the first
        # odd word to the last goes into one run, and words at either side can stay readable.
        first, last = odd[0], odd[-1] + 1
        before = _folded(name, words[:first])
        room = _LINE - 1 - len(before) + (before.rfind("\n") + 1)
        words[first:last] = _encoded_words(" ".join(words[first:last]), room if room > _WORD // 2 else _WORD, charset)
    return _folded(name, words)


def _one_line(text: str) -> str:
    # Runs of blanks become one, so that a line can be folded at any blank and none is left that looks empty.
    return " ".join([word for word in clean_line(text, _LONGEST_VALUE).split(" ") if word])


def _folded(name: str, words: list[str]) -> str:
    """`name: words`, a new line begun before each word that would reach over column 76."""
    whole = f"{name}: {' '.join(words)}"
    if len(whole) <= _LINE:
        return whole
    lines, line = [], f"{name}: {words[0]}"
    for word in words[1:]:
        if len(line) + 1 + len(word) > _LINE:
            lines.append(line)
            line = f" {word}"
        else:
            line = f"{line} {word}"
    return "\r\n".join([*lines, line])


def _encoded_words(text: str, room: int, charset: str) -> list[str]:
    """`text` as encoded words, the first of at most `room` letters."""
    if charset == jis.CHARSET:
        return jis.encode_words(text, room, _WORD)
    first = text.encode("utf-8")[: (room - len("=?utf-8?b??=")) // 4 * 3].decode("utf-8", "ignore")
    return [*encode_words(first).split(), *encode_words(text[len(first) :]).split()]


def _addresses(name: str, addresses: tuple[Address, ...], charset: str) -> str:
    usable = [" ".join(_mailbox(one, charset)) for one in addresses if is_address(one.address)]
    return _folded(name, ", ".join(usable).split(" ")) if usable else ""


def _mailbox(address: Address, charset: str) -> list[str]:
    words = _one_line(format_address(address)).split(" ")
    if words[0].startswith("=?"):  # cut anew, so that the first fits beside the header's name
        return [*_encoded_words(clean_line(address.name, _LONGEST_NAME), _LINE - len("From: "), charset), words[-1]]
    return words


def _ids(name: str, ids: tuple[str, ...]) -> str:
    """One id a line (an id that is folded or encoded is an id that no client finds); what is no id is left out."""
    whole = [one for one in ids if is_whole_id(one)]
    return f"{name}: " + "\r\n ".join(whole) if whole else ""


def _extra(headers: tuple[tuple[str, str], ...], charset: str) -> list[str]:
    chosen: dict[str, str] = {}
    for name, value in headers:
        known = name.lower()
        if _NAME.fullmatch(name) and known not in _OURS_ALONE and not known.startswith("content-"):
            chosen.setdefault(known, _unstructured(name, value, charset))
    return list(chosen.values())


def _date(time: datetime) -> str:
    # Not strftime, whose names of days and months follow the locale.
    utc = time.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc:%H:%M:%S} +0000"


def _shown(text: str) -> str:
    """The text as it is sent: its lines ended by newlines, the last one too, and no control that nobody sees."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _UNSEEN_IN_TEXT.sub("", text)
    return text if text.endswith("\n") else text + "\n"


def _encoded(text: str) -> tuple[str, bytes]:
    if text.isascii() and max(map(len, text.split("\n"))) <= _LONGEST:
        return "7bit", text.replace("\n", "\r\n").encode("ascii")
    data = _SURROGATE.sub("\ufffd", text).encode("utf-8")
    quoted = binascii.b2a_qp(data, istext=True).replace(b"\n", b"\r\n")
    packed = binascii.b2a_base64(data.replace(b"\n", b"\r\n"), newline=False)
    if len(quoted) <= len(packed) * 78 // _LINE:
        return "quoted-printable", quoted
    return "base64", b"".join([packed[at : at + _LINE] + b"\r\n" for at in range(0, len(packed), _LINE)])
