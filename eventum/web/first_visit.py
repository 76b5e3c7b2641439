"""The first visit: an administrator, a project, an account and the outgoing server, one page each.

Flows in: the code that `flask init` printed, then an administrator's forms. Flows out: a set-up that can be left and
taken up again, each step of which can be skipped. Who has no code finds nothing here, and when it is over nobody does.
"""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import NotFound, Refused
from eventum.tracker import first_visit, mailbox_states, mailboxes, membership, passwords
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.web import account_form, general
from eventum.web.access import allows, enter, me, visitor
from eventum.web.account_runs import tried
from eventum.web.first_visit_forms import CodeFields, ProjectFields
from eventum.web.forms import Form
from eventum.web.l10n import _
from eventum.web.page import base_url, page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("first_visit", __name__)

TITLES = {
    "administrator": N_("Administrator"),
    "installation": N_("This installation"),
    "project": N_("First project"),
    "account": N_("First e-mail account"),
    "smtp": N_("Outgoing mail"),
}


@bp.before_app_request
def _lead_here() -> ResponseReturnValue | None:
    """While nobody can log in there is one page to see."""
    ways_in = ("dashboard.index", "login.login")
    if request.endpoint not in ways_in or visitor() is not None or not first_visit.is_open_to_strangers(tracker()):
        return None
    return redirect(url_for("first_visit.welcome"), 303)


@bp.get("/welcome")
@allows("anybody")
def welcome() -> ResponseReturnValue:
    """The code for a stranger, the next step for an administrator, nothing for anybody else."""
    if visitor() is None and first_visit.is_open_to_strangers(tracker()):
        return _code_page(CodeFields())
    left = _left()
    wanted = request.args.get("step", "")
    return _step_page(wanted if wanted in left else left[0])


@bp.post("/welcome")
@allows("anybody")
def begin() -> ResponseReturnValue:
    """Make the first administrator, and log him in."""
    if visitor() is not None or not first_visit.is_open_to_strangers(tracker()):
        abort(404)
    form = CodeFields()
    if not form.checked(is_named=first_visit.waiting(tracker()) is not None):
        return _code_page(form, 422)
    who = {"email": form.email.data or "", "name": form.name.data or _("Administrator")}
    try:
        user = first_visit.begin(tracker(), form.code.data or "", password=form.password.data or "", **who)
    except Refused as error:
        account_form.refuse(form, error)
        return _code_page(form, 422)
    enter(user)
    told(_("You are logged in. The set-up can be left, and taken up again at /welcome."))
    return redirect(url_for("first_visit.welcome"), 303)


@bp.post("/welcome/installation")
@allows("administrator")
def installation() -> ResponseReturnValue:
    """Save where this installation is, and what its users begin with; the first one was made before that was known."""
    _left()
    form = general.form_of("installation")
    defaults = general.form_of("defaults")
    if not _saved({"installation": form, "defaults": defaults}):
        return _step_page("installation", 422, form=form, defaults=defaults)
    begins_with = UserForm(language=defaults.defaults_language.data, timezone=defaults.defaults_timezone.data)
    membership.save_user(tracker(), me().id, begins_with)
    return _done("installation")


@bp.post("/welcome/project")
@allows("administrator")
def project() -> ResponseReturnValue:
    """Make the first project."""
    _left()
    form = ProjectFields()
    if not form.validate_on_submit():
        return _step_page("project", 422, form=form)
    wanted = ProjectForm(
        id=form.nonce.data or "",
        title=form.title.data,
        sender_name=form.sender_name.data or None,
        sender_email=form.sender_email.data or None,
    )
    try:
        membership.save_project(tracker(), None, wanted)
    except Refused as error:
        account_form.refuse(form, error)
        return _step_page("project", 422, form=form)
    return _done("project")


@bp.post("/welcome/account")
@allows("administrator")
def account() -> ResponseReturnValue:
    """Add the first account, which opens issues."""
    _left()
    form = account_form.fields_of(None)
    what = account_form.typed(form)
    if what is None:
        return _step_page("account", 422, form=form)
    try:
        made = mailboxes.save_from_browser(tracker(), None, what, nonce=form.nonce.data or "")
        mailboxes.save_from_browser(tracker(), made.id, mailboxes.AccountForm(auto_create=True))
    except (Refused, NotFound) as error:
        account_form.refuse(form, error)
        return _step_page("account", 422, form=form)
    return _done("account")


