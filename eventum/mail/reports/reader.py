"""Reads what a machine reports about a mail: a tree and its message in, the message with its report out.

The forms for programs are read here: delivery status (RFC 3464, 6533), read receipts (RFC 8098), complaints of
feedback loops (RFC 5965), and the headers of the mail that is given back. Free text is for `bounced`, and what a
person's own programs answer for `answers`. Every size and count is bounded; nothing that is read here is believed.
"""

import re
from typing import Final

import msgspec

from eventum.mail.content import Leaf, decoded
from eventum.mail.dates import read_date
from eventum.mail.headers import Headers, split_block
from eventum.mail.message import Message
from eventum.mail.parts import Tree
from eventum.mail.reports.answers import answer
from eventum.mail.reports.bounced import Notice, is_program, read_notice
from eventum.mail.reports.dsn import (
    COMPLAINT_TYPES,
    GIVEN_BACK,
    MAX_RECIPIENTS,
    RECEIPT_TYPES,
    STATUS_TYPES,
    TYPES,
    Report,
    ReportRecipient,
    is_called_like_one,
)
from eventum.mail.reports.fields import (
    MAX_BYTES,
    MAX_DIAGNOSTIC,
    Fields,
    address_in,
    envelope_in,
    fields_of,
    groups_of,
    is_recipient,
    text_of,
    words_in,
)
from eventum.mail.reports.reasons import status_of
from eventum.mail.words import clean_line

_MAX_LEAVES: Final = 20
_ID: Final = re.compile(r"<\s*([^<>\s]{1,900})\s*>")
# The worst that happened to any recipient is what the report says of the mail.
_ACTIONS: Final = ("failed", "delayed", "relayed", "delivered")
_OF_ACTION: Final = {
    **{action: action for action in _ACTIONS},
    "expanded": "delivered",
    "failure": "failed",
    "fail": "failed",
    "delay": "delayed",
}
_OF_CLASS: Final = {"5": "failed", "4": "delayed", "2": "delivered"}


def with_report(tree: Tree, message: Message) -> Message:
    """The message with the report in it, when there is one. Where nothing else told that a program wrote the mail, its
    `automatic` says so then.
    """
    report = read_report(tree, message)
    if report is None:
        return message
    automatic = message.automatic
    has_part = any(leaf.type in TYPES for leaf in tree.leaves[:_MAX_LEAVES])
    if not automatic and (has_part or is_program(message)):
        automatic = "bounce" if report.kind in _ACTIONS else "auto-generated"
    if automatic == "bounce" and report.kind == "vacation":
        automatic = "auto-reply"  # A program of old, which takes the null sender as a mail system does.
    return msgspec.structs.replace(message, report=report, automatic=automatic)


def _is_by_program(message: Message) -> bool:
    """Whether a program wrote the mail: a person may send on a report that he got."""
    if message.automatic not in ("", "list"):
        return True
    return is_program(message) or is_called_like_one(message.subject)


def read_report(tree: Tree, message: Message) -> Report | None:
    """What the mail reports; None for a mail that is none of these."""
    for leaf in tree.leaves[:_MAX_LEAVES] if _is_by_program(message) else ():
        if leaf.type in STATUS_TYPES:
            return _delivery(tree, message, leaf)
        if leaf.type in RECEIPT_TYPES:
            return _receipt(tree, message, leaf)
        if leaf.type in COMPLAINT_TYPES:
            return _complaint(tree, message, leaf)
    kind = answer(tree.block.headers, message)
    if kind:
        return Report(kind=kind, original_id=_answered(message))
    notice = read_notice(tree, message)
    return _noticed(tree, message, notice) if notice is not None else None


def _delivery(tree: Tree, message: Message, leaf: Leaf) -> Report | None:
    groups = groups_of(text_of(leaf))
    mail = next((group for group in groups if not is_recipient(group)), {})
    found = [one for one in (_recipient(group) for group in groups if is_recipient(group)) if one is not None]
    found = found[:MAX_RECIPIENTS]
    if all(not one.address or not one.action for one in found):
        # A report that names nobody, or does not say what happened: its text for people does.
        notice = read_notice(tree, message)
        if notice is not None:
            return _noticed(tree, message, notice, envelope=envelope_in(mail))
    if not found:
        return None
    kinds = {one.action for one in found}
    return Report(
        kind=next((action for action in _ACTIONS if action in kinds), "failed"),
        recipients=tuple(dict.fromkeys(found)),
        original_id=_original_id(tree, message),
        original_envelope=envelope_in(mail),
    )


