"""A person decides about a mail that was blocked: its sender may not write to the issue.

Flows in: issue and key of the mail, who decides. Flows out: the mail as what it would have been, told like one that
came; or ignored; or an issue of its own. And the desk: which blocked mails wait for somebody.
"""

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues import changes, handling
from eventum.issues.access import may_read_notes
from eventum.issues.events import Event, Filing
from eventum.issues.issue import Issue, held, messages
from eventum.issues.notices import LONGEST_TEXT, clipped
from eventum.issues.people import User
from eventum.issues.trace import Row
from eventum.mail.quotes.quoting import Piece
from eventum.store.outbox import key_of
from eventum.tracker.acting import Done, act, acting, check_staff, check_works_for
from eventum.tracker.counts import scope_of
from eventum.tracker.facts import Known
from eventum.tracker.from_mail import Wish, open_from_mails
from eventum.tracker.ground import Arrival, Ground
from eventum.tracker.guard import reading
from eventum.tracker.message_view import pieces_of
from eventum.tracker.opening import check_open
from eventum.tracker.pooled import arrival_of
from eventum.tracker.returning import own_issue, return_mail
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.wording import N_, Say

PAGE = 20
REASONS = {
    "not_entitled": N_("{sender} may not write to this issue."),
    "automatic": N_("A program wrote this, in the name of {sender}."),
    "bounce": N_("This reports that a mail could not be delivered."),
    "sender_not_clear": N_("It is not clear who sent this."),
}
UNKNOWN = N_("{sender} was kept out of this issue.")


class Place(msgspec.Struct, frozen=True):
    """Where a blocked mail is: the issue, and its key there."""

    number: int
    key: str


def accept(
    tracker: Tracker, who: str | None, place: Place, *, always: bool = False, nonce: str = "", delay: int = 0
) -> Done:
    """Let a blocked mail in: it is told to the list and reopens a closed issue, as if its sender had been allowed to.

    With `always` he may write from now on. Nobody gets onto the notification list by it: this mail was let in, not a
    new reader. What was on its way as a note for staff becomes one. Accepted already: no
    change. Raises `NotFound` for an unknown issue or mail, `Refused` for who may not, or when it is not clear who is
    to be allowed; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        changed.delay = delay
        ground = Ground(tracker, changed)
        check_staff(user, work.issue, ground.people)
        filing = _filing(tracker, work.issue, place)
        if always:
            _allow(ground, work, filing, user)
        if filing.blocked:
            _let_in(ground, work, filing, user)

    return act(tracker, place.number, verb, nonce=nonce)


def ignore(tracker: Tracker, who: str | None, place: Place, *, nonce: str = "") -> Done:
    """Let a blocked mail wait for nobody any more; it stays readable for staff. Raises as `accept`."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        filing = _filing(tracker, work.issue, place)
        if filing.waits:
            work.issue = handling.ignored(work.issue, filing, changed.now, who=user.id)

    return act(tracker, place.number, verb, nonce=nonce)


def make_issue(tracker: Tracker, who: str | None, place: Place, *, nonce: str = "", delay: int = 0) -> Done:
    """Move a blocked mail to an issue of its own, in the same project. Raises as `accept`.

    Who dies between the two steps leaves it in Associate Emails, where a person sees it.
    """
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        people = tracker.people.load_all()
        check_staff(user, work.issue, people)
        check_open(people.project(work.issue.project))
        filing = _filing(tracker, work.issue, place)
        if not filing.blocked:
            raise Refused("This mail is not blocked any more; it is part of issue {number}.", number=place.number)
        work.issue, was = handling.taken_out(work.issue, filing, changed.now, who=user.id), work.issue
        return_mail(changed, was, filing, "unassociated", trace=(*filing.trace, own_issue(user, place.number)))

    issue = tracker.issues.load(place.number)
    project, people = issue.project, tracker.people.load_all()
    blocked = next((one for one in messages(tracker.issues.events(issue)) if one.key == place.key), None)
    accounts = (one for one in tracker.settings.usable_accounts() if blocked and one.id == blocked.destination)
    # Whoever may not do the second step must not begin with the first.
    for needed in {project, *(one.project for one in accounts)}:
        check_works_for(user, needed, people)
    tracker.index.catch_up()
    # The second click of two finds the mail where the first has put it.
    if tracker.index.filed(place.key) in (place.number, None) and tracker.index.pooled(place.key) is None:
        act(tracker, place.number, verb)
    return open_from_mails(tracker, who, (place.key,), Wish(project=project), nonce=nonce, delay=delay)


