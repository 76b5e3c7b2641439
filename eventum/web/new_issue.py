"""A new issue: from what somebody knows, or begun by a mail of ours to a customer.

Flows in: the form. Flows out: the new issue's page, or the form again with what is to be mended.
"""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField

from eventum.errors import Busy, EventumError, Refused
from eventum.tracker import drafts, opening
from eventum.tracker.correspond import Letter
from eventum.tracker.once import was_used
from eventum.tracker.opening import NewIssue, Place
from eventum.web.access import allows, me
from eventum.web.forms import Filled, Form, new_nonce
from eventum.web.l10n import _
from eventum.web.letter import has_files, uploaded
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("new_issue", __name__)
FORM = "new"
KEPT = ("project", "summary", "text", "reporter", "category", "priority", "how")


class NewIssueForm(Form):
    """What is said of a new issue."""

    project = SelectField(N_("Project"))
    summary = StringField(N_("Summary"), [Filled()])
    # The verb says what may be chosen; a field that this project or this role does not have is not sent at all.
    how = RadioField(N_("How it begins"), default="note", validate_choice=False)
    reporter = StringField(N_("Reporter"))
    text = TextAreaField(N_("Text"))
    category = SelectField(N_("Category"), validate_choice=False)
    priority = SelectField(N_("Priority"), validate_choice=False)
    assign = SelectMultipleField(N_("Assignees"), validate_choice=False)


@bp.get("/issues/new")
@allows("user")
def new() -> ResponseReturnValue:
    """The form, for the first project or the one that was chosen."""
    return _shown(NewIssueForm(formdata=None))


@bp.post("/issues/new")
@allows("user")
def make() -> ResponseReturnValue:
    """Open it; or, when another project was chosen, show the form with what that project has."""
    form = NewIssueForm()
    place = _place(form)
    if place is None or request.form.get("do") == "project":
        return _shown(form)
    if not form.validate_on_submit():
        return _shown(form, 422)
    if has_files() and form.how.data != "mail":
        form.refused(_("Files go with a mail to the customer. Open the issue, and add a note or a reply with them."))
        return _shown(form, 422)
    if place.is_staff and form.how.data == "mail" and not (form.reporter.data or "").strip():
        form.refused(_("Say whom you write to."), "reporter")
        return _shown(form, 422)
    try:
        wanted = _wanted(form, place)
        done = opening.open_issue(tracker(), me().id, wanted, nonce=form.nonce.data or "")
    except Refused as error:
        form.refused(error, "text" if form.how.data == "mail" and not (form.text.data or "").strip() else "")
        return _shown(form, 422)
    except EventumError as error:
        form.refused(error)
        return _shown(form, 503 if isinstance(error, Busy) else 409)
    if not done.changed and opening.opens_else(done.issue, wanted):
        form.nonce.data = new_nonce()
        form.refused(_("This form was sent before, with another text. Send it again to send this one, too."))
        return _shown(form, 409)
    drafts.discard(tracker(), me(), FORM)
    if done.changed:
        here = url_for("issue.shown", number=done.issue.number)
        told(_("The issue is opened."), link=(here, f"#{done.issue.number}"))
    return redirect(url_for("issue.shown", number=done.issue.number), 303)


@bp.post("/issues/new/draft")
@allows("user")
def keep() -> ResponseReturnValue:
    """Keep what is typed, and say when."""
    form = NewIssueForm()
    nonce = form.nonce.data or ""
    if was_used(tracker(), nonce):
        return page("issue/saved.html", letter=None)  # It was sent: a late page must not bring it back.
    fields = {name: str(form[name].data or "") for name in KEPT} | {"nonce": nonce}
    kept = drafts.keep(tracker(), me(), FORM, fields)
    if was_used(tracker(), nonce):  # Sent just now, and forgotten before this was kept.
        drafts.discard(tracker(), me(), FORM)
        kept = None
    return page("issue/saved.html", letter=kept)


def _wanted(form: NewIssueForm, place: Place) -> NewIssue:
    by_mail = place.is_staff and form.how.data == "mail"
    text = form.text.data or ""
    files = uploaded()
    return NewIssue(
        project=place.id,
        summary=form.summary.data or "",
        description="" if by_mail else text,
        category=form.category.data or "",
        priority=form.priority.data or "",
        assign=tuple(form.assign.data or ()) if place.is_staff else (),
        reporter=(form.reporter.data or "").strip() if place.is_staff else "",
        letter=Letter(text=text, files=files, signed="mails") if by_mail else None,
    )


def _place(form: NewIssueForm) -> Place | None:
    """The chosen project with what it has, put into the form; None when there is none yet or another was chosen."""
    places = opening.places(tracker(), me())
    if not places:
        raise Refused(N_("You may open issues in no project; that takes the role reporter or more."))
    form.project.choices = [(one.id, one.title) for one in places]
    chosen = next((one for one in places if one.id == form.project.data), None)
    place = chosen or places[0]
    form.category.choices = [("", _("none")), *((one, one) for one in place.categories)]
    form.priority.choices = [("", _("none")), *((one, one) for one in place.priorities)]
    form.how.choices = [("note", _("I describe it here")), ("mail", _("I write to the customer"))]
    form.assign.choices = [(user.id, user.name or user.email) for user in place.staff]
    return chosen


def _shown(form: NewIssueForm, status: int = 200) -> ResponseReturnValue:
    kept = _begun(form) if request.method == "GET" else None
    _place(form)
    places = opening.places(tracker(), me())
    place = next((one for one in places if one.id == form.project.data), places[0])
    form.project.data = place.id
    if place.is_staff and request.args.get("how") == "mail":
        form.reporter.label.text = _("To")
    if has_files():
        form.problems.append(_("Choose the files again: browsers do not keep them."))
    return page("issue/new.html", status, form=form, place=place, letter=kept)


def _begun(form: NewIssueForm) -> drafts.Typed | None:
    """Put into a new form what the address says, else what the user typed before and did not send."""
    given = {name: request.args[name] for name in ("project", "reporter", "how") if name in request.args}
    typed = drafts.typed(tracker(), me(), FORM)
    if typed and any(typed.fields.get(name) != value for name, value in given.items()):
        typed = None  # Something else was begun.
    if typed and was_used(tracker(), typed.fields.get("nonce", "")):
        typed = None
    for name, value in (typed.fields if typed else given).items():
        if name in form:
            form[name].data = value
    form.how.data = form.how.data or "note"
    return typed