def _noticed(tree: Tree, message: Message, notice: Notice, envelope: str = "") -> Report:
    said = _original_id(tree, message)
    return Report(
        kind=notice.kind,
        recipients=notice.recipients[:MAX_RECIPIENTS],
        original_id=said or notice.original_id,
        original_envelope=envelope,
    )


def _receipt(tree: Tree, message: Message, leaf: Leaf) -> Report | None:
    """A disposition notification, RFC 8098 section 3.2."""
    fields = fields_of(leaf)
    word = fields.get("disposition", "").partition(";")[2].strip().lower()
    word = re.split(r"[/\s,]", word, maxsplit=1)[0]
    kind = {"displayed": "read", "deleted": "deleted"}.get(word, "delivered" if word else "")
    if not kind:
        return None
    address = address_in(fields.get("original-recipient", "")) or address_in(fields.get("final-recipient", ""))
    one = ReportRecipient(address or message.sender, action=word[:40])
    if kind == "deleted" and fields["disposition"].lower().startswith("automatic-action"):
        # A filter refused it (RFC 5429 section 2.2): nobody will ever see it, for the reason in the text.
        kind, words = "failed", clean_line(message.text, MAX_DIAGNOSTIC)
        one = ReportRecipient(one.address, "failed", status_of("", words, failed=True), words)
    ids = _ID.findall(fields.get("original-message-id", ""))
    return Report(kind=kind, recipients=(one,), original_id=f"<{ids[0]}>" if ids else _original_id(tree, message))


def _complaint(tree: Tree, message: Message, leaf: Leaf) -> Report | None:
    """A feedback loop's report, RFC 5965 section 3; one about authentication (RFC 6591) complains of nothing."""
    fields = fields_of(leaf)
    kind = fields.get("feedback-type", "abuse").strip().lower()
    if kind in ("auth-failure", "not-spam"):
        return None
    address = address_in(fields.get("original-rcpt-to", "") or fields.get("removal-recipient", ""))
    return Report(
        kind="complaint",
        recipients=(ReportRecipient(address, action=clean_line(kind, 40)),) if address else (),
        original_id=_original_id(tree, message),
        original_envelope=envelope_in(fields) or address_in(fields.get("original-mail-from", "")),
    )


def _recipient(group: Fields) -> ReportRecipient | None:
    # The address we wrote to, where a server says it, before the one it was passed on to.
    names = ("original-recipient", "final-recipient", "x-actual-recipient")
    address = next((found for name in names if (found := address_in(group.get(name, "")))), "")
    said, words = group.get("status", ""), words_in(group.get("diagnostic-code", ""))
    action = _OF_ACTION.get(group.get("action", "").partition("(")[0].strip().lower(), "")
    status = status_of(said, words, failed=action in ("failed", ""))
    action = action or _OF_CLASS.get(status[:1], "")
    if not address and not action:
        return None
    until = group.get("will-retry-until", "")
    return ReportRecipient(
        address=address,
        action=action,
        status=status,
        diagnostic=words,
        remote=words_in(group.get("remote-mta", ""))[:255],
        until=read_date(until) if until else None,
    )


def _original_id(tree: Tree, message: Message) -> str:
    """The Message-ID of the mail that is given back, or of what this one says it answers."""
    for leaf in tree.leaves[:_MAX_LEAVES]:
        if leaf.type in GIVEN_BACK and (found := _id_in(split_block(decoded(leaf)[:MAX_BYTES]).headers)):
            return found
    return _answered(message)


def _id_in(headers: Headers) -> str:
    found = _ID.findall("".join((headers.first("message-id") or "").split()))
    return f"<{found[0]}>" if found and found[0].isascii() else ""


def _answered(message: Message) -> str:
    return (*message.in_reply_to, *reversed(message.references), "")[0]
