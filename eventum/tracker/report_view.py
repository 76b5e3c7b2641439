"""What a machine's mail is called on a screen: an absence notice, a delivery failure for somebody and why, a receipt.

Flows in: what the mail says of itself, as it was read. Flows out: words in the reader's language. What is said here is
what the mail claims; whether it counts is `reported`'s.
"""

from types import MappingProxyType

import msgspec

from eventum.issues.events import by_machine
from eventum.mail.message import Message
from eventum.mail.reports.dsn import Report
from eventum.tracker import replies
from eventum.tracker.reported import named
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

NAMED = 3  # Recipients that a label names.
SHOWN = 20  # Recipients whose reasons are shown.
# By the kind of report: with the recipients it names, and without any.
_REPORTS = MappingProxyType(
    {
        "failed": (N_("Delivery failure for {who}"), N_("Delivery failure")),
        "delayed": (N_("Delayed on the way to {who}"), N_("Delayed on the way")),
        "delivered": (N_("Delivered to {who}"), N_("Delivered")),
        "relayed": (N_("Passed on for {who}, to a server that sends no reports"), N_("Passed on")),
        "read": (N_("Read receipt of {who}"), N_("Read receipt")),
        "deleted": (N_("Deleted unread by {who}"), N_("Deleted unread")),
        "complaint": (N_("Complaint from {who}: marked as spam"), N_("Complaint: marked as spam")),
        "vacation": (N_("Automatic reply (absence)"), N_("Automatic reply (absence)")),
        "challenge": (
            N_("Automatic reply (asks the sender to confirm)"),
            N_("Automatic reply (asks the sender to confirm)"),
        ),
    }
)
_PROGRAMS = MappingProxyType(
    {
        "auto-reply": N_("Automatic reply"),
        "bounce": N_("Report of a mail server"),
    }
)
_PROGRAM = N_("Written by a program")
_SENT_ON = N_("Came by a mailing list or another tracker")


class About(msgspec.Struct, frozen=True, kw_only=True):
    """One address a report speaks of: why in plain words (marked, "" for none), and the far end's own."""

    address: str
    meaning: str
    words: str


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A report as a screen shows it. `event` is that of the mail of ours it speaks of, 0 when it proves none."""

    kind: str
    label: str
    recipients: tuple[About, ...]
    event: int = 0


def label(message: Message | None, automatic: str, say: Say) -> str:
    """What the mail is, in a few words; "" for what a person wrote. `message` is None when its file is gone."""
    report = message.report if message else None
    if report is not None and report.kind in _REPORTS:
        return _label(report, say)
    if automatic and not by_machine(automatic):
        return say(_SENT_ON)
    return say(_PROGRAMS.get(automatic, _PROGRAM)) if automatic else ""


def shown(tracker: Tracker, message: Message | None, number: int, say: Say) -> Given | None:
    """The report in a mail of that issue (0: of none); None for every other mail."""
    report = message.report if message else None
    if report is None:
        return None
    ours = named(report, tracker.secrets.ids_key)
    recipients = tuple(
        About(address=one.address, meaning=replies.meaning(one.diagnostic, one.status), words=one.diagnostic)
        for one in report.recipients[:SHOWN]
        if one.address and (one.status or one.diagnostic)
    )
    event = ours.event if ours is not None and ours.issue == number else 0
    return Given(kind=report.kind, label=_label(report, say), recipients=recipients, event=event)


def _label(report: Report, say: Say) -> str:
    addresses = list(dict.fromkeys(one.address for one in report.recipients if one.address))
    whole, bare = _REPORTS.get(report.kind, (_PROGRAM, _PROGRAM))
    if not addresses:
        return say(bare)
    more = len(addresses) - NAMED
    who = ", ".join(addresses[:NAMED])
    if more > 0:
        who = say(N_("{who} and {count} more")).format(who=who, count=more)
    return say(whole).format(who=who)
