"""The list of mail that belongs to no issue, as somebody sees it: one page of lines, how many each list has, filters.

Flows in: a user and what he wants to see. Flows out: a page. The index gives the page; only the records of the mails on
it are read, so that thousands may wait.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.accounts import Account
from eventum.issues.people import Project, User
from eventum.issues.why import headline
from eventum.mail.reading import files
from eventum.store.index_pool import PoolLine, PoolListing
from eventum.store.layout import POOLS
from eventum.tracker.counts import scope_of
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

PAGE = 50


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the list is to show; "" does not matter. `account` and `project` are ids."""

    outcome: str = "unassociated"
    account: str = ""
    project: str = ""
    text: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of the list; `hint` says in a few words what is special about it, "" for nothing."""

    key: str
    name: str
    address: str
    subject: str
    received: datetime
    account: str
    attachments: int = 0
    hint: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, how many mails each list has, and what the filters offer as (id, name)."""

    lines: tuple[Line, ...]
    total: int
    page: int
    last: int
    counts: dict[str, int]
    accounts: tuple[tuple[str, str], ...]
    projects: tuple[tuple[str, str], ...]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A project in which a new issue may be opened: what it offers, and (address, name) of those who may work on it."""

    id: str
    title: str
    categories: tuple[str, ...]
    priorities: tuple[str, ...]
    staff: tuple[tuple[str, str], ...]


def waiting_list(tracker: Tracker, user: User, wanted: Wanted, page: int = 1, *, say: Say = str) -> Shown:
    """A page of the mail of no issue where the user is staff. Raises `NotFound` for a list there is not, `Busy`."""
    if wanted.outcome not in POOLS:
        raise NotFound("There is no list {name!r}.", name=wanted.outcome)
    people = tracker.people.load_all()
    scope = scope_of(user, people)
    listing = PoolListing(
        scope=scope, outcome=wanted.outcome, account=wanted.account, project=wanted.project, text=wanted.text
    )
    accounts = {one.id: one for one in tracker.settings.usable_accounts()}
    tracker.index.catch_up()
    with tracker.index.snapshot():
        total = tracker.index.pool_count(listing)
        last = max(1, -(-total // PAGE))
        page = min(max(page, 1), last)
        found = tracker.index.pool_lines(msgspec.structs.replace(listing, limit=PAGE, offset=(page - 1) * PAGE))
        counts = {one: tracker.index.pooled_count(scope, one) for one in POOLS}
    mine = [project for project in people.projects if scope.staff is None or project.id in scope.staff]
    ids = {project.id for project in mine}
    return Shown(
        lines=tuple(_line(tracker, one, accounts.get, say) for one in found),
        total=total,
        page=page,
        last=last,
        counts=counts,
        accounts=tuple((one.id, account_name(one)) for one in accounts.values() if one.project in ids),
        projects=_titles(mine),
    )


def targets(tracker: Tracker, user: User) -> tuple[Target, ...]:
    """The projects in which the user may open issues from mail, by title."""
    people = tracker.people.load_all()
    mine = [one for one in people.projects if not one.archived and people.is_staff(user, one.id)]
    return tuple(
        Target(
            id=project.id,
            title=project.title,
            categories=project.categories,
            priorities=project.priorities,
            staff=tuple(
                (one.email, one.name or one.email)
                for one in sorted(people.users, key=lambda one: (one.name or one.email).casefold())
                if one.active and people.is_staff(one, project.id)
            ),
        )
        for project in sorted(mine, key=lambda one: one.title.casefold())
    )


def account_name(account: Account) -> str:
    """What people call an account: its address."""
    return next(iter(account.addresses), "") or account.username or account.folder


def _titles(projects: list[Project]) -> tuple[tuple[str, str], ...]:
    return tuple((one.id, one.title) for one in sorted(projects, key=lambda one: one.title.casefold()))


def _line(tracker: Tracker, line: PoolLine, account: Callable[[str], Account | None], say: Say) -> Line:
    by = account(line.account)
    shown = Line(
        key=line.key,
        name=line.name,
        address=line.sender,
        subject=line.subject,
        received=datetime.fromtimestamp(line.received, UTC),
        account=account_name(by) if by else line.account,
    )
    try:
        pooled = tracker.pool.load(line.account, line.key)
    except (NotFound, Damaged):  # It left meanwhile, or its file is to be mended; opening it says which.
        return shown
    mail = pooled.mail
    hint = say(_KINDS.get(mail.automatic, "")) if mail.automatic in _KINDS else ""
    tag = next((row.saw for row in pooled.trace if row.rule == "subject_tag" and row.saw.startswith("unknown:")), "")
    if tag:
        hint = say(N_("names #{number}, no such issue")).format(number=tag.partition(":")[2])
    if line.outcome in ("refused", "ignored", "duplicate"):
        hint = headline(pooled.trace, say)
    return msgspec.structs.replace(shown, attachments=len(files(mail.attachments)), hint=hint)


_KINDS = {
    "list": N_("list mail"),
    "bounce": N_("bounce"),
    "auto-reply": N_("automatic answer"),
    "auto-generated": N_("written by a program"),
    "ours": N_("our own notice"),
    "sent-on": N_("sent on by a tracker"),
}
