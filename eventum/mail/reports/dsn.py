"""Reports about mail: what a machine says became of a mail that was sent, and which mails may be one.

Values only, and a question that costs ordinary mail nothing; `reports` reads them. Who believes a report is not said
here: anybody can write one (see `tracker/reported`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:  # the parser imports this module
    from eventum.mail.headers import Headers
    from eventum.mail.message import Message

MAX_RECIPIENTS: Final = 100
"""So many recipients of one report are read."""

STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
RECEIPT_TYPES: Final = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
COMPLAINT_TYPES: Final = frozenset({"message/feedback-report"})
TYPES: Final = STATUS_TYPES | RECEIPT_TYPES | COMPLAINT_TYPES
"""The parts that say what became of a mail in a form for programs (RFC 3464, 6533, 8098, 5965)."""

GIVEN_BACK: Final = frozenset(
    {
        *("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"),
        *("text/rfc822-header", "message/global-headers"),
    }
)
"""The parts in which such a mail gives back what it speaks of, whole or its headers."""

_OURS: Final = ("ours", "sent-on")
# How mail programs begin the subject of what they give back, in lower case.
_BEGINNINGS: Final = (
    *(r"undeliver(?:able|ed)", r"un(?:able to |)deliver", r"non.?deliver", r"not deliver", r"undelivered"),
    *(r"mail (?:delivery|system error)", r"delivery (?:status|failure|failed|notification|error|problem|report)"),
    *(r"e?-?mail (?:could not|not delivered|delivery|undeliverable)", r"message (?:could not|delivery|undeliver)"),
    *(r"returned (?:mail|message)", r"failure (?:notice|delivery)", r"failed (?:mail|delivery|message)"),
    *(r"warning: could not send", r"(?:mail|message|delivery) (?:warning|delayed|failure)", r"delayed mail"),
    *(r"warning: [^\s@]{1,99}@\S{1,99} - user unknown", r"rejected (?:mail|message)", r"(?:e?-?mail )?bounced?\b"),
    *(r"permanent (?:delivery )?(?:failure|error)", r"processing error", r"there was an error sending"),
    *(r"unzustellbar", r"nicht zustellbar", r"fehler beim versand"),
    *(r"non.?remis", r"échec de (?:la )?remise", r"no se puede entregar", r"mancato recapito"),
    *(r"ваше сообщение не доставлено", r"недоставлен"),
    *(
        r"メール(?:エラー|配信|送信)\S{0,8}(?:通知|エラー|失敗)",
        r"配信(?:不能|失敗|エラー)",
        r"送信エラー",
        r"未配信",
        r"宛先不明",
    ),
    *(r"退信", r"系统退信", r"投递失败"),
)
_SUBJECT: Final = re.compile(
    rf"""\W*
        (?: \[ [^]]{{1,40}} \] \s{{1,3}} )?   # what a list or a gateway puts before it
        (?: {"|".join(_BEGINNINGS).replace(" ", "[ ]")} )""",
    re.VERBOSE | re.IGNORECASE,
)


class ReportRecipient(msgspec.Struct, frozen=True):
    """What became of the mail for one address.

    `action` is a word of RFC 3464 section 2.3.3, `status` a code like "5.2.2" ("" when nothing tells it), `diagnostic`
    what the far end said, in its words, `remote` the server that said so, `until` when the last attempt will be.
    """

    address: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    remote: str = ""
    until: datetime | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was read. `kind` is "failed", "delayed", "delivered", "relayed", "read", "deleted", "vacation",
    "challenge" or "complaint"; `original_id` the Message-ID of the mail it speaks of, `original_envelope` its ENVID
    (RFC 3461) or the sender it was sent with. All of it is what the report says, and proves nothing.
    """

    kind: str
    recipients: tuple[ReportRecipient, ...] = ()
    original_id: str = ""
    original_envelope: str = ""


def is_candidate(headers: Headers, message: Message) -> bool:
    """Whether to look for a report in a mail: it came from a program, has a part for one, or is called like one."""
    if message.automatic not in ("", "list"):
        return message.automatic not in _OURS
    if any(one.type in TYPES for one in message.attachments):
        return True
    if message.in_reply_to or message.references:
        return False
    return "x-failed-recipients" in headers or is_called_like_one(message.subject)


def is_called_like_one(subject: str) -> bool:
    """Whether mail programs begin a subject so when they give a mail back; what is forwarded begins otherwise."""
    return _SUBJECT.match(subject) is not None
