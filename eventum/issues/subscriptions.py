"""Who is put on an issue's notification list by a message, and with which actions.

In flow: an accepted message, the issue it goes into, the people, our own addresses. Out flow: entries to add, and a
row for each address that was looked at. A blocked message puts nobody on the list, and neither does a machine's: that
would be the way to read an issue by guessing its number (reliability T3). eventum-behaviour 2.13, 4.5, 5.6 and 7.8,
its W-R11 mended.
"""

import msgspec

from eventum.issues.access import may_be_told, may_read_notes
from eventum.issues.events import Filing
from eventum.issues.issue import ACTIONS, Issue, Subscription
from eventum.issues.people import People, User
from eventum.issues.routing import OwnAddresses
from eventum.issues.trace import Row, Rule, Table

MOST = 30
"""So many addresses of one message may be put on the list; of a message that names more, the sender only."""

LONGEST_LIST = 200
"""So many entries a notification list may have by messages; people may add more by hand."""

Actions = tuple[str, ...]
Step = tuple[str, Actions | None]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at for one address of a message."""

    address: str
    user: User | None
    sender: bool
    reporter: bool
    own: bool
    listed: Actions | None
    note: bool
    silent: bool
    may_be_told: bool
    staff: bool


def from_message(
    message: Filing, issue: Issue, people: People, own: OwnAddresses
) -> tuple[tuple[Subscription, ...], tuple[Row, ...]]:
    """The entries a message adds to the list, and the deciding row for each address.

    The sender comes first: the issue's reporter gets all actions, another sender is told of e-mails. People in To and
    Cc get all. A sender that is not clear, whose `message.verified` is "none", is not put on the list.
    """
    sender = message.from_.address if message.verified != "none" else ""
    addresses = [sender, *(one.address for one in (*message.to, *message.cc))]
    entries: list[Subscription] = []
    rows: list[Row] = []
    named = list(dict.fromkeys(address for address in addresses if address))
    # A mail to more people is an announcement, not a conversation; and no list of ours grows without bound.
    room = 0 if len(named) > MOST else LONGEST_LIST - len(issue.subscriptions)
    for address in named[: 1 if sender else 0] + named[1 if sender else 0 :][: max(0, room)]:
        user = people.by_address(address)
        facts = Facts(
            address=address,
            user=user,
            sender=address == sender,
            reporter=issue.reporter in (address, *(user.addresses if user else ())),
            own=address in own,
            listed=_listed(address, user, (*issue.subscriptions, *entries)),
            note=message.kind == "note",
            silent=bool(message.blocked) or message.by_machine or message.kind == "draft",
            may_be_told=user is None or may_be_told(user, issue, people),
            staff=user is not None and may_read_notes(user, issue, people),
        )
        actions, why = SUBSCRIPTIONS.decide(facts)
        # Only the deciding row: an issue's record holds the trace of each of its mails, and some name thirty people.
        rows.append(why[-1])
        if actions:
            entries.append(Subscription(user.email if user else address, user.id if user else "", actions))
    return tuple(entries), tuple(rows)


def _listed(address: str, user: User | None, entries: tuple[Subscription, ...]) -> Actions | None:
    same = (e for e in entries if e.address == address or (user is not None and e.user == user.id))
    return next((entry.actions for entry in same), None)


def _silent(facts: Facts) -> Step:
    return facts.address, () if facts.silent else None


def _own_address(facts: Facts) -> Step:
    return facts.address, () if facts.own else None


def _not_to_be_told(facts: Facts) -> Step:
    return facts.address, None if facts.may_be_told else ()


def _note_to_others(facts: Facts) -> Step:
    return facts.address, () if facts.note and not facts.staff else None


def _already_listed(facts: Facts) -> Step:
    # Whoever is listed has chosen, or somebody has for him; a message does not change it.
    return facts.address, None if facts.listed is None else ()


def _sender_of_reply(facts: Facts) -> Step:
    if facts.sender and not facts.reporter and not facts.note:
        return facts.address, ("emails",)
    return facts.address, None


def _takes_part(facts: Facts) -> Step:
    return facts.address, ACTIONS


SUBSCRIPTIONS: Table[Facts, Actions] = Table(
    "subscriptions",
    (
        Rule("silent", _silent),
        Rule("own_address", _own_address),
        Rule("not_to_be_told", _not_to_be_told),
        Rule("note_to_others", _note_to_others),
        Rule("already_listed", _already_listed),
        Rule("sender_of_reply", _sender_of_reply),
        Rule("takes_part", _takes_part),
    ),
    lambda actions: " ".join(actions) if actions else "nobody",
)