def _filing(tracker: Tracker, issue: Issue, place: Place) -> Filing:
    found = next((one for one in messages(tracker.issues.events(issue)) if one.key == place.key), None)
    if found is None or found.outgoing:
        raise NotFound("Issue {number} has no such mail any more.", number=issue.number)
    return found


def _allow(ground: Ground, work: Work, filing: Filing, user: User) -> None:
    address = filing.from_.address
    if filing.verified == "none" or not address:
        raise Refused("It is not clear who sent this mail, so nobody can be allowed to write; accept it once.")
    if filing.by_machine:
        raise Refused("A program wrote this mail, and nobody is allowed to write by it; accept it once.")
    if address in ground.own:
        raise Refused("{address} is an address of our own, which cannot be allowed to write.", address=address)
    work.issue = changes.replier_added(work.issue, address, ground.changes.now, who=user.id)


def _let_in(ground: Ground, work: Work, filing: Filing, user: User) -> None:
    tracker, now, people = ground.tracker, ground.changes.now, ground.people
    arrival: Arrival = arrival_of(tracker, filing, tracker.issues.mail_path(work.number, filing.key))
    known = Known(ground, arrival)
    kind = "note" if handling.meant_as_note(filing) else "email"
    row = Row("person", "accepted", user.email, f"{kind}:{work.number}")
    new = msgspec.structs.replace(filing, kind=kind, blocked="", handled="", trace=(*filing.trace, row))
    status = changes.reopening(work.issue, new, people.project(work.issue.project), by_staff=known.is_staff(work.issue))
    work.issue = handling.accepted(work.issue, filing, new, now, who=user.id, reopen_to=status)
    work.texts[new.key] = arrival.message.text


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A blocked mail on the desk: who may not write where, why, what he wrote, and whom we told."""

    number: int
    summary: str
    project: str
    filing: Filing
    reason: str
    text: str
    pieces: tuple[Piece, ...] = ()  # of the text; none of one that was cut
    told: tuple[str, ...]


class Desk(msgspec.Struct, frozen=True):
    """One page of the blocked mail that waits."""

    items: tuple[Item, ...]
    total: int
    page: int
    last: int


def desk(tracker: Tracker, user: User, page: int = 1, say: Say = str) -> Desk:
    """The blocked mail that waits where the user is staff, of the issues that changed last first. Raises `Busy`."""
    scope = scope_of(user, tracker.people.load_all())
    tracker.index.catch_up()
    total = tracker.index.waiting(scope)
    last = max(1, -(-total // PAGE))
    page = min(max(page, 1), last)
    places = tracker.index.blocked(scope, limit=PAGE, offset=(page - 1) * PAGE)
    found = (item(tracker, Place(number, key), say) for number, key in places)
    return Desk(tuple(one for one in found if one is not None), total, page, last)


def item(tracker: Tracker, place: Place, say: Say = str) -> Item | None:
    """One blocked mail; None when it waits no more, or its issue cannot be used just now."""
    try:
        issue = tracker.issues.load(place.number)
        events = tracker.issues.events(issue)
        one = next((one for one in held(events) if one.message.key == place.key), None)
        if one is None or not one.message.waits:
            return None
        message = reading(tracker.cache, one.message.digest, tracker.issues.mail_path(place.number, place.key))
    except (NotFound, Damaged):  # `verify` names it.
        return None
    people = tracker.people.load_all()
    return Item(
        number=issue.number,
        summary=issue.summary,
        project=people.project(issue.project).title,
        filing=one.message,
        reason=reason(one.message, say),
        text=clipped(message.text, LONGEST_TEXT),
        pieces=pieces_of(message, LONGEST_TEXT) if len(message.text) <= LONGEST_TEXT else (),
        told=_told(tracker, issue, one.events[0]),
    )


def reason(filing: Filing, say: Say = str) -> str:
    """Why it was blocked, as a sentence."""
    sender = filing.from_.address or filing.from_.name or say(N_("Nobody known"))
    return say(REASONS.get(filing.blocked, UNKNOWN)).format(sender=sender)


def _told(tracker: Tracker, issue: Issue, event: Event) -> tuple[str, ...]:
    """Who of the staff that a blocked mail is told to was told of this one."""
    people = tracker.people.load_all()
    staff = [user for user in people.users if may_read_notes(user, issue, people)]
    names = {key_of(issue.number, event.number, user.email): user.name or user.email for user in staff}
    states = tracker.outbox.states(names)
    return tuple(name for key, name in names.items() if key in states)
