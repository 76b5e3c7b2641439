"""Projects: what issues belong to, who works on them, and the words they are described with.

Flows in: an administrator's forms. Flows out: projects and roles as saved. A word that is taken away stays on the
issues that have it, and the next page says on how many.
"""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from eventum.errors import Conflict, Refused
from eventum.tracker import membership, roster
from eventum.tracker.membership import ProjectForm
from eventum.tracker.roster import Kept, Project
from eventum.web.access import allows, me
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _, ngettext
from eventum.web.meanwhile import differences
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.web.users import ROLE_HINTS, ROLE_WORDS, go_on_as
from eventum.web.words import state_word
from eventum.wording import N_

bp = Blueprint("projects", __name__, url_prefix="/admin/projects")

LINES = ("aliases", *roster.WORDS)
STATUSES = ("initial_status", "open_status", "closed_status")
CHARSETS = (
    ("utf-8", N_("UTF-8")),
    ("iso-2022-jp", N_("ISO-2022-JP where a mail fits into it, else UTF-8")),
)


class ProjectFields(Form):
    """What an administrator says about a project; of what is a list, one a line."""

    title = StringField(N_("Title"), [Filled()])
    sender_name = StringField(N_("Sender name"))
    sender_email = StringField(N_("Sender address"))
    aliases = TextAreaField(N_("Other addresses of ours"))
    staff_may_mail = BooleanField(N_("All staff of the project may mail all its issues"))
    mail_charset = SelectField(N_("Character set of its mail"))
    categories = TextAreaField(N_("Categories"))
    priorities = TextAreaField(N_("Priorities"))
    statuses = TextAreaField(N_("Statuses"), [Filled()])
    initial_status = SelectField(N_("A new issue is"), validate_choice=False)
    open_status = SelectField(N_("A reopened issue is"), validate_choice=False)
    closed_status = SelectField(N_("A closed issue is"), validate_choice=False)


def form_of(project: Project, **more: Any) -> Form:
    """The form with what is known of a project."""
    plain = ("title", "sender_name", "sender_email", "staff_may_mail", "mail_charset", *STATUSES)
    data: dict[str, Any] = {field: getattr(project, field) for field in plain}
    data |= {field: "\n".join(getattr(project, field)) for field in LINES}
    form = ProjectFields(data={"revision": str(project.revision), **data}, **more)
    form.mail_charset.choices = [(value, _(words)) for value, words in CHARSETS]
    for field in STATUSES:
        known = dict.fromkeys((*_lines(form.statuses.data), form[field].data))
        form[field].choices = [(status, state_word(status)) for status in known if status]
    return form


@bp.get("")
@allows("administrator")
def listed() -> ResponseReturnValue:
    """All projects."""
    found = [(project, _members(project)) for project in roster.projects(tracker())]
    return page("projects/list.html", projects=found)


@bp.get("/new")
@allows("administrator")
def new() -> ResponseReturnValue:
    """The form for a new one."""
    return _page(form_of(roster.NEW_PROJECT, formdata=None), None)


@bp.post("")
@allows("administrator")
def add() -> ResponseReturnValue:
    """Add a project."""
    form = form_of(roster.NEW_PROJECT)
    if not form.validate_on_submit():
        return _page(form, None, 422)
    try:
        project = membership.save_project(tracker(), None, _wanted(form, None))
    except Refused as error:
        _at_field(form, error)
        return _page(form, None, 422)
    told(_("The project %(title)s is added. Say below who works in it.", title=project.title))
    return redirect(url_for("projects.shown", project_id=project.id), 303)


@bp.get("/<project_id>")
@allows("administrator")
def shown(project_id: str) -> ResponseReturnValue:
    """One project with its members."""
    project = roster.project_by_id(tracker(), project_id)
    return _page(form_of(project, formdata=None), project)


@bp.post("/<project_id>")
@allows("administrator")
def save(project_id: str) -> ResponseReturnValue:
    """Change it."""
    project = roster.project_by_id(tracker(), project_id)
    form = form_of(project)
    if not form.validate_on_submit():
        return _page(form, project, 422)
    wanted = _wanted(form, project)
    kept = roster.kept(tracker(), project, wanted)
    try:
        saved = membership.save_project(tracker(), project.id, wanted)
    except Refused as error:
        _at_field(form, error)
        return _page(form, project, 422)
    except Conflict:
        project = roster.project_by_id(tracker(), project_id)
        return _page(form, project, 409, changes=differences(form, form_of(project, formdata=None)))
    told(_("%(title)s is saved.", title=saved.title))
    for one in kept:
        told(_said_of(one))
    return redirect(url_for("projects.listed"), 303)


