"""Compares an account with its server: what lies there against what lies here, every difference named.

Flows in: an account. Flows out: groups of mails with the reason they are where they are. Nothing is changed here or
there; no mail is downloaded. What a server never told us of, because it was gone before a run came, nobody can know.
"""

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from eventum.errors import Busy, Refused
from eventum.issues.accounts import Account
from eventum.runners.account_fetch import BY_NUMBER
from eventum.runners.account_server import server_of
from eventum.store.sources import sources
from eventum.store.state import FetchState
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Position, Timeouts, open_mailbox
from eventum.wording import N_

TIMES = Timeouts(connect=10, command=20, whole=120)
NAMED = 20  # Numbers of a group that are shown.

Kind = Literal["both", "owed", "waiting", "passed_over", "before_start", "elsewhere", "gone", "numbers"]
WORDS: dict[Kind, str] = {
    "both": N_("On the server and here."),
    "owed": N_("Here, and to be deleted on the server: the next run tells it again."),
    "waiting": N_("On the server and not fetched yet: the next run takes them."),
    "passed_over": N_("Left on the server because it could not give them, or they are too large."),
    "before_start": N_("On the server since before the first fetch, which was told to leave them (--start)."),
    "elsewhere": N_(
        "On the server and looked at before, but no mail here came under this number: the same bytes came under "
        "another one, or the mail was deleted here."
    ),
    "gone": N_("Here, and not on the server any more: deleted there, by us or by somebody else."),
    "numbers": N_("The server gave all its mails new numbers: the next run looks at each and takes what is not here."),
}
FINE: tuple[Kind, ...] = ("both", "gone", "before_start")  # Nothing has to be done about these.


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Mails that are where they are for the same reason; `ids` are the first of them."""

    kind: Kind
    count: int
    ids: tuple[str, ...]
    words: str
    said: tuple[str, ...] = ()  # what was noted of single mails


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found; `here` counts the mails that came by the account and lie in the store."""

    account: str
    on_server: int
    here: int
    groups: tuple[Group, ...]

    @property
    def is_even(self) -> bool:
        """Whether everything on the server is here, or is meant not to be."""
        return all(group.kind in FINE for group in self.groups)


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of mails: `there` on the server, `here` in the store, `known` of those that were looked at before."""

    there: tuple[str, ...]
    here: frozenset[str]
    known: Collection[str]
    validity: str = ""


def compare(tracker: Tracker, account: Account) -> Compared:
    """Compare. Raises `Refused` for an account without a server, `Busy`, and as the transport does."""
    if account.is_delivered:
        raise Refused(N_("Mail is delivered to this account; there is no server to compare it with."))
    lease = tracker.locks.lease(f"account-{account.id}")
    if lease is None:
        raise Busy(N_("A run is fetching this account just now; try again when it is done."))
    with lease:
        server = server_of(tracker, account)
        with open_mailbox(server, timeouts=TIMES) as mailbox:
            there, validity = mailbox.new(Position()), mailbox.validity
        state = tracker.state.fetch(account.id)
        by_number = server.protocol == BY_NUMBER
        known: Collection[str] = () if by_number else tracker.state.fetched_ids(account.id)
        # The numbers of another mailbox, which the account was pointed at before, mean other mails.
        begin = f"{server.protocol}://{account.username}@{account.host.lower()}/{account.folder};uid="
        here = {one.removeprefix(begin) for one in sources(tracker.layout, account.id) if one.startswith(begin)}
    known = _up_to(state, there) if by_number else known
    return compared(account, state, Sides(there=there, here=frozenset(here), known=known, validity=validity))


def _up_to(state: FetchState, there: Iterable[str]) -> Collection[str]:
    """IMAP: what was looked at is a number."""
    todo = set(state.todo)
    return {uid for uid in there if int(uid) <= state.last and uid not in todo}


def compared(account: Account, state: FetchState, sides: Sides) -> Compared:
    """The groups of the mails on both sides."""
    on_server, here, known = set(sides.there), sides.here, sides.known
    found: dict[Kind, list[str]] = {kind: [] for kind in WORDS}
    noted = {one.partition(": ")[0] for one in state.passed_over}
    first = min((int(one) for one in here if one.isdigit()), default=None)
    if state.started and state.validity != sides.validity:
        found["numbers"] = list(sides.there)
        return _result(account, found, sides, ())
    for uid in sides.there:
        if uid in state.owed or (uid in here and not account.leave_copy):
            found["owed"].append(uid)
        elif uid in here:
            found["both"].append(uid)
        elif uid in noted:
            found["passed_over"].append(uid)
        elif uid not in known:
            found["waiting"].append(uid)
        elif account.start != "all" and _is_early(uid, first):
            found["before_start"].append(uid)
        else:
            found["elsewhere"].append(uid)
    found["gone"] = sorted(here - on_server, key=_order)
    said = tuple(one for one in state.passed_over if one.partition(": ")[0] in on_server)
    return _result(account, found, sides, said)


def _is_early(uid: str, first: int | None) -> bool:
    """Whether it may have been there before the first mail that was fetched; ids without an order may."""
    return not uid.isdigit() or first is None or int(uid) < first


def _order(uid: str) -> tuple[int, str]:
    return (int(uid), "") if uid.isdigit() else (0, uid)


def _result(account: Account, found: dict[Kind, list[str]], sides: Sides, said: tuple[str, ...]) -> Compared:
    groups = tuple(
        Group(
            kind=kind,
            count=len(ids),
            ids=tuple(ids[:NAMED]),
            words=WORDS[kind],
            said=said[:NAMED] if kind == "passed_over" else (),
        )
        for kind, ids in found.items()
        if ids
    )
    return Compared(account=account.id, on_server=len(sides.there), here=len(sides.here), groups=groups)
