"""E-mail accounts: which are added or changed, and how they are shown.

Flows in: forms, whose fields are None where nothing is to change, with projects and people named as people name them.
Flows out: accounts as saved, and rows for commands and JSON, never with a password. Nothing here connects to a
server; that is `runners/probing`. How an account is doing is asked of `mailbox_states`.
"""

import contextlib
import os

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import accounts
from eventum.issues.accounts import Account, AutoCreation
from eventum.issues.people import Project
from eventum.tracker.once import check_same
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

# Fields of a form that stand in the account under the same name.
PLAIN = ("type", "host", "port", "username", "folder", "leave_copy", "start", "quiet_before", "routing", "paused")
# What a password was given for: sent to another server, or in clear text, it would be given away (reliability T18).
CREDENTIALS = ("type", "host", "port", "username")


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


def is_fetched(form: AccountForm) -> bool:
    """Whether mail is fetched for such an account; of a type that does not exist it is."""
    kind = accounts.TYPES.get(form.type or "")
    return kind is None or kind.protocol != "delivered"


def save_account(tracker: Tracker, name: str | None, form: AccountForm) -> Account:
    """Change the account with that id, or add one when it is None; the account as saved.

    Raises `Refused` for a value that cannot be taken, `NotFound` for an unknown account, project or assignee,
    `Conflict` when the account was changed meanwhile.
    """
    return tracker.settings.save_account(_filled_in(tracker, _before(tracker, name), form), form.password)


def save_from_browser(
    tracker: Tracker, name: str | None, form: AccountForm, *, revision: int = -1, nonce: str = ""
) -> Account:
    """As `save_account`, for who may not see the password: it has to be typed again when it would go elsewhere.

    A new account gets the nonce of its form as id; a nonce that made one before gives that one. Raises also
    `Conflict` when the account is no more as the form showed it; a `revision` of -1 changes whatever there is.
    """
    before = _before(tracker, name)
    if name is None and nonce:
        with contextlib.suppress(NotFound):
            made = tracker.settings.account(nonce)
            check_same(_place_of(made), _place_of(_as_typed(tracker, before, form)))
            return made
    if name is not None and revision not in (-1, before.revision):
        raise Conflict(N_("The account was changed by somebody else meanwhile."))
    account = _as_typed(tracker, before, form)
    if name is not None or not nonce:
        return tracker.settings.save_account(account, form.password)
    try:
        return tracker.settings.save_account(msgspec.structs.replace(account, id=nonce), form.password)
    except Conflict:  # The other of two clicks was faster.
        return tracker.settings.account(nonce)


def check_outside(tracker: Tracker, folder: str) -> None:
    """What lies in the store is ours already: fetched from there, mail would be taken out of its issue."""
    place, store = os.path.realpath(os.path.expanduser(folder)), os.path.realpath(tracker.config.data)
    if os.path.commonpath((place, store)) in (place, store):
        raise Refused(
            N_("{folder} is part of the store of this program; name the Maildir into which mail is delivered."),
            folder=folder,
            field="folder",
        )


def _place_of(account: Account) -> str:
    return " ".join(part for part in (account.username, account.host, account.folder) if part)


def drafted(tracker: Tracker, name: str | None, form: AccountForm) -> tuple[Account, str]:
    """The account as this form would leave it, and the password to try it with; nothing is saved.

    Raises what `save_from_browser` does.
    """
    before = _before(tracker, name)
    account = _as_typed(tracker, before, form)
    return account, tracker.settings.account_password(before) if form.password is None else form.password


def check_password_given(before: Account, after: Account, password: str | None) -> None:
    """Raise `Refused` when a server is named and the stored password was not given for it."""
    if password is not None or not accounts.type_of(after).remote:
        return
    moved = any(getattr(before, field) != getattr(after, field) for field in CREDENTIALS)
    if moved and not before.password:
        raise Refused(N_("Give the password of {username}."), username=after.username, field="password")
    if moved:
        raise Refused(
            N_("Type the password again: it was stored for another server, port, user name or type."), field="password"
        )


def _as_typed(tracker: Tracker, before: Account, form: AccountForm) -> Account:
    """The account as a form in the browser has it, which shows the usual port of the type as if it was typed."""
    if form.type not in (None, before.type) and before.type and form.port == accounts.type_of(before).port:
        form = msgspec.structs.replace(form, port=None)
    account = _filled_in(tracker, before, form)
    check_password_given(before, account, form.password)
    return account


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


def _before(tracker: Tracker, name: str | None) -> Account:
    if name is None:
        return Account(id="", project="", type="", created=tracker.clock())
    return tracker.settings.account(name)


def _filled_in(tracker: Tracker, account: Account, form: AccountForm) -> Account:
    """The account with what the form says. Raises `Refused` or `NotFound`, with the `field` to be mended."""
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
        check_outside(tracker, account.folder)
        # Cron and the web server start in other folders than the person who typed this.
        account = msgspec.structs.replace(account, folder=os.path.abspath(os.path.expanduser(account.folder)))
    _check_auto_creation(tracker, account.auto_create, project)
    return account


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
            N_("Project {project!r} has no category {category!r}; it has {known}."),
            project=project.title,
            category=auto.category,
            known=_listed(project.categories),
            field="category",
        )
    if auto.priority and auto.priority not in project.priorities:
        raise Refused(
            N_("Project {project!r} has no priority {priority!r}; it has {known}."),
            project=project.title,
            priority=auto.priority,
            known=_listed(project.priorities),
            field="priority",
        )
    people = tracker.people.load_all()
    for user_id in auto.assign:
        user = people.user(user_id)
        if user is None or not people.is_staff(user, project.id):
            raise Refused(
                N_(
                    "{user} cannot be assigned issues of {project!r}: that takes an active user with the role standard "
                    "or more in it."
                ),
                user=user.email if user else user_id,
                project=project.title,
                field="assign",
            )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