@bp.post("/<project_id>/members")
@allows("administrator")
def members(project_id: str) -> ResponseReturnValue:
    """Give people other roles in it."""
    project = roster.project_by_id(tracker(), project_id)
    wanted = {name.removeprefix("role-"): role for name, role in request.form.items() if name.startswith("role-")}
    before = {name.removeprefix("was-"): role for name, role in request.form.items() if name.startswith("was-")}
    changed = roster.set_roles(tracker(), project, wanted, before)
    for user in changed:
        if user.id == me().id:
            go_on_as(user)
    if changed:
        names = ", ".join(user.name for user in changed)
        told(_("Changed in %(title)s: %(names)s. They have to log in again.", title=project.title, names=names))
    else:
        told(_("Nobody's role was changed."))
    here = me().administrator
    return redirect(url_for("projects.shown", project_id=project.id) if here else "/", 303)


@bp.post("/<project_id>/archived")
@allows("administrator")
def archive(project_id: str) -> ResponseReturnValue:
    """Archive it, or take it back."""
    project = roster.project_by_id(tracker(), project_id)
    wanted = request.form.get("archived") == "yes"
    saved = membership.save_project(tracker(), project.id, ProjectForm(archived=wanted))
    here = url_for("projects.archive", project_id=project.id)
    if wanted:
        message = _("%(title)s is archived: it takes no new issues, and only its managers see it.", title=saved.title)
        told(message, undo=here, archived="no")
    else:
        told(_("%(title)s takes new issues again.", title=saved.title), undo=here, archived="yes")
    return redirect(url_for("projects.listed"), 303)


def _said_of(kept: Kept) -> str:
    values = {"word": kept.word}
    match kept.field:
        case "categories":
            one = N_("One issue keeps the category “%(word)s” until somebody gives it another.")
            many = N_("%(num)s issues keep the category “%(word)s” until somebody gives them another.")
        case "priorities":
            one = N_("One issue keeps the priority “%(word)s” until somebody gives it another.")
            many = N_("%(num)s issues keep the priority “%(word)s” until somebody gives them another.")
        case _:
            one = N_("One issue keeps the status “%(word)s” until somebody gives it another.")
            many = N_("%(num)s issues keep the status “%(word)s” until somebody gives them another.")
    return ngettext(one, many, kept.issues, **values)


def _members(project: Project) -> int:
    return sum(role != "none" for role in roster.roles_in(tracker(), project).values())


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _at_field(form: Form, error: Refused) -> None:
    field = str(error.values.get("field", ""))
    if "address" in error.values:
        own = str(form.sender_email.data).strip().lower()
        field = "sender_email" if error.values["address"] == own else "aliases"
    form.refused(error, field)


def _wanted(form: Form, project: Project | None) -> ProjectForm:
    return ProjectForm(
        id="" if project else form.nonce.data or "",
        revision=form.was_revision if project else None,
        title=form.title.data,
        sender_name=form.sender_name.data,
        sender_email=form.sender_email.data,
        staff_may_mail=form.staff_may_mail.data,
        mail_charset=form.mail_charset.data,
        aliases=_lines(form.aliases.data),
        categories=_lines(form.categories.data),
        priorities=_lines(form.priorities.data),
        statuses=_lines(form.statuses.data),
        initial_status=form.initial_status.data,
        open_status=form.open_status.data,
        closed_status=form.closed_status.data,
    )


def _page(form: Form, project: Project | None, status: int = 200, **more: Any) -> ResponseReturnValue:
    values: dict[str, Any] = {"words": ROLE_WORDS, "hints": ROLE_HINTS}
    if project is not None:
        values["roles"] = [
            (roster.user_by_id(tracker(), user_id), role)
            for user_id, role in roster.roles_in(tracker(), project).items()
        ]
    return page("projects/project.html", status, form=form, project=project, **values, **more)
