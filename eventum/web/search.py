"""The search over issues and mails, and the few issues somebody chooses from by a number or words.

Flows in: what somebody typed. Flows out: a page of places, or a piece of one. Nothing is decided here.
"""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from eventum.tracker import search
from eventum.web.access import allows, me
from eventum.web.page import page
from eventum.web.trackers import tracker

bp = Blueprint("search", __name__)


@bp.get("/search")
@allows("user")
def index() -> ResponseReturnValue:
    """What was found, a page of it."""
    text = request.args.get("q", "").strip()
    found = search.search(tracker(), me(), text, request.args.get("page", 1, type=int)) if text else None
    return page("search/results.html", text=text, found=found)


@bp.get("/search/issues")
@allows("user")
def choices() -> ResponseReturnValue:
    """Issues to choose from, as a piece of a form; `name` is that of its field."""
    text = request.args.get("q", "").strip()
    field = request.args.get("name", "issue")
    found = search.choices(tracker(), me(), text) if text else []
    return render_template(
        "search/choices.html", text=text, found=found, field=field if field.isidentifier() else "issue"
    )
