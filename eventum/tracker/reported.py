"""A report comes in of a mail we sent: which entry of the queue it speaks of, and what that and its issue are told.

Flows in: a mail with a report, and the ground it is decided on. Flows out: the later word for the queue's entry, and
the event for the issue; both become part of the mail's one commit. Nothing is told to anybody.

Anybody can write a report. It counts only when it names a Message-ID of ours whose HMAC is right, made for the one
recipient it was sent to: whoever knows that got this very mail, or was given it by who did. Even then he can say no
more than what became of that one mail; the address shown is the one we wrote to, his words are shown as his, and
nobody's rights, subscriptions or addresses change.
"""

from collections.abc import Iterator

import msgspec

from eventum.issues import changes
from eventum.issues.events import DeliveryFailed, Event, Filed, Opened, by_machine
from eventum.issues.handling import REPORTED
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.mail.reports.dsn import Report, ReportRecipient
from eventum.mail.threading import THE_MESSAGE, OurId, read_our_id, recipient_tag
from eventum.store.outbox import key_of
from eventum.store.sendings import Attempt
from eventum.tracker.facts import Known
from eventum.tracker.ground import Ground

OF_DELIVERY = ("failed", "delayed", "delivered", "relayed")
WORDS = (*OF_DELIVERY, "read", "deleted")
"""The kinds of report that say what became of a mail."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What the far end said later of an entry of the queue, of which issue, to whom."""

    entry: str
    issue: int
    recipient: str
    message_id: str
    said: Attempt


def named(report: Report | None, ids_key: bytes) -> OurId | None:
    """The mail of ours that a report names with the right HMAC; None for every other."""
    if report is None:
        return None
    ours = read_our_id(report.original_id, ids_key)
    return ours if ours is not None and ours.recipient != THE_MESSAGE else None


def word_of(ground: Ground, known: Known) -> Word | None:
    """What a mail reports of a mail of ours; None when it reports nothing that counts."""
    report, arrival = known.message.report, known.arrival
    ours = named(report, ground.ids_key)
    if report is None or ours is None or report.kind not in WORDS or not by_machine(known.message.automatic):
        return None
    issue = ground.issue(ours.issue)
    if issue is None:
        return None
    recipient = _recipient(ground, issue, ours, report)
    if not recipient:
        return None
    of_him = _of_him(report, recipient)
    kind = of_him.action if of_him.action in OF_DELIVERY else report.kind
    said = Attempt(
        when=arrival.envelope.received,
        status="failed" if kind == "failed" else "sent",
        reply=of_him.diagnostic,
        word=kind,
        report=arrival.key,
        code=of_him.status,
        until=of_him.until,
    )
    return Word(
        entry=key_of(ours.issue, ours.event, recipient),
        issue=ours.issue,
        recipient=recipient,
        message_id=report.original_id,
        said=said,
    )


def hear(ground: Ground, known: Known) -> None:
    """Let the queue's entry know what a mail reports of it, and its issue when that mail will never arrive."""
    word = word_of(ground, known)
    if word is None:
        return
    ground.changes.words.append(word)
    if word.said.status == "failed":
        work = ground.changes.work(word.issue)
        failure = DeliveryFailed(
            recipient=word.recipient,
            message_id=word.message_id,
            reply=word.said.reply,
            code=word.said.code,
            report=word.said.report,
        )
        work.issue = changes.delivery_failed(work.issue, failure, ground.changes.now)


def handled(ground: Ground, known: Known) -> str:
    """What was decided about a mail that is blocked: what was heard of it shows where it belongs, nothing is left."""
    return REPORTED if any(word.said.report == known.arrival.key for word in ground.changes.words) else ""


def _of_him(report: Report, recipient: str) -> ReportRecipient:
    """What the report says of the one we wrote to; where it names others, a list or an alias of his passed it on."""
    worst = [one for one in report.recipients if one.action == report.kind]
    return next((one for one in report.recipients if one.address == recipient), (*worst, ReportRecipient(recipient))[0])


def _recipient(ground: Ground, issue: Issue, ours: OurId, report: Report) -> str:
    """The address whose tag is in the id: the report's own word for it is not believed."""
    event = issue.event(ours.event) or ground.older_event(issue, ours.event)
    for address in _possible(issue, event, ground.people, report):
        if recipient_tag(address) == ours.recipient:
            return address
    return ""


def _possible(issue: Issue, event: Event | None, people: People, report: Report) -> Iterator[str]:
    yield from (one.address for one in report.recipients if one.address)
    if event is not None and isinstance(event.what, Filed):
        yield from (one.address for one in (*event.what.message.to, *event.what.message.cc))
    if event is not None and isinstance(event.what, Opened):
        yield event.what.acknowledge
    yield from (entry.address for entry in issue.subscriptions)
    yield issue.reporter
    yield from issue.repliers
    for user in people.users:
        yield from user.addresses
