"""The first visit: an administrator, a project, an account and the outgoing server, one page each.

Flows in: the code that `flask init` printed, then an administrator's forms. Flows out: a set-up that can be left and
taken up again, each step of which can be skipped. Who has no code finds nothing here, and when it is over nobody does.
"""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField

from eventum.errors import NotFound, Refused
from eventum.tracker import first_visit, mailbox_states, mailboxes, membership, passwords
from eventum.tracker.membership import ProjectForm
from eventum.web import account_form, general
from eventum.web.access import allows, enter, me, visitor
from eventum.web.account_runs import steps_of
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("first_visit", __name__)

TITLES = {
    "administrator": N_("Administrator"),
    "project": N_("First project"),
    "account": N_("First e-mail account"),
    "smtp": N_("Outgoing mail"),
}


class CodeFields(Form):
    """Who has the code becomes the administrator."""

    code = StringField(N_("Code"), [Filled()])
    name = StringField(N_("Name"))
    email = StringField(N_("E-mail address"))
    password = PasswordField(N_("Password"), [Filled()])
    again = PasswordField(N_("The same again"), [Filled()])


class ProjectFields(Form):
    """What a first project needs."""

    title = StringField(N_("Title"), [Filled()])
    sender_name = StringField(N_("Sender name"))
    sender_email = StringField(N_("Sender address"))


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
    if not _fits(form):
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
    """Try the account as it stands in the form; with htmx the button goes to `account_runs.test_new` instead."""
    _left()
    form = account_form.fields_of(None)
    steps = None
    try:
        steps = steps_of(None, form)
    except (Refused, NotFound) as error:
        account_form.refuse(form, error)
    return _step_page("account", 200 if steps else 422, form=form, steps=steps)


@bp.post("/welcome/smtp")
@allows("administrator")
def smtp() -> ResponseReturnValue:
    """Save the outgoing server, and who our mail is from."""
    _left()
    form = general.form_of("smtp")
    sender = general.form_of("sender")
    sender.revision.data = ""  # The one of this page is the other form's.
    if not (
        general.save_section("smtp", form) and (not sender.smtp_from.data or general.save_section("sender", sender))
    ):
        if not (form.is_refused or sender.is_refused):
            form.refused(_("Somebody else changed these settings meanwhile. Look at them, and save again."))
        return _step_page("smtp", 422, form=form, sender=sender)
    return _done("smtp")


@bp.post("/welcome/smtp/test")
@allows("administrator")
def test_smtp() -> ResponseReturnValue:
    """Send a test mail by the server as it stands in the form; with htmx the button goes to `general.test`."""
    _left()
    form = general.form_of("smtp")
    recipient, steps, problem = general.tried(form)
    more = {"recipient": recipient, "steps": steps, "problem": problem, "sender": general.form_of("sender")}
    return _step_page("smtp", 200 if steps else 422, form=form, **more)


@bp.post("/welcome/skip")
@allows("administrator")
def skip() -> ResponseReturnValue:
    """Leave out a step, or all that are left."""
    left = _left()
    step = request.form.get("step", "")
    if step in left:
        return _done(step)
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


def _done(step: str) -> Response:
    first_visit.done(tracker(), step)
    if first_visit.left(tracker()):
        return redirect(url_for("first_visit.welcome"), 303)  # type: ignore[return-value]  # werkzeug's and Flask's
    told(_("The set-up is done. Cron brings the mail: its lines are below Administration, Cron and mail server."))
    return redirect("/", 303)  # type: ignore[return-value]  # as above


def _fits(form: CodeFields) -> bool:
    """Whether the form can be taken so far; what is wrong stands at its field."""
    form.validate_on_submit()
    if first_visit.waiting(tracker()) is None and not (form.email.data or "").strip():
        form.refused(_("Give the address you log in with."), "email")
    if form.password.data:
        try:
            passwords.check(form.password.data)
        except Refused as error:
            form.refused(error, "password")
        if form.password.data != form.again.data:
            form.refused(_("This is not the same as above; type both again."), "again")
    return not form.is_refused


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
    values["recipient"] = me().email
    values["has_project"] = bool(mailbox_states.projects(tracker()))
    return page(f"first_visit/{step}.html", status, **{**values, **more})


def _form_of(step: str) -> Form:
    match step:
        case "project":
            return ProjectFields(formdata=None)
        case "account":
            return account_form.fields_of(None, formdata=None)
    return general.form_of("smtp", formdata=None)
