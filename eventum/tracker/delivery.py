"""What became of the e-mails of an issue on their way to each recipient.

Flows in: an issue's events. Flows out: recipient and status, by the number of the event that filed the mail; for a
screen also what the far end said. Nobody keeps a list of what was queued: the key of a queue's entry is made of issue,
event and recipient, so it is enough to know whom a mail can have been sent to. The history says who was on the
notification list at that time.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from eventum.errors import NotFound
from eventum.issues.events import DeliveryFailed, Event, Filed, Filing, Subscribed, Unsubscribed
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.mail.threading import read_our_id
from eventum.store.outbox import GIVE_UP_AFTER, back_off, key_of
from eventum.tracker import queues, replies
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

Delivery = dict[str, str]
_UNDECIDED = timedelta(seconds=GIVE_UP_AFTER, days=1)  # So long a mail can wait for its first attempt.
_SAYS_MORE = {"delayed": 1, "relayed": 2, "delivered": 3, "deleted": 4, "read": 5, "failed": 6}
_MOST = 200  # Recipients of one mail that are looked for on a screen.


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient of one mail: what became of it, what the far end said last, and when it is tried again.

    `entry` is its id in the queue, "" when it was cleared away. What was reported later has a `word` (see
    `sendings.Attempt`), the key of the mail that reported it, a code, and `until` when the far end tries.
    """

    recipient: str
    status: str
    entry: str
    reply: str = ""
    when: datetime | None = None
    next_attempt: datetime | None = None
    word: str = ""
    report: str = ""
    code: str = ""
    until: datetime | None = None

    @property
    def meaning(self) -> str:
        """What a refusal means in plain words, marked; "" when there was none or nobody knows."""
        return replies.meaning(self.reply, self.code) if self.is_trouble else ""

    @property
    def in_short(self) -> str:
        """The same in a few words."""
        return replies.in_short(self.reply, self.code) if self.is_trouble else ""

    @property
    def advice(self) -> str:
        """The meaning where it says more than the few words."""
        return self.meaning if not self.in_short or ". " in self.meaning else ""

    @property
    def is_trouble(self) -> bool:
        """Whether it has not arrived, for now or for good."""
        return self.status in ("deferred", "failed") or self.word == "delayed"

    @property
    def is_news(self) -> bool:
        """Whether it is more than that it was, or will be, handed over."""
        return self.status not in ("sent", "pending") or bool(self.word)


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
    for event, what in _failures(tracker, number, events):
        if key_of(number, event, what.recipient) not in states:
            found.setdefault(event, []).append({"recipient": what.recipient, "status": "failed"})
    return found


def lines(tracker: Tracker, issue: Issue, events: Iterable[Event], shown: Iterable[Event]) -> dict[int, list[Line]]:
    """The same for the events that are shown, with what the far end said; `events` are those that were read at all.

    Who was on the list at the time is told by these and by the list as it is, so that an old history need not be read.
    """
    people, now = tracker.people.load_all(), tracker.clock()
    events = tuple(events)
    listed = {entry.address: entry.actions for entry in issue.subscriptions}
    listed |= {one.what.address: one.what.actions for one in events if isinstance(one.what, Subscribed)}
    asked = [address for address, actions in listed.items() if "emails" in actions]
    made: dict[str, tuple[int, Line]] = {}
    uncertain: list[str] = []
    for event in shown:
        if not isinstance(event.what, Filed) or event.what.message.internal or event.quiet:
            continue
        for address in _addresses(event.what.message, asked, people)[:_MOST]:
            key = key_of(issue.number, event.number, address)
            line = _by_log(tracker, key, address)
            if line.status not in ("sent", "") or now - event.when < _UNDECIDED:
                uncertain += [] if line.status == "sent" else [key]
            made[key] = event.number, line
    states: Mapping[str, str] = tracker.outbox.states(uncertain)
    due = tracker.outbox.due_at({key for key, state in states.items() if state == "pending"}) if states else {}
    for key in uncertain:
        number, line = made[key]
        made[key] = number, _in_state(line, states.get(key, ""), due.get(key))
    for event_number, what in _failures(tracker, issue.number, events):
        key = key_of(issue.number, event_number, what.recipient)
        if key not in made or not made[key][1].status:
            made[key] = (
                event_number,
                Line(
                    recipient=what.recipient,
                    status="failed",
                    entry="",
                    reply=what.reply,
                    word="failed" if what.report else "",
                    report=what.report,
                    code=what.code,
                ),
            )
    found: dict[int, list[Line]] = {}
    for number, line in made.values():
        if line.status:
            found.setdefault(number, []).append(line)
    return found


def _by_log(tracker: Tracker, key: str, address: str) -> Line:
    """What the log of an entry says, which one file tells; "" as its status when there is none."""
    log = tracker.outbox.log(key)
    if not log:
        return Line(recipient=address, status="", entry=key)
    last, upcoming = log[-1], None
    attempt = max((at for at, one in enumerate(log) if not one.report), default=0)
    if log[attempt].status == "sent":
        # Words come in any order: a receipt says more than a delay that is told of after it.
        last = max(log[attempt:], key=lambda one: _SAYS_MORE.get(one.word, 0))
    else:
        last = log[attempt]
    if last.status == "deferred":
        upcoming = last.when + timedelta(seconds=back_off(sum(1 for one in log if one.status == "deferred")))
    return Line(
        recipient=address,
        status=last.status,
        entry=key,
        reply=last.reply,
        when=last.when,
        next_attempt=upcoming,
        word=last.word,
        report=last.report,
        code=last.code,
        until=last.until,
    )


def _in_state(line: Line, status: str, due: datetime | None) -> Line:
    """The line of an entry that lies in this state; one that lies nowhere any more is what its log says last."""
    if not status:
        return msgspec.structs.replace(line, entry="", next_attempt=None)
    upcoming = line.next_attempt if status == "deferred" else due
    return msgspec.structs.replace(line, status=status, next_attempt=upcoming)


def _failures(tracker: Tracker, number: int, events: Iterable[Event]) -> Iterator[tuple[int, DeliveryFailed]]:
    """What the history knows of mails that never arrived, and the events that filed these mails."""
    for what in (event.what for event in events if isinstance(event.what, DeliveryFailed)):
        ours = read_our_id(what.message_id, tracker.secrets.ids_key)
        if ours is not None and ours.issue == number:
            yield ours.event, what


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


def retry(tracker: Tracker, number: int, entry: str) -> None:
    """Let a mail of this issue be sent by the next run. Raises `NotFound` for another's, and as `queues.retry`."""
    found = tracker.outbox.find(entry)
    if found is None or found.posting.issue != number:
        raise NotFound(N_("That mail is not in the queue any more."))
    queues.retry(tracker, entry)
