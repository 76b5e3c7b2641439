"""Canned responses: texts that people put into their answers.

Flows in: an administrator's forms. Flows out: responses as saved. Putting one into an answer is the issue's page.
"""

from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from eventum.errors import Conflict, Refused
from eventum.tracker import responses as canned
from eventum.tracker import roster
from eventum.tracker.responses import PLACES, Response, ResponseForm
from eventum.web.access import allows
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _
from eventum.web.meanwhile import differences
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("responses", __name__, url_prefix="/admin/responses")


class ResponseFields(Form):
    """A canned response."""

    title = StringField(N_("Title"), [Filled()])
    text = TextAreaField(N_("Text"), [Filled()])
    projects = SelectMultipleField(
        N_("Projects"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), validate_choice=False
    )


def form_of(response: Response | None, **more: Any) -> Form:
    """The form with what is known of a response, or for a new one."""
    data: dict[str, Any] = {"projects": []}
    if response is not None:
        data = {"title": response.title, "text": response.text, "projects": list(response.projects)}
        data["revision"] = str(response.revision)
    form = ResponseFields(data=data, **more)
    form.projects.choices = [(project.id, project.title) for project in roster.projects(tracker())]
    return form


@bp.get("")
@allows("administrator")
def listed() -> ResponseReturnValue:
    """All of them."""
    titles = {project.id: project.title for project in roster.projects(tracker())}
    return page("responses/list.html", responses=canned.all_responses(tracker()), titles=titles)


@bp.get("/new")
@allows("administrator")
def new() -> ResponseReturnValue:
    """The form for a new one."""
    return _page(form_of(None, formdata=None), None)


@bp.post("")
@allows("administrator")
def add() -> ResponseReturnValue:
    """Add one."""
    return _saved(form_of(None), None)


@bp.get("/<response_id>")
@allows("administrator")
def shown(response_id: str) -> ResponseReturnValue:
    """One of them."""
    response = canned.response_by_id(tracker(), response_id)
    return _page(form_of(response, formdata=None), response)


@bp.post("/<response_id>")
@allows("administrator")
def save(response_id: str) -> ResponseReturnValue:
    """Change it."""
    response = canned.response_by_id(tracker(), response_id)
    return _saved(form_of(response), response)


@bp.post("/<response_id>/delete")
@allows("administrator")
def delete(response_id: str) -> ResponseReturnValue:
    """Delete it; what was sent with it stays."""
    gone = canned.delete_response(tracker(), canned.response_by_id(tracker(), response_id).id)
    told(_("“%(title)s” is deleted.", title=gone.title), undo=url_for("responses.restore", response_id=gone.id))
    return redirect(url_for("responses.listed"), 303)


@bp.post("/<response_id>/restore")
@allows("administrator")
def restore(response_id: str) -> ResponseReturnValue:
    """It was not to be deleted."""
    back = canned.delete_response(tracker(), response_id, is_deleted=False)
    told(_("“%(title)s” is there again.", title=back.title))
    return redirect(url_for("responses.listed"), 303)


def _saved(form: Form, response: Response | None) -> ResponseReturnValue:
    if not form.validate_on_submit():
        return _page(form, response, 422)
    wanted = ResponseForm(
        id="" if response else form.nonce.data or "",
        revision=form.was_revision if response else None,
        title=form.title.data,
        text=form.text.data,
        projects=tuple(form.projects.data or ()),
    )
    try:
        saved = canned.save_response(tracker(), response.id if response else None, wanted)
    except Refused as error:
        form.refused(error, str(error.values.get("field", "")))
        return _page(form, response, 422)
    except Conflict:
        response = canned.response_by_id(tracker(), response.id if response else "")
        return _page(form, response, 409, changes=differences(form, form_of(response, formdata=None)))
    told(_("“%(title)s” is saved.", title=saved.title))
    return redirect(url_for("responses.listed"), 303)


def _page(form: Form, response: Response | None, status: int = 200, **more: Any) -> ResponseReturnValue:
    return page("responses/response.html", status, form=form, response=response, places=PLACES, **more)
