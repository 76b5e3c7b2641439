"""What became of the e-mails of an issue on their way to each recipient.

Flows in: an issue's events, all of them. Flows out: recipient and status, by the number of the event that filed the
mail. Nobody keeps a list of what was queued: the key of a queue's entry is made of issue, event and recipient, so it is
enough to know whom a mail can have been sent to. The history says who was on the notification list at that time.
"""

from collections.abc import Iterable, Iterator

from eventum.issues.events import DeliveryFailed, Event, Filed, Filing, Subscribed, Unsubscribed
from eventum.issues.people import People
from eventum.mail.threading import read_our_id
from eventum.store.outbox import key_of
from eventum.tracker.tracker import Tracker

Delivery = dict[str, str]


def deliveries(tracker: Tracker, number: int, events: Iterable[Event]) -> dict[int, list[Delivery]]:
    """For each event that filed an e-mail: `{recipient, status}` of everybody it was sent on to.

    What was cleared out of the queue is missing, unless it failed: that the history knows.
    """
    people = tracker.people.load_all()
    events = tuple(events)
    wanted = {key_of(number, event, address): (event, address) for event, address in _possible(events, people)}
    states = tracker.outbox.states(wanted)
    found: dict[int, list[Delivery]] = {}
    for key, (event, address) in wanted.items():
        if key in states:
            found.setdefault(event, []).append({"recipient": address, "status": states[key]})
    for what in (event.what for event in events if isinstance(event.what, DeliveryFailed)):
        ours = read_our_id(what.message_id, tracker.secrets.ids_key)
        if ours is not None and ours.issue == number and key_of(number, ours.event, what.recipient) not in states:
            found.setdefault(ours.event, []).append({"recipient": what.recipient, "status": "failed"})
    return found


def _possible(events: Iterable[Event], people: People) -> Iterator[tuple[int, str]]:
    """Whom each e-mail can have been sent to, and few others: to find that nothing was sent costs more."""
    listed: dict[str, tuple[str, ...]] = {}
    for event in events:
        match event.what:
            case Subscribed(address, actions):
                listed[address] = actions
            case Unsubscribed(address):
                listed.pop(address, None)
            case Filed(message, opening) if not (message.internal or event.quiet or opening):
                asked = [address for address, actions in listed.items() if "emails" in actions]
                for address in _addresses(message, asked, people):
                    yield event.number, address


def _addresses(message: Filing, listed: list[str], people: People) -> tuple[str, ...]:
    named = [one.address for one in (*message.to, *message.cc)]
    # Who sent a mail, or got it from its sender, has it already: see `issues/recipients`.
    have = set() if message.outgoing else {message.from_.address, *named}
    for address in tuple(have):
        user = people.by_address(address)
        have |= set(user.addresses if user else ())
    found: dict[str, None] = {}
    for address in [*(named if message.outgoing else ()), *listed]:
        user = people.by_address(address)
        if address not in have:
            # A user is written to at his first address, which may have been another one then.
            found |= dict.fromkeys((user.email, address) if user else (address,))
    return tuple(found)
