"""Users: who works here, invited, changed, deactivated.

Flows in: an administrator's forms. Flows out: users as saved, and invitations. Whoever changes his own rights goes on
with those he has then. A password is never set here: its owner chooses it with the link he is sent.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from eventum.errors import Conflict, Refused
from eventum.tracker import invitations, membership, roster
from eventum.tracker.logins import User
from eventum.tracker.membership import UserForm
from eventum.web.access import allows, enter, me
from eventum.web.forms import AsGiven, Filled, Form
from eventum.web.l10n import _
from eventum.web.meanwhile import differences
from eventum.web.page import base_url, page, told
from eventum.web.preferences import LANGUAGES, zones
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("users", __name__, url_prefix="/admin/users")

ROLE_WORDS: Mapping[str, str] = {
    "none": N_("No member"),
    "viewer": N_("Viewer"),
    "reporter": N_("Reporter"),
    "standard": N_("Standard user"),
    "developer": N_("Developer"),
    "manager": N_("Manager"),
    "administrator": N_("Administrator"),
}
ROLE_HINTS: Mapping[str, str] = {
    "viewer": N_("sees issues"),
    "reporter": N_("also opens them"),
    "standard": N_("also reads internal notes and works on issues: the least role of staff"),
    "developer": N_("the same; the usual one for who solves issues"),
    "manager": N_("also sees the project when it is archived"),
    "administrator": N_("everything in the project"),
}


class UserFields(Form):
    """What an administrator says about somebody; a role for each project is added to it, see `form_of`."""

    name = StringField(N_("Name"), [Filled()])
    email = StringField(N_("E-mail address"), [Filled()])
    aliases = TextAreaField(N_("Other addresses of the same person"))
    administrator = BooleanField(N_("Administrator: may change everything, everywhere"))
    language = SelectField(N_("Language"))
    timezone = SelectField(N_("Timezone"))


def form_of(user: User | None, **more: Any) -> Form:
    """The form with what is known of a user, or for a new one."""
    projects = roster.projects(tracker())
    roles = user.roles if user else {}
    fields = {f"role-{project.id}": SelectField(AsGiven(project.title)) for project in projects}
    data: dict[str, Any] = roster.defaults(tracker())
    if user is not None:
        plain = ("name", "email", "administrator", "language", "timezone")
        data = {field: getattr(user, field) for field in plain}
        data |= {"revision": str(user.revision), "aliases": "\n".join(user.aliases)}
    data |= {f"role-{one.id}": roles[one.id].name if one.id in roles else "none" for one in projects}
    form: Form = type("UserFields", (UserFields,), fields)(data=data, **more)
    form.language.choices = [(value, _(label)) for value, label in LANGUAGES]
    form.timezone.choices = zones(form.timezone.data)
    for project in projects:
        form[f"role-{project.id}"].choices = [(role, _(word)) for role, word in ROLE_WORDS.items()]
    return form


@bp.get("")
@allows("administrator")
def listed() -> ResponseReturnValue:
    """Everybody."""
    return page("users/list.html", users=roster.users(tracker()), words=ROLE_WORDS, can_send=bool(base_url()))


@bp.get("/new")
@allows("administrator")
def new() -> ResponseReturnValue:
    """The form for somebody new."""
    return _page(form_of(None, formdata=None), None)


@bp.post("")
@allows("administrator")
def add() -> ResponseReturnValue:
    """Add somebody, and invite him."""
    form = form_of(None)
    if not form.validate_on_submit():
        return _page(form, None, 422)
    try:
        added = invitations.add(tracker(), _wanted(form, None), me())
    except Refused as error:
        _at_field(form, error)
        return _page(form, None, 422)
    if added.is_sent is not None:
        _tell_sent(added.user, added.is_sent)
    return redirect(url_for("users.shown", user_id=added.user.id), 303)


@bp.get("/<user_id>")
@allows("administrator")
def shown(user_id: str) -> ResponseReturnValue:
    """One user."""
    user = roster.user_by_id(tracker(), user_id)
    return _page(form_of(user, formdata=None), user)


@bp.post("/<user_id>")
@allows("administrator")
def save(user_id: str) -> ResponseReturnValue:
    """Change him; all his sessions end when his roles changed."""
    user = roster.user_by_id(tracker(), user_id)
    form = form_of(user)
    if not form.validate_on_submit():
        return _page(form, user, 422)
    try:
        saved = membership.save_user(tracker(), user.id, _wanted(form, user))
    except Refused as error:
        _at_field(form, error)
        return _page(form, user, 422)
    except Conflict:
        user = roster.user_by_id(tracker(), user_id)
        return _page(form, user, 409, changes=differences(form, form_of(user, formdata=None)))
    if saved.id == me().id:
        go_on_as(saved)
    told(_("%(name)s is saved.", name=saved.name))
    return redirect(url_for("users.listed") if me().administrator else "/", 303)


@bp.post("/<user_id>/active")
@allows("administrator")
def activate(user_id: str) -> ResponseReturnValue:
    """Deactivate or activate somebody."""
    user, wanted = roster.user_by_id(tracker(), user_id), request.form.get("active") == "yes"
    saved = membership.save_user(tracker(), user.id, UserForm(active=wanted))
    here = url_for("users.activate", user_id=user.id)
    if wanted:
        told(_("%(name)s may log in again.", name=saved.name), undo=here, active="no")
    else:
        message = _("%(name)s may no longer log in and is told nothing; what was done stays.", name=saved.name)
        told(message, undo=here, active="yes")
    return redirect(url_for("users.listed"), 303)


@bp.post("/<user_id>/invitation")
@allows("administrator")
def invite(user_id: str) -> ResponseReturnValue:
    """Send a link to set a password; the one before is void."""
    user = roster.user_by_id(tracker(), user_id)
    _tell_sent(user, invitations.invite(tracker(), user, me()))
    return redirect(url_for("users.shown", user_id=user.id), 303)


@bp.post("/<user_id>/revoke")
@allows("administrator")
def revoke(user_id: str) -> ResponseReturnValue:
    """Let the link that was sent be void."""
    user = roster.user_by_id(tracker(), user_id)
    invitations.revoke(tracker(), user)
    told(_("The link for %(name)s is void.", name=user.name))
    return redirect(url_for("users.shown", user_id=user.id), 303)


def go_on_as(user: User) -> None:
    """Let this session go on with the rights its user has now, and end when it would have ended."""
    since = session["since"]
    enter(user)
    session["since"] = since


def link_of(token: str) -> str:
    """The address that a link is handed over with, as this installation is reached by who asks."""
    return (base_url() or request.host_url).rstrip("/") + url_for("login.invitation", token=token)


def _tell_sent(user: User, is_sent: bool) -> None:
    if is_sent:
        told(_("A link to set a password is on its way to %(address)s.", address=user.email))
    else:
        told(_("The link for %(name)s is below: hand it over, it was not sent.", name=user.name))


def _at_field(form: Form, error: Refused) -> None:
    field = str(error.values.get("field", ""))
    if "address" in error.values:
        field = "email" if error.values["address"] == str(form.email.data).strip().lower() else "aliases"
    form.refused(error, field)


def _wanted(form: Form, user: User | None) -> UserForm:
    projects = roster.projects(tracker())
    return UserForm(
        id="" if user else form.nonce.data or "",
        revision=form.was_revision if user else None,
        name=form.name.data,
        email=form.email.data,
        aliases=tuple(line for line in form.aliases.data.replace(",", "\n").split() if line),
        administrator=form.administrator.data,
        language=form.language.data,
        timezone=form.timezone.data,
        members=tuple((project.id, form[f"role-{project.id}"].data) for project in projects),
    )


def _page(form: Form, user: User | None, status: int = 200, **more: Any) -> ResponseReturnValue:
    values: dict[str, Any] = {"projects": roster.projects(tracker()), "words": ROLE_WORDS, "hints": ROLE_HINTS}
    if user is not None:
        waiting = invitations.invitation(tracker(), user)
        values |= {"known": roster.shown(tracker(), user), "link": link_of(waiting[0]) if waiting else ""}
    return page("users/user.html", status, form=form, user=user, can_send=bool(base_url()), **values, **more)
