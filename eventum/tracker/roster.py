"""Who is here: users and projects as their screens list them, with what else is known of each.

Flows in: a store. Flows out: rows of values. Who is changed, and how, is `membership`; links and logins have rooms of
their own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.people import Project as Project  # What the screens know of a project.
from eventum.issues.people import Role, User
from eventum.tracker.invitations import invitation
from eventum.tracker.membership import ProjectForm, UserForm, save_user
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

WORDS = ("categories", "priorities", "statuses")
"""The fields of a project that hold the words its issues are described with; each is also a column of the index."""
_COLUMNS: Mapping[str, Literal["category", "priority", "status"]] = {
    "categories": "category",
    "priorities": "priority",
    "statuses": "status",
}


NEW_PROJECT = Project(id="", title="")
"""What the form for a new project begins with."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A user in the list: his roles by the project's title, when he logged in last, how long his invitation lasts."""

    user: User
    roles: tuple[tuple[str, str], ...]
    last_login: datetime | None
    invited_until: datetime | None


class Kept(msgspec.Struct, frozen=True):
    """A word that was taken from a project, and how many of its issues keep it."""

    field: str  # One of WORDS.
    word: str
    issues: int


def user_by_id(tracker: Tracker, user_id: str) -> User:
    """The user with exactly this id. Raises `NotFound`."""
    user = tracker.people.load_all().user(user_id)
    if user is None:
        raise NotFound(N_("There is no such user."))
    return user


def project_by_id(tracker: Tracker, project_id: str) -> Project:
    """The project with exactly this id. Raises `NotFound`."""
    for project in tracker.people.load_all().projects:
        if project.id == project_id:
            return project
    raise NotFound(N_("There is no such project."))


def projects(tracker: Tracker) -> tuple[Project, ...]:
    """All projects by title, those that are archived last."""
    return tuple(
        sorted(tracker.people.usable_projects(), key=lambda project: (project.archived, project.title.casefold()))
    )


def defaults(tracker: Tracker) -> dict[str, str]:
    """What a new user begins with, by the names of a user's fields."""
    found: dict[str, str] = msgspec.structs.asdict(tracker.settings.general().defaults)
    return found


def users(tracker: Tracker) -> tuple[Listed, ...]:
    """All users by name, those that are deactivated last."""
    titles = {project.id: project.title for project in tracker.people.usable_projects()}
    everybody = sorted(tracker.people.usable_users(), key=lambda user: (not user.active, user.name.casefold()))
    return tuple(_listed(tracker, user, titles) for user in everybody)


def shown(tracker: Tracker, user: User) -> Listed:
    """One user, as in the list."""
    return _listed(tracker, user, {project.id: project.title for project in tracker.people.usable_projects()})


def roles_in(tracker: Tracker, project: Project) -> Mapping[str, str]:
    """The role of each active user in a project, "none" for no member, by id in the order of names."""
    active = sorted(
        (user for user in tracker.people.usable_users() if user.active), key=lambda user: user.name.casefold()
    )
    return {user.id: Role(user.roles[project.id]).name if project.id in user.roles else "none" for user in active}


def set_roles(tracker: Tracker, project: Project, wanted: Mapping[str, str], before: Mapping[str, str]) -> list[User]:
    """Give users another role in a project; those who were changed, as they are then.

    `before` is what the form showed: a role that stands there as it was is left, whatever it is by now. Each is a
    change of its own; what is refused leaves the others changed. Raises `Refused`, `NotFound`, `Conflict`.
    """
    return [
        save_user(tracker, user_by_id(tracker, user_id).id, UserForm(members=((project.id, role),)))
        for user_id, role in wanted.items()
        if role != before.get(user_id, role)
    ]


def kept(tracker: Tracker, project: Project, form: ProjectForm) -> list[Kept]:
    """The words that the form takes from a project and that issues of it have: they keep them."""
    found = []
    for field in WORDS:
        wanted = getattr(form, field)
        gone = set(getattr(project, field)) - set(getattr(project, field) if wanted is None else wanted)
        if gone:
            tracker.index.catch_up()
            counts = tracker.index.counted(project.id, _COLUMNS[field])
            found += [Kept(field, word, counts[word]) for word in getattr(project, field) if word in gone & set(counts)]
    return found


def _listed(tracker: Tracker, user: User, titles: Mapping[str, str]) -> Listed:
    try:
        waiting, last_login = invitation(tracker, user), tracker.logins.of(user.id).last_login
    except Damaged:  # `verify` names the file; the list is shown without what it says.
        waiting, last_login = None, None
    return Listed(
        user=user,
        roles=tuple(sorted((titles.get(project, project), Role(role).name) for project, role in user.roles.items())),
        last_login=last_login,
        invited_until=waiting[1] if waiting else None,
    )
