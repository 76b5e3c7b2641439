"""Users and projects: who is added or changed, and how they are shown.

Flows in: forms, whose fields are None where nothing is to change, with projects named as people name them. Flows out:
the records as saved, and rows for screens, commands and JSON. No password passes here in clear: a form holds a hash.
"""

import re
from collections.abc import Mapping

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.people import Preferences, Project, Role, User, role_named
from eventum.store.people import LOCK
from eventum.tracker.once import check_same
from eventum.tracker.particulars import CHOICES, check_administrators, check_charset, check_line, check_user
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ROLES = tuple(role.name for role in Role)
PREFERENCES = tuple(field.name for field in msgspec.structs.fields(Preferences))
NEW_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class UserForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said or changed about a user; None leaves it.

    `id` is the one a new user gets, so that a form that is sent twice makes one. `revision` is the one of the record
    that the form was made from; None when it was looked at just now.
    """

    id: str = ""
    revision: int | None = None
    email: str | None = None
    name: str | None = None
    aliases: tuple[str, ...] | None = None
    password: str | None = None  # A hash.
    active: bool | None = None
    administrator: bool | None = None
    language: str | None = None
    timezone: str | None = None
    week_start: str | None = None
    relative_dates: bool | None = None
    keys: bool | None = None
    list_refresh: int | None = None
    theme: str | None = None
    signature: str | None = None
    signature_in: tuple[str, ...] | None = None
    members: tuple[tuple[str, str], ...] = ()  # (project, role); role "none" ends the membership.
    preferences: tuple[tuple[str, str, bool], ...] = ()  # (project, preference, wanted)


class ProjectForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said or changed about a project; None leaves it. `id` and `revision` as in a user's."""

    id: str = ""
    revision: int | None = None
    title: str | None = None
    sender_name: str | None = None
    sender_email: str | None = None
    categories: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    initial_status: str | None = None
    open_status: str | None = None
    closed_status: str | None = None
    aliases: tuple[str, ...] | None = None
    staff_may_mail: bool | None = None
    mail_charset: str | None = None
    archived: bool | None = None


def save_user(tracker: Tracker, name: str | None, form: UserForm) -> User:
    """Change the user of that name, or add one when it is None; the user as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown user or project, `Conflict`.
    """
    if name is not None:
        user = tracker.people.user(name)
    else:
        begins_with = msgspec.structs.asdict(tracker.settings.general().defaults)
        user = User(id=_new_id(form.id), email="", name="", created=tracker.clock(), **begins_with)
        if (made := tracker.people.load_all().user(user.id)) is not None:
            check_same(made.email, (form.email or "").strip().lower())
            return made
    plain = ("name", "password", "active", "administrator", "timezone", "relative_dates", "keys", "signature_in")
    changes = _given(form, (*plain, *CHOICES, "revision"))
    if form.email is not None:
        changes["email"] = form.email.strip().lower()
    if form.aliases is not None:
        changes["aliases"] = tuple(dict.fromkeys(alias.strip().lower() for alias in form.aliases))
    if form.signature is not None:
        changes["signature"] = form.signature.replace("\r\n", "\n").strip("\n")
    before = user
    changes["roles"] = _roles(tracker, user, form)
    changes["preferences"] = _preferences(tracker, user, form)
    user = msgspec.structs.replace(user, **changes)
    check_line("name", user.name)
    check_user(user)
    try:
        # Two administrators who take each other's right away at once must not both succeed.
        with tracker.locks.record(LOCK):
            check_administrators(tracker, user)
            saved = tracker.people.save_user(user)
    except Conflict:
        sent_before = tracker.people.load_all().user(user.id) if name is None else None
        if sent_before is None:
            raise
        return sent_before
    if name is not None and _rights(before) != _rights(saved):
        # The stamp of a session ends with his rights; without this it would live again with them.
        tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, epoch=state.epoch + 1))
    return saved


def save_project(tracker: Tracker, name: str | None, form: ProjectForm) -> Project:
    """Change the project of that name, or add one when it is None; the project as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown project, `Conflict`.
    """
    project = Project(id=_new_id(form.id), title="")
    if name is not None:
        project = tracker.people.project(name)
    elif (made := _project(tracker, project.id)) is not None:
        check_same(made.title, (form.title or "").strip())
        return made
    statuses = ("initial_status", "open_status", "closed_status")
    changes = _given(
        form, ("title", "sender_name", "staff_may_mail", "mail_charset", "archived", "revision", *statuses)
    )
    for field in ("categories", "priorities", "statuses"):
        if (values := getattr(form, field)) is not None:
            changes[field] = tuple(dict.fromkeys(value.strip() for value in values))
    if form.sender_email is not None:
        changes["sender_email"] = form.sender_email.strip().lower()
    if form.aliases is not None:
        changes["aliases"] = tuple(dict.fromkeys(alias.strip().lower() for alias in form.aliases))
    project = msgspec.structs.replace(project, **changes)
    check_line("title", project.title)
    if project.sender_name:
        check_line("sender_name", project.sender_name)
    for field in ("categories", "priorities", "statuses"):
        for value in getattr(project, field):
            check_line("values", value, field)
    for field in statuses:
        if (status := getattr(project, field)) not in project.statuses:
            raise Refused(
                N_("A project that uses the status {status!r} has to have it; it has {statuses}."),
                status=status,
                statuses=", ".join(project.statuses),
                field="statuses",
            )
    check_charset(project.mail_charset)
    try:
        return tracker.people.save_project(project)
    except Conflict:
        sent_before = _project(tracker, project.id) if name is None else None
        if sent_before is None:
            raise
        return sent_before


def user_row(tracker: Tracker, user: User) -> dict[str, object]:
    """A user as shown and as JSON; projects by title, never the password."""
    titles = {project.id: project.title for project in tracker.people.usable_projects()}
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
        for user in tracker.people.usable_users()
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
            raise Refused(
                N_("{name!r} is not a preference: choose one of {names}."),
                name=preference,
                names=", ".join(PREFERENCES),
            )
        project = tracker.people.project(title)
        before = preferences.get(project.id, Preferences())
        preferences[project.id] = msgspec.structs.replace(before, **{preference: wanted})
    return preferences


def _rights(user: User) -> tuple[object, ...]:
    return user.roles, user.administrator, user.active


def _new_id(text: str) -> str:
    return text if NEW_ID.fullmatch(text) else ""


def _project(tracker: Tracker, project_id: str) -> Project | None:
    try:
        return tracker.people.load_all().project(project_id)
    except NotFound:
        return None
