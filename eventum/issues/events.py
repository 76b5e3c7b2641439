"""What happened to an issue, as values that are stored as JSON: the record's history, and the duty to tell.

In flow and out flow: events, frozen. An event names what happened and its parameters, never a sentence; `issue` makes
events, `recipients` says who hears of one. Both halves of the pair event and JSON are here: `encode` and `decode`.
"""

from datetime import datetime
from typing import Literal

import msgspec

from eventum.issues.trace import Row
from eventum.mail.address import Address
from eventum.mail.reading import Attachment

Kind = Literal["email", "note", "draft"]


def by_machine(automatic: str) -> bool:
    """Whether mail of this automatic kind ("" for none) was written by a program.

    Mail of a discussion list was written by a person: a team's mailbox is often itself a member of such a list. So was
    what a tracker sent on, another company's too. Neither is ever answered automatically, but both open issues and are
    filed like other mail.
    """
    return automatic not in ("", "list", "sent-on")


class Filing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of an issue: what its record knows of it without reading the mail.

    `key` names the file in the issue's Maildir. `outgoing` means we wrote it, by web or command. `blocked` names why
    an e-mail is kept as a note for staff only; its kind is "note" then. `automatic` is `Message.automatic`.
    `verified` says how far the sender is proven: "none" (not clear who), "unverified" (only the From says so), "user"
    (logged in). `handled` says what was decided about a blocked e-mail that stays one: "ignored" by a person, or
    "reported" where it tells what became of a mail of ours, and nothing is left to decide; "" while it waits.
    `duplicate_of` is the key of another message with the same Message-ID and other content. `parent` is
    the Message-ID this one answers, as association found it.
    """

    key: str
    kind: Kind
    message_id: str
    digest: str = ""
    from_: Address = msgspec.field(name="from")
    verified: str = "unverified"
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    received: datetime
    attachments: tuple[Attachment, ...] = ()
    outgoing: bool = False
    blocked: str = ""
    handled: str = ""
    automatic: str = ""
    duplicate_of: str = ""
    parent: str = ""
    trace: tuple[Row, ...] = ()
    destination: str = ""

    @property
    def internal(self) -> bool:
        """Whether only staff may see it: notes, blocked e-mails, drafts."""
        return self.kind != "email" or bool(self.blocked)

    @property
    def waits(self) -> bool:
        """Whether it was blocked and no person has decided about it yet."""
        return bool(self.blocked) and not self.handled

    @property
    def by_machine(self) -> bool:
        """Whether a program wrote it, see `by_machine`."""
        return by_machine(self.automatic)


class Opened(msgspec.Struct, frozen=True, tag="opened", omit_defaults=True):
    """The issue was opened; `acknowledge` is the address that is thanked for it, "" for nobody."""

    by_mail: bool = False
    acknowledge: str = ""


class Filed(msgspec.Struct, frozen=True, tag="filed", omit_defaults=True):
    """A message came into the issue. `opening` when it is what opened the issue, so that `Opened` tells of it.

    `left_out` are addresses of people its author chose not to send it to, whatever the notification list says. Told of
    a key again, it says what the message is from now on: a blocked e-mail was accepted, or ignored.
    """

    message: Filing
    opening: bool = False
    left_out: tuple[str, ...] = ()


class Assigned(msgspec.Struct, frozen=True, tag="assigned", omit_defaults=True):
    """Users (ids) were assigned. `opening` when the issue was opened so, and `Opened` tells of it."""

    users: tuple[str, ...]
    opening: bool = False


class Unassigned(msgspec.Struct, frozen=True, tag="unassigned"):
    """Users (ids) are no longer assigned."""

    users: tuple[str, ...]


class Closed(msgspec.Struct, frozen=True, tag="closed", omit_defaults=True):
    """The issue was closed, with a reason for those who are told; `left_out` as in `Filed`, of whose step it is."""

    reason: str = ""
    left_out: tuple[str, ...] = ()


class Reopened(msgspec.Struct, frozen=True, tag="reopened"):
    """A closed issue is open again."""


class StatusChanged(msgspec.Struct, frozen=True, tag="status_changed"):
    """The status was set."""

    old: str
    new: str


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """A field other than the status was set."""

    field: str
    old: str
    new: str


class Subscribed(msgspec.Struct, frozen=True, tag="subscribed"):
    """An address is on the notification list now, or has other actions there."""

    address: str
    actions: tuple[str, ...]


class Unsubscribed(msgspec.Struct, frozen=True, tag="unsubscribed"):
    """An address left the notification list."""

    address: str


class ReplierAdded(msgspec.Struct, frozen=True, tag="replier_added"):
    """An address may mail the issue now."""

    address: str


class ReplierRemoved(msgspec.Struct, frozen=True, tag="replier_removed"):
    """An address may no longer mail the issue."""

    address: str


class TakenOut(msgspec.Struct, frozen=True, tag="taken_out", omit_defaults=True):
    """The message with this key belongs to the issue no more."""

    key: str
    subject: str = ""


class Undone(msgspec.Struct, frozen=True, tag="undone"):
    """What the events from `since` up to this one did was taken back, by the events that follow this one."""

    since: int


class DeliveryFailed(msgspec.Struct, frozen=True, tag="delivery_failed", omit_defaults=True):
    """A mail of this issue will never reach a recipient; `reply` is what the far end said.

    Where it was reported later, `report` is the key of the mail that says so, and `code` why (RFC 3463).
    """

    recipient: str
    message_id: str
    reply: str
    code: str = ""
    report: str = ""


What = (
    Opened
    | Filed
    | Assigned
    | Unassigned
    | Closed
    | Reopened
    | StatusChanged
    | Changed
    | Subscribed
    | Unsubscribed
    | ReplierAdded
    | ReplierRemoved
    | TakenOut
    | Undone
    | DeliveryFailed
)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. `who` did it: a user id, an address or "". Of a quiet event nobody is told.

    `nonce` names the form that brought it about, "" for none: the same form sent twice is one thing. The first event
    of a form has it.
    """

    number: int
    when: datetime
    who: str = ""
    what: What
    quiet: bool = False
    nonce: str = ""


_DECODER = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """The event as one line of JSON."""
    return msgspec.json.encode(event)


def decode(data: bytes) -> Event:
    """The event that `encode` wrote. Raises msgspec.ValidationError or DecodeError for anything else."""
    return _DECODER.decode(data)
