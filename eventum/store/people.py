"""Users and projects at rest: found by id, address or title, changed under one lock.

Flows in: `User` and `Project` values. Flows out: the same, and `People`, the value of all of them that the rules ask.
The one rule kept here is that of a key: an address belongs to one user or to our own side, and a title to one project.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from eventum.errors import NotFound, Refused
from eventum.issues.people import People, Project, User
from eventum.mail.address import is_address
from eventum.store.folder import RecordFolder, by_id
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.wording import N_

LOCK = "people"
OF_A_PROJECT = N_("{address} belongs to project {name!r}; an address belongs to one.")
OF_A_USER = N_("{address} belongs to user {name}; an address belongs to one.")


class PeopleStore:
    """The users and projects of one store."""

    def __init__(self, layout: Layout, locks: Locks) -> None:
        self._locks = locks
        self._users = RecordFolder(layout.users, User)
        self._projects = RecordFolder(layout.projects, Project)
        self._people: tuple[Mapping[str, User], Mapping[str, Project], People] | None = None

    def damaged(self) -> tuple[str, ...]:
        """What is wrong with files of users and projects that cannot be used, a sentence each."""
        return (*self._users.damaged().values(), *self._projects.damaged().values())

    def load_all(self) -> People:
        """Everybody whose file can be used, as one value; the same object as before while nothing changed.

        Who stands in a damaged file counts as a stranger until it is mended: his mail is blocked, which a person can
        undo, and nobody else's mail has to wait. Every run names the file (`damaged`).
        """
        users, projects = self._users.usable(), self._projects.usable()
        if self._people is None or self._people[0] is not users or self._people[1] is not projects:
            self._people = users, projects, People(users=tuple(users.values()), projects=tuple(projects.values()))
        return self._people[2]

    def users(self) -> tuple[User, ...]:
        """All users, by address."""
        return tuple(sorted(self._users.all().values(), key=lambda user: user.email))

    def projects(self) -> tuple[Project, ...]:
        """All projects, by title."""
        return tuple(sorted(self._projects.all().values(), key=lambda project: project.title.casefold()))

    def usable_users(self) -> tuple[User, ...]:
        """All users but those that `damaged` names, by address: one broken file must not close a screen."""
        return tuple(sorted(self._users.usable().values(), key=lambda user: user.email))

    def usable_projects(self) -> tuple[Project, ...]:
        """All projects but those that `damaged` names, by title."""
        return tuple(sorted(self._projects.usable().values(), key=lambda project: project.title.casefold()))

    def user(self, name: str) -> User:
        """The user with this address, alias, id or beginning of an id. Raises `NotFound`, `Damaged`."""
        for user in self._users.usable().values():
            if name.lower() in user.addresses:
                return user
        if found := by_id(self._users, name):
            return found
        self._users.all()  # The one who is asked for may be in a file that cannot be used.
        raise NotFound(N_("There is no user {name!r}; `flask users list` shows all."), name=name)

    def project(self, name: str) -> Project:
        """The project with this title, id or beginning of an id. Raises `NotFound`, `Damaged`."""
        for project in self._projects.usable().values():
            if project.title.casefold() == name.casefold():
                return project
        if found := by_id(self._projects, name):
            return found
        self._projects.all()  # The one that is asked for may be in a file that cannot be used.
        raise NotFound(N_("There is no project {name!r}; `flask projects list` shows all."), name=name)

    def save_user(self, user: User) -> User:
        """Write a user, new when its id is ""; what was written, with id and next revision.

        Raises `Refused` when an address is none or somebody else's, `Conflict` when the user was changed meanwhile.
        """
        user = user if user.id else msgspec.structs.replace(user, id=secrets.token_hex(8))
        with self._locks.record(LOCK):
            for address in user.addresses:
                self.check_free(address, but=user.id)
            return self._users.put(user)

    def save_project(self, project: Project) -> Project:
        """Write a project, new when its id is ""; what was written, with id and next revision.

        Raises `Refused` when its title or one of its addresses is taken, `Conflict` when it was changed meanwhile.
        """
        project = project if project.id else msgspec.structs.replace(project, id=secrets.token_hex(8))
        _check_addresses(_addresses_of(project))
        with self._locks.record(LOCK):
            for other in self._projects.all().values():
                if other.id != project.id and other.title.casefold() == project.title.casefold():
                    raise Refused(
                        N_("There is a project {title!r} already; titles are used as names."),
                        title=other.title,
                        field="title",
                    )
            ours = set(_addresses_of(project))
            for user in self._users.all().values():
                if clash := ours & set(user.addresses):
                    raise Refused(
                        N_("{address} belongs to user {user}; a project needs an address of its own."),
                        address=clash.pop(),
                        user=user.email,
                    )
            return self._projects.put(project)

    def check_free(self, address: str, but: str) -> None:
        """Raise `Refused` when this is no address, or belongs to somebody else than the user with the id `but`."""
        if owner := self._owner(address, but):
            message, name = owner
            raise Refused(message, address=address, name=name)

    def is_free(self, address: str, but: str) -> bool:
        """Whether nobody but that user has this address. Raises `Refused` when it is none."""
        return self._owner(address, but) is None

    def _owner(self, address: str, but: str) -> tuple[str, str] | None:
        _check_addresses([address])
        return dict(self._taken(but)).get(address)

    def _taken(self, but: str) -> Iterator[tuple[str, tuple[str, str]]]:
        """Each address that has an owner: what is said to who wants it, and the owner's name."""
        for project in self._projects.all().values():
            for address in _addresses_of(project):
                yield address, (OF_A_PROJECT, project.title)
        for user in self._users.all().values():
            if user.id != but:
                for address in user.addresses:
                    yield address, (OF_A_USER, user.email)


def _addresses_of(project: Project) -> tuple[str, ...]:
    return tuple(address for address in (project.sender_email, *project.aliases) if address)


def _check_addresses(addresses: Iterable[str]) -> None:
    for address in addresses:
        if not is_address(address) or address != address.lower():
            raise Refused(N_("{address!r} is not an e-mail address; write it like name@example.org."), address=address)
