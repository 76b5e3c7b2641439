"""One issue: the conversation, and what is changed of it in place.

Flows in: a number, single fields with what they said before. Flows out: the page, or the way back to it. What is
written to the issue goes to `web/writing`.
"""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Busy, EventumError, Refused
from eventum.tracker import change, conversation, delivery, subscribe
from eventum.tracker.acting import Done
from eventum.tracker.change import Clash, Edit
from eventum.web.access import allows, me
from eventum.web.forms import NONCE
from eventum.web.issue_page import conversation_of, issue_page
from eventum.web.l10n import _, ngettext, said
from eventum.web.page import page, told
from eventum.web.trackers import tracker

bp = Blueprint("issue", __name__)
SENT_TO = "edit, assignees, close, reopen, list, repliers, retry, write"
"""Where the forms of an issue are sent to: a page that one of them gives back has its address."""


@bp.get("/issues/<int:number>")
@allows("user")
def shown(number: int) -> ResponseReturnValue:
    """The page of an issue; asked for by htmx, only a part of its conversation."""
    if request.headers.get("HX-Request") and "before" in request.args:
        return page("issue/part.html", c=conversation_of(number))
    return issue_page(number)


@bp.get(f"/issues/<int:number>/<any({SENT_TO}):way>")
@allows("user")
def left(number: int, way: str) -> ResponseReturnValue:
    """Back to the issue: the address of a page that came back from a form was opened again."""
    conversation.find(tracker(), number, me())
    return _to(number)


@bp.post("/issues/<int:number>/edit")
@allows("user")
def edit(number: int) -> ResponseReturnValue:
    """Set one field."""
    conversation.check_works_on(tracker(), number, me())
    form = request.form
    try:
        wanted = Edit(change.check_field(form.get("field", "")), form.get("old", ""), form.get("new", ""))
        done = change.edit(tracker(), number, me().id, wanted, nonce=_nonce())
    except Clash as clash:
        return issue_page(number, 409, clash=clash)
    except Refused as error:
        return issue_page(number, 422, problem=said(error))
    return _back(number, done, _("Saved."))


@bp.post("/issues/<int:number>/assignees")
@allows("user")
def assign(number: int) -> ResponseReturnValue:
    """Assign who is ticked, and take off who is not any more; who else was assigned meanwhile stays so."""
    conversation.check_works_on(tracker(), number, me())
    before, ticked = set(request.form.get("old", "").split()), set(request.form.getlist("user"))
    try:
        names = sorted(ticked - before), sorted(before - ticked)
        done = change.reassign(tracker(), number, me().id, names, nonce=_nonce())
    except EventumError as error:
        return _refused(number, error)
    return _back(number, done, _("Saved."))


@bp.post("/issues/<int:number>/close")
@allows("user")
def close(number: int) -> ResponseReturnValue:
    """Close the issue with a reason."""
    conversation.check_works_on(tracker(), number, me())
    try:
        done = change.close(tracker(), number, me().id, request.form.get("reason", ""), nonce=_nonce())
    except EventumError as error:
        return _refused(number, error)
    return _back(number, done, _("The issue is closed."))


@bp.post("/issues/<int:number>/reopen")
@allows("user")
def reopen(number: int) -> ResponseReturnValue:
    """Open it again."""
    conversation.check_works_on(tracker(), number, me())
    try:
        done = change.reopen(tracker(), number, me().id, nonce=_nonce())
    except EventumError as error:
        return _refused(number, error)
    return _back(number, done, _("The issue is open again."))


@bp.post("/issues/<int:number>/list")
@allows("user")
def listed(number: int) -> ResponseReturnValue:
    """Put an address on the notification list, say what it is told of, or take it off."""
    conversation.check_works_on(tracker(), number, me())
    address = request.form.get("address", "")
    try:
        if request.form.get("do") == "remove":
            subscribe.unsubscribe(tracker(), number, me().id, address)
            told(_("%(address)s is off the notification list.", address=address))
        else:
            actions = request.form.getlist("action")
            subscribe.subscribe(tracker(), number, me().id, address, actions=actions)
            told(_("%(address)s is on the notification list.", address=address.strip()))
    except EventumError as error:
        return _refused(number, error)
    return _to(number)


@bp.post("/issues/<int:number>/repliers")
@allows("user")
def repliers(number: int) -> ResponseReturnValue:
    """Let an address mail the issue, or no more."""
    conversation.check_works_on(tracker(), number, me())
    address = request.form.get("address", "")
    try:
        if request.form.get("do") == "remove":
            subscribe.withdraw(tracker(), number, me().id, address)
            told(_("%(address)s may no longer mail this issue.", address=address))
        else:
            subscribe.authorise(tracker(), number, me().id, address)
            told(_("%(address)s may mail this issue.", address=address.strip()))
    except EventumError as error:
        return _refused(number, error)
    return _to(number)


@bp.post("/issues/<int:number>/retry")
@allows("staff")
def retry(number: int) -> ResponseReturnValue:
    """Let a mail that did not arrive be sent by the next run."""
    conversation.check_works_on(tracker(), number, me())
    try:
        delivery.retry(tracker(), number, request.form.get("entry", ""))
    except EventumError as error:
        return _refused(number, error)
    told(_("It waits for the next run."))
    return _to(number)


def _nonce() -> str:
    given = request.form.get("nonce", "")
    return given if NONCE.fullmatch(given) else ""


def _refused(number: int, error: EventumError) -> ResponseReturnValue:
    if isinstance(error, Busy):
        raise error  # Its page has what was typed, and a button to send it again.
    status = 422 if isinstance(error, Refused) else 409
    return issue_page(number, status, problem=said(error))


def _back(number: int, done: Done, sentence: str) -> ResponseReturnValue:
    if done.changed:
        others = len(done.told)
        heard = ngettext("%(num)s person is told.", "%(num)s people are told.", others) if others else ""
        told(f"{sentence} {heard}".strip())
    return _to(number)


def _to(number: int) -> ResponseReturnValue:
    # To its top, where the line is that says what was done.
    return redirect(url_for("issue.shown", number=number), 303)
