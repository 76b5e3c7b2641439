"""E-mail accounts: which are added or changed, and how they are shown.

Flows in: forms, whose fields are None where nothing is to change, with projects and people named as people name them.
Flows out: accounts as saved, and rows for screens, commands and JSON, never with a password. Nothing here connects to a
server; that is `runners/probing`.
"""

import os

import msgspec

from eventum.errors import Refused
from eventum.issues import accounts
from eventum.issues.accounts import Account, AutoCreation
from eventum.issues.people import Project
from eventum.tracker.tracker import Tracker

# Fields of a form that stand in the account under the same name.
PLAIN = ("type", "host", "port", "username", "folder", "leave_copy", "start", "quiet_before", "routing", "paused")


class AccountForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said or changed about an account; None leaves it."""

    project: str | None = None
    type: str | None = None
    host: str | None = None
    port: int | None = None
    username: str | None = None
    password: str | None = None  # In clear; it is sealed before it is written.
    folder: str | None = None
    addresses: tuple[str, ...] | None = None
    leave_copy: bool | None = None
    start: str | None = None
    quiet_before: str | None = None
    routing: bool | None = None
    paused: bool | None = None
    auto_create: bool | None = None
    category: str | None = None
    priority: str | None = None
    assign: tuple[str, ...] | None = None


def save_account(tracker: Tracker, name: str | None, form: AccountForm) -> Account:
    """Change the account with that id, or add one when it is None; the account as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown account, project or assignee,
    `Conflict` when the account was changed meanwhile.
    """
    if name is None:
        account = Account(id="", project="", type="", created=tracker.clock())
    else:
        account = tracker.settings.account(name)
    changes: dict[str, object] = {
        field: value.strip() if isinstance(value, str) else value
        for field in PLAIN
        if (value := getattr(form, field)) is not None
    }
    if form.type is not None and form.type != account.type and form.port is None:
        changes["port"] = 0  # The usual one of the new type.
    if form.addresses is not None:
        changes["addresses"] = tuple(dict.fromkeys(address.strip().lower() for address in form.addresses))
    project = tracker.people.project(account.project if form.project is None else form.project)
    changes["project"] = project.id
    changes["auto_create"] = _auto_creation(tracker, account.auto_create, form)
    account = accounts.validate(msgspec.structs.replace(account, **changes))
    if account.type == "maildir":
        # Cron and the web server start in other folders than the person who typed this.
        account = msgspec.structs.replace(account, folder=os.path.abspath(os.path.expanduser(account.folder)))
    _check_auto_creation(tracker, account.auto_create, project)
    return tracker.settings.save_account(account, form.password)


def account_row(tracker: Tracker, account: Account) -> dict[str, object]:
    """An account as shown and as JSON; project by title, people by address, never the password."""
    row: dict[str, object] = msgspec.structs.asdict(account)
    for field in ("schema", "revision", "password"):
        del row[field]
    people = tracker.people.load_all()
    titles = {project.id: project.title for project in people.projects}
    row["project"] = titles.get(account.project, account.project)
    row["has_password"] = bool(account.password)
    users = [(user_id, people.user(user_id)) for user_id in account.auto_create.assign]
    assign = [user.email if user else user_id for user_id, user in users]
    row["auto_create"] = {**msgspec.structs.asdict(account.auto_create), "assign": assign}
    return row


def _auto_creation(tracker: Tracker, before: AutoCreation, form: AccountForm) -> AutoCreation:
    return AutoCreation(
        enabled=before.enabled if form.auto_create is None else form.auto_create,
        category=before.category if form.category is None else form.category,
        priority=before.priority if form.priority is None else form.priority,
        assign=before.assign
        if form.assign is None
        else tuple(dict.fromkeys(tracker.people.user(email).id for email in form.assign)),
    )


def _check_auto_creation(tracker: Tracker, auto: AutoCreation, project: Project) -> None:
    if auto.category and auto.category not in project.categories:
        raise Refused(
            f"Project {project.title!r} has no category {auto.category!r}; it has {_listed(project.categories)}."
        )
    if auto.priority and auto.priority not in project.priorities:
        raise Refused(
            f"Project {project.title!r} has no priority {auto.priority!r}; it has {_listed(project.priorities)}."
        )
    people = tracker.people.load_all()
    for user_id in auto.assign:
        user = people.user(user_id)
        if user is None or not people.is_staff(user, project.id):
            raise Refused(
                f"{user.email if user else user_id} cannot be assigned issues of {project.title!r}: "
                "that takes an active user with the role standard or more (`flask users set ... --member`)."
            )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