@bp.post("/welcome/account/test")
@allows("administrator")
def test_account() -> ResponseReturnValue:
    """Try the account as it stands in the form."""
    _left()
    form = account_form.fields_of(None)
    how = tried(None, form)
    if request.headers.get("HX-Request"):
        return page("accounts/steps.html", **how, tester=url_for("first_visit.test_account"))
    more = {name: how[name] for name in ("steps", "allowed", "name")}
    return _step_page("account", 200 if how["steps"] else 422, form=form, **more)


@bp.post("/welcome/smtp")
@allows("administrator")
def smtp() -> ResponseReturnValue:
    """Save the outgoing server, and who our mail is from."""
    _left()
    form = general.form_of("smtp")
    sender = general.form_of("sender")
    if not _saved({"smtp": form} | ({"sender": sender} if sender.smtp_from.data else {})):
        return _step_page("smtp", 422, form=form, sender=sender)
    return _done("smtp")


@bp.post("/welcome/smtp/test")
@allows("administrator")
def test_smtp() -> ResponseReturnValue:
    """Send a test mail by the server as it stands in the form."""
    _left()
    form = general.form_of("smtp")
    how = general.tried(form)
    if request.headers.get("HX-Request"):
        return page("general/steps.html", **how, faults=form.faults(), tester=url_for("first_visit.test_smtp"))
    return _step_page("smtp", 200 if how["steps"] else 422, form=form, **how, sender=general.form_of("sender"))


@bp.post("/welcome/skip")
@allows("administrator")
def skip() -> ResponseReturnValue:
    """Leave out a step, or all that are left."""
    left = _left()
    step = request.form.get("step", "")
    if step in left:
        return _done(step, is_skipped=True)
    first_visit.end(tracker())
    told(_("Everything that was left out can be set up under Administration."))
    return redirect("/", 303)


def _left() -> tuple[str, ...]:
    """The steps that are left, for an administrator; otherwise there is no such page."""
    user = visitor()
    left = first_visit.left(tracker()) if user is not None and user.administrator else ()
    if not left:
        abort(404)
    return left


def _saved(sections: dict[str, Form]) -> bool:
    """Whether all these sections of General Setup were saved; what is wrong stands in their forms."""
    first = True
    for name, form in sections.items():
        if not first:
            form.revision.data = ""  # The one of this page is the first form's.
        first = False
        if not general.save_section(name, form):
            if not form.is_refused:
                form.refused(_("Somebody else changed these settings meanwhile. Look at them, and save again."))
            return False
    return True


def _done(step: str, *, is_skipped: bool = False) -> Response:
    first_visit.done(tracker(), step, is_skipped=is_skipped)
    if not is_skipped:
        told(_("Saved: %(section)s.", section=_(TITLES[step])))
    if first_visit.left(tracker()):
        return redirect(url_for("first_visit.welcome"), 303)  # type: ignore[return-value]  # werkzeug's and Flask's
    told(_("The set-up is done. Cron brings the mail: its lines are below Administration, Cron and mail server."))
    return redirect("/", 303)  # type: ignore[return-value]  # as above


def _code_page(form: CodeFields, status: int = 200) -> Response:
    # Who the waiting administrator is, a stranger does not learn.
    is_named = first_visit.waiting(tracker()) is not None
    return page("first_visit/code.html", status, form=form, is_named=is_named, least=passwords.MIN_LENGTH)


def _step_page(step: str, status: int = 200, **more: Any) -> Response:
    left = _left()
    if step == "account" and not mailbox_states.projects(tracker()):
        step = "project" if "project" in left else step
    values: dict[str, Any] = {"step": step, "left": left, "steps_of_all": first_visit.STEPS, "titles": TITLES}
    if "form" not in more:
        values["form"] = _form_of(step)
    if step == "smtp" and "sender" not in more:
        values["sender"] = general.form_of("sender", formdata=None)
    if step == "installation" and "defaults" not in more:
        values["defaults"] = general.form_of("defaults", formdata=None)
    values["skipped"] = first_visit.skipped(tracker())
    values["has_address"] = bool(base_url())
    values["recipient"] = me().email
    values["has_project"] = bool(mailbox_states.projects(tracker()))
    return page(f"first_visit/{step}.html", status, **{**values, **more})


def _form_of(step: str) -> Form:
    match step:
        case "installation":
            return general.form_of("installation", formdata=None)
        case "project":
            return ProjectFields(formdata=None)
        case "account":
            return account_form.fields_of(None, formdata=None)
    return general.form_of("smtp", formdata=None)
