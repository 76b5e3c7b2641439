"""The forms about an e-mail account: what is shown of one, and what somebody typed as the tracker takes it.

Flows in: accounts and requests. Flows out: filled forms; `AccountForm` values, whose empty password means the stored
one. No password is ever put into a form.
"""

import re
from typing import Any

from wtforms import BooleanField, PasswordField, SelectField, SelectMultipleField, StringField, TextAreaField

from eventum.errors import EventumError
from eventum.tracker import mailbox_states
from eventum.tracker.mailbox_states import Account, Assignable
from eventum.tracker.mailboxes import AccountForm
from eventum.web.forms import Form
from eventum.web.l10n import _, say
from eventum.web.trackers import tracker
from eventum.wording import N_

STARTS = (
    ("all", N_("All mail that is there")),
    ("unread", N_("What nobody has read yet")),
    ("now", N_("Only what comes from now on")),
)


class AccountFields(Form):
    """One account."""

    project = SelectField(N_("Associated Project"))
    type = SelectField(N_("Type"))
    host = StringField(N_("Server"))
    port = StringField(N_("Port"))
    username = StringField(N_("User name"))
    password = PasswordField(N_("Password"))
    folder = StringField(N_("Folder"))
    addresses = TextAreaField(N_("Addresses"))
    leave_copy = BooleanField(N_("Leave a copy of the mail on the server"))
    start = SelectField(N_("The first fetch takes"))
    quiet_before = StringField(N_("Tell nobody about mail older than"))
    routing = BooleanField(N_("Takes routed mail too"))


class AutoCreationFields(Form):
    """What becomes of mail that belongs to no issue."""

    enabled = SelectField(N_("Auto-Creation"))
    category = SelectField(N_("Default category"))
    priority = SelectField(N_("Default priority"))
    assign = SelectMultipleField(N_("Assignment"))
    people: tuple[Assignable, ...] = ()


def fields_of(account: Account | None, **more: Any) -> AccountFields:
    """The form with what is known of an account, or with what is usual for a new one."""
    data: dict[str, Any] = {
        "type": "imap/ssl",
        "folder": "INBOX",
        "leave_copy": True,
        "quiet_before": "7d",
        "start": "all",
    }
    if account is not None:
        plain = ("project", "type", "host", "username", "folder", "leave_copy", "start", "quiet_before", "routing")
        data = {field: getattr(account, field) for field in plain}
        data |= {"port": str(account.port or ""), "addresses": "\n".join(account.addresses)}
        data |= {"revision": str(account.revision)}
    form = AccountFields(data=data, **more)
    projects = mailbox_states.projects(tracker(), account.project if account else "")
    form.project.choices = [(project.id, project.title) for project in projects]
    form.type.choices = [(name, _(words)) for name, words in mailbox_states.TYPE_WORDS.items()]
    form.start.choices = [(value, _(words)) for value, words in STARTS]
    return form


def typed(form: AccountFields) -> AccountForm | None:
    """What somebody typed, as the tracker takes it; None when a field cannot be read, which then says so."""
    if not form.validate_on_submit():
        return None
    port = (form.port.data or "").strip()
    if port and not (port.isascii() and port.isdigit() and len(port) < 6):
        form.refused(_("A port is a number from 1 to 65535; left empty it is the usual one."), "port")
        return None
    return AccountForm(
        project=form.project.data,
        type=form.type.data,
        host=form.host.data or "",
        port=int(port or 0),
        username=form.username.data or "",
        password=form.password.data or None,
        folder=form.folder.data or "",
        addresses=tuple(one for one in re.split(r"[\s,;]+", form.addresses.data or "") if one),
        leave_copy=form.leave_copy.data,
        start=form.start.data,
        quiet_before=form.quiet_before.data or "7d",
        routing=form.routing.data,
    )


def auto_creation_of(account: Account, **more: Any) -> AutoCreationFields:
    """The form of Auto-Creation with what is set for an account."""
    auto = account.auto_create
    data: dict[str, Any] = {"category": auto.category, "priority": auto.priority, "assign": list(auto.assign)}
    data |= {"enabled": "yes" if auto.enabled else "no", "revision": str(account.revision)}
    form = AutoCreationFields(data=data, **more)
    form.enabled.choices = [("yes", _("Enabled")), ("no", _("Disabled"))]
    project = next((one for one in tracker().people.usable_projects() if one.id == account.project), None)
    none = [("", _("None"))]
    # What the project no more has stays to be seen and changed, and is named by the message when it is kept.
    form.category.choices = none + _with(project.categories if project else (), auto.category)
    form.priority.choices = none + _with(project.priorities if project else (), auto.priority)
    form.people = mailbox_states.assignable(tracker(), account.project)
    form.assign.choices = [(one.id, one.name) for one in form.people]
    return form


def chosen(form: AutoCreationFields) -> AccountForm | None:
    """What somebody chose; None when it cannot be read."""
    if not form.validate_on_submit():
        return None
    return AccountForm(
        auto_create=form.enabled.data == "yes",
        category=form.category.data,
        priority=form.priority.data,
        assign=tuple(form.assign.data or ()),
    )


def refuse(form: Form, error: EventumError) -> None:
    """Put what the tracker refuses beside its field, in words for who sees it."""
    plain = str(error.values.get("plain", ""))
    field = str(error.values.get("field", ""))
    form.refused(say(plain).format(**error.values) if plain else error, field)


def _with(names: tuple[str, ...], kept: str) -> list[tuple[str, str]]:
    listed = names if kept in names or not kept else (*names, kept)
    return [(name, name) for name in listed]
