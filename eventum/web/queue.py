"""The queue: mail on its way out, by states, with what the far end said of each; retried or deleted.

Flows in: a state, a page, an entry's id. Flows out: pages. What a run has in its hand is left alone, and that is said.
"""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Busy
from eventum.tracker import fuses, queues, replies
from eventum.web.access import allows
from eventum.web.l10n import _, ngettext, said
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker

bp = Blueprint("queue", __name__)


@bp.get("/admin/queue")
@allows("administrator")
def index() -> ResponseReturnValue:
    """A page of the queue."""
    return _list()


@bp.post("/admin/queue/retry-failed")
@allows("administrator")
def retry_failed() -> ResponseReturnValue:
    """Let all that failed be sent by the next run, or all that the loop fuse holds."""
    is_held = request.form.get("status") == "held"
    count = len(queues.send_all_held(tracker()) if is_held else queues.retry_all_failed(tracker()))
    told(ngettext("%(num)s mail waits for the next run.", "%(num)s mails wait for the next run.", count))
    return back(url_for("queue.index"))


@bp.get("/admin/queue/<ident>")
@allows("administrator")
def entry(ident: str) -> ResponseReturnValue:
    """One entry: its log and its mail."""
    return page(
        "queue/entry.html",
        entry=queues.queue_entry(tracker(), ident),
        notices=queues.NOTICES,
        meaning=replies.meaning,
        words=queues.WORDS,
        cause=_cause,
        busy=tracker().outbox.in_hand(),
    )


@bp.post("/admin/queue/<ident>/retry")
@allows("administrator")
def retry(ident: str) -> ResponseReturnValue:
    """Let an entry be sent by the next run."""
    try:
        queues.retry(tracker(), ident)
    except Busy as error:
        return _list(503, said(error))
    told(_("It waits for the next run."))
    return back(url_for("queue.index"))


@bp.get("/admin/queue/<ident>/delete")
@allows("administrator")
def ask_delete(ident: str) -> ResponseReturnValue:
    """Ask before what cannot be undone."""
    return page("queue/delete.html", entry=queues.queue_entry(tracker(), ident), notices=queues.NOTICES)


@bp.post("/admin/queue/<ident>/delete")
@allows("administrator")
def delete(ident: str) -> ResponseReturnValue:
    """Delete an entry."""
    try:
        queues.delete(tracker(), ident)
    except Busy as error:
        return _list(503, said(error))
    told(_("The mail is deleted from the queue."))
    return back(url_for("queue.index"))


def _cause(hold: str) -> str:
    return said(fuses.cause(hold))


def _list(status: int = 200, problem: str = "") -> ResponseReturnValue:
    wanted = request.args.get("status", "")
    wanted = wanted if wanted in queues.STATUSES else ""
    shown = queues.part(tracker(), wanted, request.args.get("page", 1, type=int))
    return page(
        "queue/list.html",
        status,
        part=shown,
        wanted=wanted,
        unsent=sum(shown.counts[one] for one in queues.UNSENT),
        statuses=("failed", "held", "pending", "deferred", "sent"),
        notices=queues.NOTICES,
        meaning=replies.meaning,
        words=queues.WORDS,
        cause=_cause,
        way_out=queues.way_out(tracker()),
        problem=problem,
    )
