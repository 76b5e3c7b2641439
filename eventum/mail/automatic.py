"""Automatic mail: the marks we put on ours, and how we know it, ours or anybody's, when it comes in.

In flow header values, out flow header pairs or one word. Both halves stand together because the second must know
what the first writes: a mail of ours that comes back, by whatever list or alias, must never be answered or sent on
again. Nothing here decides what becomes of an automatic mail; that is association's and admission's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:  # the parser imports this module
    from eventum.mail.message import Message

Origin = Literal["auto-generated", "auto-replied", "no"]
"""Who wrote a mail of ours, in the words of RFC 3834 section 5: a notice, an acknowledgement, or a person ("no")."""

Headers = Mapping[str, tuple[str, ...]]
Senders = tuple[str, ...]

LOOP: Final = "X-Eventum-Loop"
SENT_ON: Final = "sent-on"
"""What a person wrote and we, or another Eventum, sent on: no machine's mail, and never answered automatically."""
MAX_HOPS: Final = 50  # Postfix gives up at as many Received headers; a person's mail has about ten


def marks(origin: Origin) -> tuple[tuple[str, str], ...]:
    """The headers that say who wrote a mail of ours (RFC 3834 section 3.1.7); the loop mark is always among them."""
    if origin == "no":
        # What a person wrote is sent on as a person's mail: called automatic, it would be filtered as bulk, and the
        # readers' absence notices, which the author wants to see, would not be sent.
        return ((LOOP, SENT_ON),)
    return (
        ("Auto-Submitted", origin),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        (LOOP, origin),
    )


def classify(headers: Headers, senders: Senders) -> str:
    """What kind of automatic mail this is: "ours", "bounce", "auto-reply", "auto-generated", "list", "bulk",
    "sent-on", or "".

    `headers` are unfolded values by lower-case name, `senders` the addresses of the From. The first row of the table
    that recognises something decides.
    """
    for row in _TABLE:
        kind = row(headers, senders)
        if kind:
            return kind
    return ""


def may_answer(message: Message, envelope_sender: str | None) -> bool:
    """Whether an automatic answer may go to the sender of `message` (RFC 3834 section 2).

    `envelope_sender` is the SMTP sender, "" for the null sender, None when nobody told it; then Return-Path counts.
    How often one sender is answered, and which addresses are ours, is for the caller to look at.
    """
    envelope = message.return_path if envelope_sender is None else envelope_sender
    if message.automatic or not message.sender or envelope == "":
        return False
    if envelope is not None and _is_machine(envelope):
        return False
    return not _is_machine(message.sender) and not _local(message.sender).startswith(_NO_REPLY)


_Row = Callable[[Headers, Senders], str]


def _header(name: str, reads: Callable[[str], str]) -> _Row:
    """A row that shows each value of one header, in lower case, to `reads`, which returns a kind or ""."""

    def row(headers: Headers, senders: Senders) -> str:
        if name in headers:  # most are not, and asking for a value may decode it
            for value in headers[name]:
                kind = reads(value.strip().lower())
                if kind:
                    return kind
        return ""

    return row


def _is_set(kind: str) -> Callable[[str], str]:
    return lambda value: "" if value in ("", "no", "none", "false", "0") else kind


def _has_word(kind: str, *words: str) -> Callable[[str], str]:
    return lambda value: kind if any(word in words for word in value.replace(",", " ").split()) else ""


def _auto_submitted(value: str) -> str:
    # "no (a person)" and "auto-replied; owner-email=..." are seen. A keyword that nobody knows counts as automatic
    # (RFC 3834 section 5), only an empty value says nothing.
    keyword = value.partition(";")[0].partition("(")[0].strip()
    if keyword in ("", "no"):
        return ""
    return "auto-reply" if keyword.startswith("auto-replied") else "auto-generated"


def _report(value: str) -> str:
    # RFC 6522: the report's type is a parameter. A read receipt is an answer, a spam complaint is neither; where the
    # type is missing, it is an old server's failure notice.
    if value.startswith("message/delivery-status"):
        return "bounce"
    if not value.startswith("multipart/report"):
        return ""
    if "disposition-notification" in value:
        return "auto-reply"
    return "auto-generated" if "feedback-report" in value else "bounce"


def _null_sender(value: str) -> str:
    return "bounce" if value.strip("<> ") in ("", "mailer-daemon") else ""  # the word is what Postfix writes for it


def _from_a_daemon(headers: Headers, senders: Senders) -> str:
    return "bounce" if any(_local(sender) in _DAEMONS for sender in senders) else ""


def _goes_round(headers: Headers, senders: Senders) -> str:
    return "auto-generated" if "received" in headers and len(headers["received"]) > MAX_HOPS else ""


_TABLE: Final[tuple[_Row, ...]] = (
    # Before Return-Path: our notices may have the null sender.
    _header(LOOP.lower(), lambda value: SENT_ON if value == SENT_ON else "ours"),
    _header("x-failed-recipients", _is_set("bounce")),  # Exim
    _header("content-type", _report),
    _from_a_daemon,  # before Auto-Submitted: Postfix calls its failure notices auto-replied
    _header("auto-submitted", _auto_submitted),
    _header("x-autoreply", _is_set("auto-reply")),
    _header("x-auto-reply", _is_set("auto-reply")),
    _header("x-autorespond", _is_set("auto-reply")),
    _header("x-autoresponder", _is_set("auto-reply")),
    _header("x-vacationmessage", _is_set("auto-reply")),
    _header("precedence", _has_word("auto-reply", "auto_reply", "auto-reply")),
    _header("list-id", _is_set("list")),
    _header("precedence", _has_word("list", "list")),
    # DR, RN and NRN only refuse receipts, and people's mail has them; the other words are programs'.
    _header("x-auto-response-suppress", _has_word("auto-generated", "all", "oof", "autoreply")),
    _header("x-cron-env", _is_set("auto-generated")),
    _header("precedence", _has_word("bulk", "bulk", "junk")),
    _header("return-path", _null_sender),  # late: vacation programs use it as well, and have said so above
    _goes_round,
)

_DAEMONS: Final = ("mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster")
_NO_REPLY: Final = ("no-reply", "noreply", "no_reply", "no.reply", "do-not-reply", "donotreply", "do_not_reply")
_LIST_ENDS: Final = ("-request", "-owner", "-bounces", "-bounce")


def _local(address: str) -> str:
    return address.rpartition("@")[0].lower()


def _is_machine(address: str) -> bool:
    # RFC 3834 section 2 names these patterns: what reads there is a list program or a mail system.
    local = _local(address)
    return local in (*_DAEMONS, "listserv", "majordomo") or local.startswith("owner-") or local.endswith(_LIST_ENDS)
