"""Threads: the Message-IDs we write, how we know them again, and which ids of a mail say what it answers.

In flow ids as text, out flow ids as text. An id of ours names issue, event and recipient under a short HMAC, so that
an answer to anything we ever sent is recognised from itself, with no index. Nothing here looks anything up: whether
the issue still exists, and what an id without our mark belongs to, others answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:  # the parser's neighbours import this module
    from eventum.mail.message import Message

THE_MESSAGE: Final = "0"
"""The tag of an id that belongs to the stored message itself and to no single recipient."""

MAX_CANDIDATES: Final = 100
MAX_REFERENCES: Final = 900  # octets with name and folds: some servers cut or refuse a header of 998 (RFC 5322 2.1.1)

_TAG_LETTERS: Final = 10  # 50 bits: two recipients of one event do not meet
_MAC_LETTERS: Final = 16  # 80 bits

# Lower case and base32 throughout, because list servers and old gateways fold the case of ids.
_OURS: Final = re.compile(
    r"""
    <? eventum
    \. (0|[1-9][0-9]{0,11})      # issue
    \. (0|[1-9][0-9]{0,11})      # event
    \. ([a-z0-9]{1,16})          # tag of the recipient
    \. ([a-z2-7]{16})            # HMAC
    @ [^<>@]{1,255} >?
    """,
    re.VERBOSE,
)
_TAG: Final = re.compile(r"[a-z0-9]{1,16}")
_BLANKS: Final = re.compile(r"\s+")
# What can stand on a line by itself and be sent without SMTPUTF8: longer ids than this have only been seen in attacks.
_WHOLE_ID: Final = re.compile(r"<[!-;=?-~]{1,600}>")
_NOT_IN_HOST: Final = re.compile(r"[^a-z0-9.-]")


class OurId(msgspec.Struct, frozen=True):
    """What a Message-ID of ours says: the issue, the event told (0 for none), and the tag of whom it was told to."""

    issue: int
    event: int
    recipient: str = THE_MESSAGE


def recipient_tag(address: str) -> str:
    """The short stable name of an address in our ids; the address cannot be read from it. "" has the message's tag."""
    if not address:
        return THE_MESSAGE
    data = address.lower().encode("utf-8", "surrogatepass")
    return _base32(hashlib.sha256(b"eventum recipient\0" + data).digest())[:_TAG_LETTERS]


def our_id(id: OurId, secret: bytes, host: str) -> str:
    """The Message-ID for `id`, with its angle brackets; the same id and secret give the same left side always.

    `recipient` may be the tag or the address itself. Letters that cannot stand in a host are left out of it.
    """
    tag = id.recipient if _TAG.fullmatch(id.recipient) else recipient_tag(id.recipient)
    host = _NOT_IN_HOST.sub("", host.lower())[:255].strip(".-") or "localhost"
    return f"<eventum.{id.issue}.{id.event}.{tag}.{_mac(id.issue, id.event, tag, secret)}@{host}>"


def read_our_id(message_id: str, secret: bytes) -> OurId | None:
    """What `our_id` wrote, its recipient as a tag; None for every other id, a forged one among them.

    Upper case, blanks where a line was wrapped, missing brackets and another host are survived.
    """
    match = _OURS.fullmatch(_BLANKS.sub("", message_id[:2000]).lower())
    if match is None:
        return None
    issue, event, tag = int(match[1]), int(match[2]), match[3]
    if not hmac.compare_digest(_mac(issue, event, tag, secret), match[4]):
        return None
    return OurId(issue, event, tag)


def candidates(message: Message) -> tuple[str, ...]:
    """The ids that may be what `message` answers, likeliest first: In-Reply-To, then References from the newest on.

    A forwarded mail answers nothing, whatever its client copied into References. At most 100 ids.
    """
    if message.forwarded:
        return ()
    ids = dict.fromkeys((*message.in_reply_to, *reversed(message.references)))
    return tuple(ids)[:MAX_CANDIDATES]


def is_whole_id(text: str) -> bool:
    """Whether `text` is one id in angle brackets that can be written into a header as it stands."""
    return _WHOLE_ID.fullmatch(text) is not None


def references_for(root: str, earlier: Iterable[str] = ()) -> tuple[str, ...]:
    """The References of a new mail in the thread of `root`: the root, then the newest of `earlier`, oldest first.

    `earlier` is the parent's References and then the parent's own id (RFC 5322 3.6.4). Ids that cannot be written
    are left out, and so many of the middle that the header stays under 900 octets, its name and folds included.
    """
    room = MAX_REFERENCES - len("References:\r\n")
    first = (root,) if is_whole_id(root) else ()
    newest_first = [one for one in dict.fromkeys(reversed(tuple(earlier))) if one != root and is_whole_id(one)]
    kept: list[str] = []
    for one in newest_first:
        if sum(len(other) + len("\r\n ") for other in (*first, *kept, one)) > room:
            break
        kept.append(one)
    return (*first, *reversed(kept))


def _mac(issue: int, event: int, tag: str, secret: bytes) -> str:
    said = f"eventum message-id\0{issue}\0{event}\0{tag}".encode("utf-8", "surrogatepass")
    return _base32(hmac.digest(secret, said, "sha256"))[:_MAC_LETTERS]


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").lower()
