"""Blocked mail: what strangers wrote into issues and waits for a decision, on a desk and on the issue's page.

Flows in: which mail, and what is to become of it. Flows out: the desk, or back to where the button was, with a line
that says who is told and can be undone.
"""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Conflict, NotFound, Refused
from eventum.tracker import blocked, undo
from eventum.tracker.acting import Done
from eventum.tracker.blocked import Place
from eventum.tracker.conversation import check_works_on
from eventum.tracker.mail_view import KEY, MISSING, place_of
from eventum.web import undoing
from eventum.web.access import allows, me
from eventum.web.emails_sent import nonce_of
from eventum.web.forms import new_nonce
from eventum.web.l10n import _, said, say
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker
from eventum.web.undoing import lines_lately, sender, tell, told_soon
from eventum.wording import N_

bp = Blueprint("blocked", __name__)
bp.add_app_template_global(new_nonce, "form_nonce")
MORE = {
    "accepted": N_("Nobody is put on the notification list, and the next mail of this sender is blocked again."),
    "allowed": N_("Nobody is put on the notification list by it."),
}
"""What else is said of a step (`handling.step_name`)."""


@bp.get("/blocked")
@allows("staff")
def index() -> ResponseReturnValue:
    """The desk."""
    desk = blocked.desk(tracker(), me(), request.args.get("page", 1, type=int), say)
    return page("blocked/desk.html", desk=desk, lately=lines_lately())


@bp.post("/issues/<int:number>/blocked/<key>/accept")
@allows("staff")
def accept(number: int, key: str) -> ResponseReturnValue:
    """Let this one mail in."""
    return _decided(number, key, "accepted", partial(blocked.accept, delay=undo.DELAY))


@bp.post("/issues/<int:number>/blocked/<key>/allow")
@allows("staff")
def allow(number: int, key: str) -> ResponseReturnValue:
    """Let it in, and its sender from now on."""
    return _decided(number, key, "allowed", partial(blocked.accept, always=True, delay=undo.DELAY))


@bp.post("/issues/<int:number>/blocked/<key>/new-issue")
@allows("staff")
def own(number: int, key: str) -> ResponseReturnValue:
    """Give it an issue of its own."""
    return _decided(number, key, "opened", partial(blocked.make_issue, delay=undo.DELAY))


@bp.post("/issues/<int:number>/blocked/<key>/ignore")
@allows("staff")
def ignore(number: int, key: str) -> ResponseReturnValue:
    """Let it wait no more."""
    return _decided(number, key, "ignored", blocked.ignore)


def _place(number: int, key: str) -> tuple[Place, str]:
    """The mail, for who may see it, and whose it is. Raises `NotFound`."""
    if not KEY.fullmatch(key):
        raise NotFound(MISSING)
    found = place_of(tracker(), me(), key)
    if found.issue != number and not (request.endpoint == "blocked.own" and found.staff):
        raise NotFound(MISSING)
    if not found.staff:
        check_works_on(tracker(), number, me())
    return Place(number, key), sender(found.filing)


def _decided(number: int, key: str, name: str, verb: Callable[..., Done]) -> ResponseReturnValue:
    """Do it, say what was done and who is told of it, and go on from where the button was."""
    place, mail = _place(number, key)
    nonce, home = nonce_of(), url_for("blocked.index")
    try:
        done = verb(tracker(), me().id, place, nonce=nonce)
    except (Conflict, NotFound, Refused) as error:  # Another was faster; or it is not clear who is to be allowed.
        told(said(error))
        return back(home)
    line = undoing.done(name, [mail], done.issue.number)
    if done.changed:
        more = [_(MORE[name])] if name in MORE else []
        tell(" ".join((line, *more, told_soon(done.told))), undo.step_of(tracker(), done), home)
    elif (made := done.made(nonce)) is None:
        told(_("Somebody decided about the mail of %(who)s before.", who=mail))
    elif undo.is_taken_back(done.issue, made):
        told(_("This was done before and taken back since; choose it again."))
    else:
        told(line)
    return back(home)
