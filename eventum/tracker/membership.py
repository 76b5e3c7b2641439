"""Users and projects: who is added or changed, and how they are shown.

Flows in: forms, whose fields are None where nothing is to change, with projects named as people name them. Flows out:
the records as saved, and rows for screens, commands and JSON. No password passes here in clear: a form holds a hash.
"""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from eventum.errors import Refused
from eventum.issues.people import Preferences, Project, Role, User, role_named
from eventum.tracker.tracker import Tracker

LANGUAGES = ("en", "ja")
MAX_NAME = 200  # Characters; names and titles become parts of mail headers.
PREFERENCES = tuple(field.name for field in msgspec.structs.fields(Preferences))


class UserForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said or changed about a user; None leaves it."""

    email: str | None = None
    name: str | None = None
    aliases: tuple[str, ...] | None = None
    password: str | None = None  # A hash.
    active: bool | None = None
    administrator: bool | None = None
    language: str | None = None
    timezone: str | None = None
    members: tuple[tuple[str, str], ...] = ()  # (project, role); role "none" ends the membership.
    preferences: tuple[tuple[str, str, bool], ...] = ()  # (project, preference, wanted)


class ProjectForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said or changed about a project; None leaves it."""

    title: str | None = None
    sender_name: str | None = None
    sender_email: str | None = None
    categories: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    initial_status: str | None = None
    aliases: tuple[str, ...] | None = None
    staff_may_mail: bool | None = None
    archived: bool | None = None


def save_user(tracker: Tracker, name: str | None, form: UserForm) -> User:
    """Change the user of that name, or add one when it is None; the user as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown user or project, `Conflict`.
    """
    user = User(id="", email="", name="", created=tracker.clock()) if name is None else tracker.people.user(name)
    changes = _given(form, ("name", "password", "active", "administrator", "language", "timezone"))
    if form.email is not None:
        changes["email"] = form.email.strip().lower()
    if form.aliases is not None:
        changes["aliases"] = tuple(dict.fromkeys(alias.strip().lower() for alias in form.aliases))
    changes["roles"] = _roles(tracker, user, form)
    changes["preferences"] = _preferences(tracker, user, form)
    user = msgspec.structs.replace(user, **changes)
    _check_line("A user's name", user.name)
    if user.language not in LANGUAGES:
        raise Refused(f"{user.language!r} is not a language of ours: {', '.join(LANGUAGES)}.")
    _check_timezone(user.timezone)
    _check_administrators(tracker, user)
    return tracker.people.save_user(user)


def save_project(tracker: Tracker, name: str | None, form: ProjectForm) -> Project:
    """Change the project of that name, or add one when it is None; the project as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown project, `Conflict`.
    """
    project = Project(id="", title="") if name is None else tracker.people.project(name)
    changes = _given(form, ("title", "sender_name", "initial_status", "staff_may_mail", "archived"))
    for field in ("categories", "priorities", "statuses"):
        if (values := getattr(form, field)) is not None:
            changes[field] = tuple(dict.fromkeys(value.strip() for value in values))
    if form.sender_email is not None:
        changes["sender_email"] = form.sender_email.strip().lower()
    if form.aliases is not None:
        changes["aliases"] = tuple(dict.fromkeys(alias.strip().lower() for alias in form.aliases))
    project = msgspec.structs.replace(project, **changes)
    _check_line("A project's title", project.title)
    if project.sender_name:
        _check_line("A project's sender name", project.sender_name)
    for value in (*project.categories, *project.priorities, *project.statuses):
        _check_line("A category, priority or status", value)
    for status in (project.initial_status, project.open_status, project.closed_status):
        if status not in project.statuses:
            raise Refused(
                f"A project that uses the status {status!r} has to have it; it has {', '.join(project.statuses)}."
            )
    return tracker.people.save_project(project)


def user_row(tracker: Tracker, user: User) -> dict[str, object]:
    """A user as shown and as JSON; projects by title, never the password."""
    titles = {project.id: project.title for project in tracker.people.projects()}
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "aliases": list(user.aliases),
        "active": user.active,
        "administrator": user.administrator,
        "has_password": bool(user.password),
        "roles": {titles.get(project, project): Role(role).name for project, role in user.roles.items()},
        "preferences": {
            titles.get(project, project): msgspec.to_builtins(wanted) for project, wanted in user.preferences.items()
        },
        "language": user.language,
        "timezone": user.timezone,
        "created": user.created,
    }


def project_row(tracker: Tracker, project: Project) -> dict[str, object]:
    """A project as shown and as JSON, with its members by address."""
    row: dict[str, object] = msgspec.to_builtins(project)
    for field in ("schema", "revision"):
        row.pop(field, None)
    row["members"] = {
        user.email: Role(user.roles[project.id]).name
        for user in tracker.people.users()
        if project.id in user.roles and user.active
    }
    return row


def _given(form: msgspec.Struct, fields: tuple[str, ...]) -> dict[str, object]:
    values = {field: getattr(form, field) for field in fields}
    return {
        field: value.strip() if isinstance(value, str) else value
        for field, value in values.items()
        if value is not None
    }


def _roles(tracker: Tracker, user: User, form: UserForm) -> Mapping[str, Role]:
    roles = dict(user.roles)
    for title, role in form.members:
        project = tracker.people.project(title)
        if role == "none":
            roles.pop(project.id, None)
        else:
            roles[project.id] = role_named(role)
    return roles


def _preferences(tracker: Tracker, user: User, form: UserForm) -> Mapping[str, Preferences]:
    preferences = dict(user.preferences)
    for title, preference, wanted in form.preferences:
        if preference not in PREFERENCES:
            raise Refused(f"{preference!r} is not a preference: choose one of {', '.join(PREFERENCES)}.")
        project = tracker.people.project(title)
        before = preferences.get(project.id, Preferences())
        preferences[project.id] = msgspec.structs.replace(before, **{preference: wanted})
    return preferences


def _check_line(what: str, text: str) -> None:
    if not text.strip() or not text.isprintable() or len(text) > MAX_NAME:
        raise Refused(f"{what} is one line of 1 to {MAX_NAME} characters, not {text[:40]!r}.")


def _check_administrators(tracker: Tracker, changed: User) -> None:
    """Somebody must be left who may change anything at all."""
    before = [user for user in tracker.people.users() if user.active and user.administrator]
    if [user.id for user in before] == [changed.id] and not (changed.active and changed.administrator):
        raise Refused(f"{changed.email} is the last administrator; make somebody else one first (--administrator).")


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(f"{name!r} is not a time zone; write it like Europe/Berlin or UTC.") from error
