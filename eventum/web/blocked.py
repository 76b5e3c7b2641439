"""Blocked mail: what strangers wrote into issues and waits for a decision, on a desk and on the issue's page.

Flows in: which mail, and what is to become of it. Flows out: the desk, or back to where the button was, with a line
that says who is told and can be undone.
"""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import NotFound
from eventum.tracker import blocked, undo
from eventum.tracker.acting import Done
from eventum.tracker.blocked import Place
from eventum.tracker.mail_view import KEY, MISSING, place_of
from eventum.web.access import allows, me
from eventum.web.emails_sent import nonce_of
from eventum.web.forms import new_nonce
from eventum.web.l10n import _, say
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker
from eventum.web.undoing import tell, told_soon

bp = Blueprint("blocked", __name__)
bp.add_app_template_global(new_nonce, "form_nonce")


@bp.get("/blocked")
@allows("staff")
def index() -> ResponseReturnValue:
    """The desk."""
    return page("blocked/desk.html", desk=blocked.desk(tracker(), me(), request.args.get("page", 1, type=int), say))


@bp.post("/issues/<int:number>/blocked/<key>/accept")
@allows("staff")
def accept(number: int, key: str) -> ResponseReturnValue:
    """Let this one mail in."""
    done = blocked.accept(tracker(), me().id, _place(number, key), nonce=nonce_of(), delay=undo.DELAY)
    return _done(done, _("Accepted in %(issue)s.", issue=f"#{number}"))


@bp.post("/issues/<int:number>/blocked/<key>/allow")
@allows("staff")
def allow(number: int, key: str) -> ResponseReturnValue:
    """Let it in, and its sender from now on."""
    place = _place(number, key)
    done = blocked.accept(tracker(), me().id, place, always=True, nonce=nonce_of(), delay=undo.DELAY)
    return _done(done, _("Accepted in %(issue)s; its sender may write to it from now on.", issue=f"#{number}"))


@bp.post("/issues/<int:number>/blocked/<key>/new-issue")
@allows("staff")
def own(number: int, key: str) -> ResponseReturnValue:
    """Give it an issue of its own."""
    done = blocked.make_issue(tracker(), me().id, _place(number, key), nonce=nonce_of(), delay=undo.DELAY)
    return _done(done, _("Issue %(issue)s is opened for it.", issue=f"#{done.issue.number}"))


@bp.post("/issues/<int:number>/blocked/<key>/ignore")
@allows("staff")
def ignore(number: int, key: str) -> ResponseReturnValue:
    """Let it wait no more."""
    done = blocked.ignore(tracker(), me().id, _place(number, key), nonce=nonce_of())
    if done.changed:
        tell(_("Ignored; it stays in %(issue)s for staff to read.", issue=f"#{number}"), undo.step_of(tracker(), done))
    return back(url_for("blocked.index"))


def _place(number: int, key: str) -> Place:
    """The mail, for who may see it. Raises `NotFound`."""
    if not KEY.fullmatch(key):
        raise NotFound(MISSING)
    found = place_of(tracker(), me(), key)
    if found.issue != number and not (request.endpoint == "blocked.own" and found.staff):
        raise NotFound(MISSING)
    return Place(number, key)


def _done(done: Done, line: str) -> ResponseReturnValue:
    if done.changed:
        tell(f"{line} {told_soon(done.told)}", undo.step_of(tracker(), done))
    else:
        told(line)
    return back(url_for("blocked.index"))
