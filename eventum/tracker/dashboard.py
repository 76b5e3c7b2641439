"""The first screen: what waits for somebody, what happened, how the mail flows.

Flows in: a user, and since when something is new to him. Flows out: values to be shown, made of the index, of the
records of the few issues that are shown, and of the daily counts. What a user may not see is not among them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.issue import messages
from eventum.issues.notices import BLOCKED
from eventum.issues.people import User
from eventum.store.index_lists import Line, Listing
from eventum.store.index_pool import PoolLine, PoolListing
from eventum.tracker import counts
from eventum.tracker.checks import Check
from eventum.tracker.health import Looks
from eventum.tracker.mailbox_states import name_of
from eventum.tracker.tracker import Tracker
from eventum.tracker.views import WAITING
from eventum.wording import N_, Say

DAYS = 14
SHOWN_ISSUES = 6
MOST_OWN = 500  # Issues of one person that are looked at to count those that wait for him.
SHOWN_MAILS = 5
# Why a mail belongs to no issue, by the rule of `association` that decided it.
UNASSOCIATED = MappingProxyType(
    {
        "machine": N_("a program wrote it, which opens no issue"),
        "own_sender": N_("it comes from an address of ours"),
        "auto_creation": N_("Auto-Creation is off for its account"),
    }
)


class Own(msgspec.Struct, frozen=True):
    """One of somebody's issues; `waits` for him: the newest e-mail is not from his side."""

    number: int
    summary: str
    reporter: str
    status: str
    updated: datetime
    waits: bool


class Mine(msgspec.Struct, frozen=True):
    """Somebody's open issues: the first of them, how many there are, and how many wait for him."""

    issues: Sequence[Own]
    total: int
    waiting: int


class Waiting(msgspec.Struct, frozen=True):
    """A mail that waits for a decision: blocked in an issue, or (0) of none; `why` is a marked sentence."""

    when: datetime
    subject: str
    sender: str
    number: int
    key: str
    why: str


class Day(msgspec.Struct, frozen=True):
    """Mail of one day (UTC)."""

    day: date
    came: int
    went: int
    is_today: bool


class Missing(msgspec.Struct, frozen=True):
    """A run that does not come although mail depends on it; `since` is None when it never came."""

    command: str
    since: datetime | None
    line: str


def is_staff(tracker: Tracker, user: User) -> bool:
    """Whether he is staff of any project."""
    return counts.scope_of(user, tracker.people.load_all()).staff != ()


def mine(tracker: Tracker, user: User) -> Mine:
    """The open issues assigned to the user; for who is no staff, those that he reported. What waits for him, first."""
    scope = counts.scope_of(user, tracker.people.load_all())
    is_staff = scope.staff != ()
    lines: list[Line] = []
    if is_staff:
        lines = tracker.index.lines(Listing(scope=scope, is_closed=False, assignee=user.id, limit=MOST_OWN))
    else:
        for address in user.addresses:
            lines += tracker.index.lines(Listing(scope=scope, is_closed=False, reporter=address, limit=MOST_OWN))
    own = [_own(line, is_staff=is_staff) for line in lines]
    own.sort(key=lambda one: (not one.waits, -one.updated.timestamp()))
    return Mine(own[:SHOWN_ISSUES], len(own), sum(1 for one in own if one.waits))


def _own(line: Line, *, is_staff: bool) -> Own:
    theirs = bool(line.last_sender)
    # What staff set to wait for the customer waits for nobody here, whoever wrote last.
    waits = (theirs and line.status != WAITING) if is_staff else (not theirs and line.emails > 0)
    updated = datetime.fromtimestamp(line.updated, UTC)
    return Own(line.number, line.summary, line.reporter_name or line.reporter, line.status, updated, waits)


def waiting_mail(tracker: Tracker, user: User) -> list[Waiting]:
    """The newest mail that waits where the user is staff: blocked, or of no issue."""
    scope = counts.scope_of(user, tracker.people.load_all())
    found = [_blocked(tracker, *place) for place in tracker.index.blocked(scope, limit=SHOWN_MAILS)]
    listing = PoolListing(scope=scope, outcome="unassociated", limit=SHOWN_MAILS)
    found += [_pooled(tracker, line) for line in tracker.index.pool_lines(listing)]
    there = [one for one in found if one is not None]
    return sorted(there, key=lambda one: one.when, reverse=True)[:SHOWN_MAILS]


def _blocked(tracker: Tracker, number: int, key: str) -> Waiting | None:
    try:
        issue = tracker.issues.load(number)
        # The newest form of a message wins; most stand in the record, the others in its history.
        for events in (issue.events, tracker.issues.events(issue)):
            for mail in messages(events):
                if mail.key == key:
                    why = BLOCKED.get(mail.blocked, mail.blocked)
                    return Waiting(mail.received, mail.subject, mail.from_.name or mail.from_.address, number, key, why)
    except (NotFound, Damaged):  # `verify` names it.
        pass
    return None


def _pooled(tracker: Tracker, line: PoolLine) -> Waiting | None:
    try:
        trace = tracker.pool.load(line.account, line.key).trace
    except (NotFound, Damaged):  # An issue took it meanwhile, or `verify` names it.
        return None
    rule = next((row.rule for row in reversed(trace) if row.rule in UNASSOCIATED), "")
    why = UNASSOCIATED.get(rule, N_("no issue claims it"))
    received = datetime.fromtimestamp(line.received, UTC)
    return Waiting(received, line.subject, line.name or line.sender, 0, line.key, why)


def days(tracker: Tracker) -> list[Day]:
    """Mail in and out of the last days, today last."""
    today = tracker.clock().astimezone(UTC).date()
    came, went = tracker.daily.counts("in"), tracker.daily.counts("out")
    span = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [Day(day, came.get(day, 0), went.get(day, 0), day == today) for day in span]


def account_names(tracker: Tracker) -> Mapping[str, str]:
    """What people call each account."""
    return {account.id: name_of(account) for account in tracker.settings.usable_accounts()}


def accounts(tracker: Tracker, user: User, say: Say) -> list[Check]:
    """How fetching goes, of the accounts that are the user's affair: his projects', for an administrator all."""
    staff = counts.scope_of(user, tracker.people.load_all()).staff
    looks = Looks(tracker, {}, say)
    return list(looks.accounts([one for one in looks.fetched() if staff is None or one.project in staff]))


def missing_run(tracker: Tracker, checks: Sequence[Check]) -> Missing | None:
    """The run whose absence stops mail: the one to be told of first; None when both come."""
    late = [check for check in checks if check.line and check.name in ("download-emails", "process-queue")]
    late.sort(key=lambda check: (-check.level, check.name))
    for check in late:
        last = tracker.state.run(check.name)
        return Missing(check.name, last.ended if last else None, check.line)
    return None


def next_step(tracker: Tracker) -> Literal["project", "account", ""]:
    """What a fresh installation lacks first before mail can flow; "" when nothing."""
    if not tracker.people.load_all().projects:
        return "project"
    has_account = tracker.settings.usable_accounts() or tracker.settings.damaged_accounts()
    return "" if has_account else "account"
