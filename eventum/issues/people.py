"""Users and projects as records, and `People`: who somebody is and what role he has in a project.

In flow: the records as the store read them. Out flow: answers to "whose address is this?" and "which role?". Nothing
here knows issues; what somebody may see of one is `access`. Roles and preferences: eventum-behaviour 9.5 and 10.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum

import msgspec

from eventum.errors import NotFound, Refused
from eventum.wording import N_


class Role(IntEnum):
    """What a member is in one project; stored as its number (3 is left free, Eventum's customers of a CRM)."""

    viewer = 1
    reporter = 2
    standard = 4
    developer = 5
    manager = 6
    administrator = 7


STAFF = Role.standard
"""The least role that reads notes and answers for the project."""


class Preferences(msgspec.Struct, frozen=True):
    """What a member wants to be told in one project; the defaults are Eventum's (9.5.2)."""

    all_new: bool = False
    assigned: bool = True
    own_actions: bool = False


DEFAULT_PREFERENCES = Preferences()

WEEK_STARTS = ("monday", "sunday", "saturday")
THEMES = ("", "light", "dark")
SIGNED = ("replies", "notes", "mails")
"""What a signature can be appended to: replies to issues, internal notes, new mails."""
REFRESHES = (0, 1, 5, 15)
"""Minutes after which a list is loaded again; 0 is never."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can log in. `password` is a hash; roles and preferences are by project id.

    `language` "" is what his browser asks for, `theme` "" what his system says. `list_refresh` is in minutes.
    `pictures_from` are the senders whose mails may load pictures from elsewhere when he looks at them.
    """

    schema: int = 1
    revision: int = 0
    id: str
    email: str
    name: str
    aliases: tuple[str, ...] = ()
    password: str = ""
    active: bool = True
    administrator: bool = False
    roles: dict[str, Role] = {}
    preferences: dict[str, Preferences] = {}
    language: str = "en"
    timezone: str = "UTC"
    week_start: str = "monday"
    relative_dates: bool = False
    keys: bool = True
    list_refresh: int = 0
    theme: str = ""
    signature: str = ""
    signature_in: tuple[str, ...] = ("replies", "mails")
    pictures_from: tuple[str, ...] = ()
    created: datetime

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that stands for this user, the one we write to first."""
        return (self.email, *self.aliases)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What issues belong to. `staff_may_mail`: all its staff may mail all its issues; `aliases` are our addresses.

    `mail_charset`: what its mail is written in, of `compose.CHARSETS`, where all of a mail fits into it.
    """

    schema: int = 1
    revision: int = 0
    id: str
    title: str
    sender_name: str = ""
    sender_email: str = ""
    categories: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ("High", "Medium", "Low")
    statuses: tuple[str, ...] = ("new", "open", "waiting", "closed")
    initial_status: str = "new"
    closed_status: str = "closed"
    open_status: str = "open"
    aliases: tuple[str, ...] = ()
    staff_may_mail: bool = False
    mail_charset: str = "utf-8"
    archived: bool = False


class People:
    """The users and projects of one store, as they were when it was made; addresses are compared in lower case."""

    def __init__(self, users: Iterable[User], projects: Iterable[Project]) -> None:
        self._users = {user.id: user for user in users}
        self._projects = {project.id: project for project in projects}
        self._by_address: dict[str, User] = {}
        for user in self._users.values():
            for alias in user.aliases:
                self._by_address.setdefault(alias.lower(), user)
        # An address that somebody has as his own wins over the same address as another user's alias.
        for user in self._users.values():
            self._by_address[user.email.lower()] = user

    @property
    def users(self) -> tuple[User, ...]:
        """All users, inactive ones too."""
        return tuple(self._users.values())

    @property
    def projects(self) -> tuple[Project, ...]:
        """All projects, archived ones too."""
        return tuple(self._projects.values())

    def by_address(self, address: str) -> User | None:
        """The user whose e-mail or alias this is."""
        return self._by_address.get(address.lower())

    def user(self, user_id: str) -> User | None:
        """The user with this id."""
        return self._users.get(user_id)

    def who(self, who: str) -> User | None:
        """The user an event's `who` stands for: a user id, or an address of his."""
        return self._users.get(who) or self.by_address(who)

    def project(self, project_id: str) -> Project:
        """The project with this id. Raises NotFound."""
        try:
            return self._projects[project_id]
        except KeyError:
            raise NotFound(
                N_("There is no project {project!r}; `flask projects list` shows those there are."), project=project_id
            ) from None

    def role(self, user: User | None, project_id: str) -> Role | None:
        """What the user is in a project: an administrator of the installation is one everywhere; None for no member."""
        if user is None:
            return None
        return Role.administrator if user.administrator else user.roles.get(project_id)

    def is_staff(self, user: User | None, project_id: str) -> bool:
        """Whether the user is active and reads this project's notes."""
        role = self.role(user, project_id)
        return user is not None and user.active and role is not None and role >= STAFF

    def members(self, project_id: str) -> tuple[User, ...]:
        """The active users who have a role of their own in this project."""
        return tuple(user for user in self._users.values() if user.active and project_id in user.roles)


def preferences(user: User, project_id: str) -> Preferences:
    """What the user wants to be told in a project; the defaults when he never chose."""
    return user.preferences.get(project_id, DEFAULT_PREFERENCES)


def role_named(name: str) -> Role:
    """The role of this name, in any case of letters. Raises Refused naming those there are."""
    try:
        return Role[name.strip().lower()]
    except KeyError:
        names = " ".join(role.name for role in Role)
        raise Refused(N_("There is no role {name!r}; choose one of: {names}."), name=name, names=names) from None
