"""How each e-mail account is doing, as the list of accounts shows it, and what its forms let somebody choose.

Flows in: a tracker. Flows out: plain values. A state is told by the same notes and the same limits as `health`, so that
no screen is green where another is not.
"""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.accounts import TYPES
from eventum.issues.accounts import Account as Account  # What the screens know of an account.
from eventum.issues.people import People, Project, Role
from eventum.store.index_pool import PoolListing
from eventum.store.index_texts import Scope
from eventum.store.said import Said
from eventum.store.state import FetchState
from eventum.tracker import patience
from eventum.tracker.looking import LATE
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

Status = Literal["working", "overdue", "failing", "paused", "never", "first", "delivered", "passed_over"]

# The types as people choose them, in the order of how often they are right; the first five are what nearly all need.
TYPE_WORDS = {
    "imap/ssl": N_("IMAP over TLS (usual)"),
    "pop3/ssl": N_("POP3 over TLS"),
    "imap/tls": N_("IMAP with STARTTLS"),
    "pop3/tls": N_("POP3 with STARTTLS"),
    "maildir": N_("Maildir: a folder on this machine"),
    "delivered": N_("Delivered: mail is handed to us by a mail server"),
    "imap": N_("IMAP, STARTTLS if the server offers it"),
    "pop3": N_("POP3, STARTTLS if the server offers it"),
    "imap/ssl/novalidate-cert": N_("IMAP over TLS, any certificate accepted"),
    "pop3/ssl/novalidate-cert": N_("POP3 over TLS, any certificate accepted"),
    "imap/tls/novalidate-cert": N_("IMAP with STARTTLS, any certificate accepted"),
    "pop3/tls/novalidate-cert": N_("POP3 with STARTTLS, any certificate accepted"),
    "imap/notls": N_("IMAP in clear text: the password too"),
    "pop3/notls": N_("POP3 in clear text: the password too"),
}


LAST = 20  # Mails that are looked back at.


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """One account of the list; `words` is why it fails, or what was left on the server."""

    id: str
    name: str
    place: str
    project: str
    type: str
    status: Status
    since: datetime | None = None
    last_success: datetime | None = None
    failures: int = 0
    words: str = ""
    why: Said = Said()  # the same, to be said in the reader's language; empty for words of the server alone
    next_try: datetime | None = None  # before it only who asks for it makes it connect
    auto_create: bool = False
    paused: bool = False
    is_fetched: bool = True
    is_begun: bool = True  # its first fetch began once


def listed(tracker: Tracker) -> tuple[Mailbox, ...]:
    """All accounts whose file can be used, by project and name."""
    titles = {project.id: project.title for project in tracker.people.load_all().projects}
    found = [_mailbox(tracker, account, titles) for account in tracker.settings.usable_accounts()]
    return tuple(sorted(found, key=lambda one: (one.project.casefold(), one.name)))


def one(tracker: Tracker, account: Account) -> Mailbox:
    """One account as the list shows it."""
    titles = {project.id: project.title for project in tracker.people.load_all().projects}
    return _mailbox(tracker, account, titles)


def damaged(tracker: Tracker) -> tuple[str, ...]:
    """What is wrong with the files of accounts that cannot be used, a sentence each."""
    return tuple(tracker.settings.damaged_accounts().values())


def name_of(account: Account) -> str:
    """What people call the account: its address, else who logs in, else its folder."""
    return account.addresses[0] if account.addresses else account.username or account.folder


def place_of(account: Account) -> str:
    """Where its mail comes from, in one line."""
    kind = TYPES[account.type]
    if not kind.remote:
        return account.folder if kind.protocol == "maildir" else ""
    host = f"[{account.host}]" if ":" in account.host else account.host
    folder = f", {account.folder}" if kind.protocol == "imap" else ""
    return f"{host}:{account.port or kind.port}{folder}"


def kept(tracker: Tracker, account: Account) -> int:
    """How many mails of no issue came by this account and are kept."""
    return sum(1 for _ in tracker.pool.entries(account.id))


class Waiting(msgspec.Struct, frozen=True):
    """The last mails of an account that wait under Associate Emails: what Auto-Creation makes of their like."""

    would_open: int = 0
    would_stay: int = 0


def waiting(tracker: Tracker, account: Account) -> Waiting:
    """Of the last mails of no issue, those that only Auto-Creation being off kept from opening one, and the others.

    It is told by what was noted when they were decided; no server is asked. Raises `Damaged`, `Busy`.
    """
    tracker.index.catch_up()
    found = tracker.index.pool_lines(PoolListing(account=account.id, limit=LAST))
    would_open = would_stay = 0
    for line in found:
        with suppress(NotFound):  # Somebody took it out of the pool meanwhile.
            deciding = tracker.pool.load(account.id, line.key).trace[-1:]
            was_off = bool(deciding) and (deciding[0].rule, deciding[0].saw) == ("auto_creation", "off")
            would_open, would_stay = would_open + was_off, would_stay + (not was_off)
    return Waiting(would_open, would_stay)


def projects(tracker: Tracker, but: str = "") -> tuple[Project, ...]:
    """The projects an account may belong to: those that take new issues, and the one it belongs to."""
    return tuple(one for one in tracker.people.usable_projects() if not one.archived or one.id == but)


class Assignable(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be assigned issues of a project: his role there, and how many open issues of it he has."""

    id: str
    name: str
    role: str
    issues: int


def assignable(tracker: Tracker, project: str) -> tuple[Assignable, ...]:
    """Who may be assigned issues of a project, by name. Raises `Busy` when the index cannot be used now."""
    people: People = tracker.people.load_all()
    users = sorted(
        (user for user in people.users if people.is_staff(user, project)),
        key=lambda user: (user.name.casefold(), user.email),
    )
    tracker.index.catch_up()
    tallies = tracker.index.tallies(Scope(projects=(project,)), tuple(user.id for user in users))
    counts = Counter[str]()
    for user_id, _status, is_closed, count in tallies:
        counts[user_id] += 0 if is_closed else count
    return tuple(
        Assignable(
            id=user.id,
            name=user.name or user.email,
            role=(people.role(user, project) or Role.standard).name,
            issues=counts[user.id],
        )
        for user in users
    )


def _mailbox(tracker: Tracker, account: Account, titles: dict[str, str]) -> Mailbox:
    try:
        state = tracker.state.fetch(account.id)
    except Damaged as error:  # Of this account alone; its runs say the same.
        state = FetchState(error=str(error), first_fetch=tracker.clock(), started=True)
    status = _status(account, state, tracker.clock())
    words = state.error if status == "failing" else ""
    if status == "passed_over":
        words = state.passed_over[-1]
    return Mailbox(
        id=account.id,
        name=name_of(account),
        place=place_of(account),
        project=titles.get(account.project, account.project),
        type=account.type,
        status=status,
        since=state.error_since if status == "failing" else None,
        last_success=state.last_success,
        failures=state.failures,
        words=words,
        why=state.why if status == "failing" else Said(),
        next_try=patience.waits_until(state, account, tracker.clock()) if status == "failing" else None,
        auto_create=account.auto_create.enabled,
        paused=account.paused,
        is_fetched=not account.is_delivered,
        is_begun=state.first_fetch is not None,
    )


def _status(account: Account, state: FetchState, now: datetime) -> Status:
    if account.paused:
        return "paused" if state.first_fetch else "first"
    if account.is_delivered:
        return "delivered"
    if state.error:
        return "failing"
    if state.last_success is None:
        return "never"
    if now - state.last_success > timedelta(minutes=LATE["download-emails"][0]):
        return "overdue"
    return "passed_over" if state.passed_over else "working"
