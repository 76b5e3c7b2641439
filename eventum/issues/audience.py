"""Whom an event could concern, and the facts about each of them that `recipients` decides by.

In flow: one event, the issue as it will be, the people. Out flow: persons, each once, and `Facts`. Nothing is decided
here but who stands in for staff that a blocked mail would otherwise not reach (see `recipients`).
"""

from collections.abc import Iterable, Iterator

import msgspec

from eventum.issues.access import may_be_told, may_read_notes
from eventum.issues.events import Assigned, Closed, Event, Filed, Opened
from eventum.issues.issue import Issue
from eventum.issues.people import STAFF, People, Preferences, User, preferences
from eventum.issues.routing import OwnAddresses

_BARE = Preferences(all_new=False, assigned=False, own_actions=False)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at for one person.

    `author`: did what the event tells. `incoming`: the event is, or was made by, a mail that the author sent himself.
    `direct`: in To or Cc of the event's message. `actions`: what his entry on the list asks for, None when he is not
    on it. `member`: has a staff role of his own in the project. `fallback`: stands in for staff on the list, see
    above. `left_out`: the author of the message, and of the closing that went with it, chose so.
    """

    event: Event
    address: str
    preferences: Preferences
    own: bool
    inactive: bool
    may_be_told: bool
    staff: bool
    member: bool
    author: bool
    incoming: bool
    direct: bool
    acknowledged: bool
    assigned: bool
    actions: tuple[str, ...] | None
    fallback: bool
    left_out: bool


class Audience:
    """The persons one event names, and the facts about each of them."""

    def __init__(self, event: Event, issue: Issue, people: People) -> None:
        self._event, self._issue, self._people = event, issue, people
        what = event.what
        self._message = what.message if isinstance(what, Filed) else None
        self._incoming = isinstance(what, Opened) and what.by_mail
        self._direct: frozenset[str] = frozenset()
        if self._message is not None:
            self._incoming = not self._message.outgoing
            self._direct = frozenset(one.address for one in (*self._message.to, *self._message.cc))
        self._authors = {event.who} - {""}
        if self._message is not None and self._message.verified != "none":
            self._authors.add(self._message.from_.address)
        self._fallback = self._stand_ins() if self._message is not None and self._message.blocked else ()

    def persons(self) -> dict[str, User | None]:
        """Everybody the event could concern, each once, under the address that named him first."""
        found: dict[str, User | None] = {}
        seen: set[str] = set()
        for address, user in self._named():
            known = user or self._people.by_address(address)
            key = known.id if known else f"<{address}>"
            if address and key not in seen:
                seen.add(key)
                found[address] = known
        return found

    def _named(self) -> Iterator[tuple[str, User | None]]:
        match self._event.what:
            case Opened(acknowledge=address):
                yield address, None
                yield from self._users(self._issue.assignees)
                yield from ((user.email, user) for user in self._people.members(self._issue.project))
            case Assigned(users):
                yield from self._users(users)
            case Filed(message) if message.kind != "draft":
                yield from self._listed()
                if message.outgoing:
                    yield from ((address, None) for address in sorted(self._direct))
                yield from ((user.email, user) for user in self._fallback)
            case Closed():
                yield from self._listed()
            case _:
                return

    def facts(self, address: str, user: User | None, own: OwnAddresses) -> Facts:
        """What the rules look at for one person."""
        what, issue, people = self._event.what, self._issue, self._people
        addresses = (address, *user.addresses) if user else (address,)
        role = user.roles.get(issue.project) if user else None
        return Facts(
            event=self._event,
            address=address,
            preferences=preferences(user, issue.project) if user else _BARE,
            own=any(one in own for one in addresses),
            inactive=user is not None and not user.active,
            may_be_told=user is None or may_be_told(user, issue, people),
            staff=user is not None and may_read_notes(user, issue, people),
            member=role is not None and role >= STAFF,
            author=self._is_author(user, addresses),
            incoming=self._incoming,
            direct=not self._direct.isdisjoint(addresses),
            acknowledged=isinstance(what, Opened) and bool(what.acknowledge) and what.acknowledge in addresses,
            assigned=user is not None and user.id in issue.assignees,
            actions=self._actions(user, addresses),
            fallback=user is not None and user in self._fallback,
            left_out=isinstance(what, Filed | Closed) and not set(what.left_out).isdisjoint(addresses),
        )

    def _users(self, ids: Iterable[str]) -> Iterator[tuple[str, User | None]]:
        users = (self._people.user(one) for one in ids)
        return ((user.email, user) for user in users if user is not None)

    def _listed(self) -> Iterator[tuple[str, User | None]]:
        for entry in self._issue.subscriptions:
            user = self._people.user(entry.user) if entry.user else None
            # An entry whose user is gone from the records must not turn into a stranger who gets the mails.
            if user is not None or not entry.user:
                yield entry.address, user

    def _is_author(self, user: User | None, addresses: tuple[str, ...]) -> bool:
        return not self._authors.isdisjoint(addresses) or (user is not None and user.id in self._authors)

    def _actions(self, user: User | None, addresses: tuple[str, ...]) -> tuple[str, ...] | None:
        entries = [
            entry
            for entry in self._issue.subscriptions
            if entry.address in addresses or (user is not None and entry.user == user.id)
        ]
        return tuple(action for entry in entries for action in entry.actions) if entries else None

    def _stand_ins(self) -> tuple[User, ...]:
        """Who hears of a blocked mail besides the staff on the list: nobody when there is any."""
        issue, people = self._issue, self._people
        listed = (user or people.by_address(address) for address, user in self._listed())
        if self._readers(listed):
            return ()
        assigned = self._readers(people.user(one) for one in issue.assignees)
        wanting = (user for user in people.members(issue.project) if preferences(user, issue.project).all_new)
        return assigned or self._readers(wanting)

    def _readers(self, users: Iterable[User | None]) -> tuple[User, ...]:
        return tuple(
            user
            for user in users
            if user is not None
            and may_read_notes(user, self._issue, self._people)
            and not self._is_author(user, user.addresses)
        )
