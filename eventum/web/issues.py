"""The list of issues: filters that can be saved, pages, many changed at once, and the list as a CSV file.

Flows in: what somebody wants to see, ticked issues. Flows out: pages. An issue itself is another screen.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Damaged, EventumError, Refused
from eventum.tracker import bulk, listing, views
from eventum.tracker.bulk import Outcome
from eventum.tracker.listing import Shown
from eventum.tracker.views import Wanted, wanted_of
from eventum.web.access import allows, me
from eventum.web.l10n import _, ngettext, said
from eventum.web.page import back, page, safe_path, told
from eventum.web.spreadsheet import csv_file
from eventum.web.trackers import tracker
from eventum.web.words import state_word
from eventum.wording import N_

bp = Blueprint("issues", __name__)

MOST_NAMED = 20  # Issues in a line that says what became of them.
COLUMNS = (
    *("id", "project", "summary", "status", "priority", "category", "reporter", "assignees"),
    *("created", "updated", "closed", "emails", "notes"),
)


@bp.get("/issues")
@allows("user")
def index() -> ResponseReturnValue:
    """A page of the list."""
    return _list(wanted_of(request.args), request.args.get("page", 1, type=int))


@bp.get("/issues.csv")
@allows("user")
def export() -> ResponseReturnValue:
    """The list as it is filtered, all pages of it."""
    lines = listing.all_lines(tracker(), me(), wanted_of(request.args))
    rows = (
        (line.number, line.project, line.summary, line.status, line.priority, line.category, line.address)
        + (", ".join(person.name for person in line.assignees), line.created, line.updated, line.closed)
        + (line.emails, line.notes)
        for line in lines
    )
    answer = Response(csv_file(COLUMNS, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="issues-{tracker().clock():%Y-%m-%d}.csv"'
    return answer


@bp.get("/issues/<any(bulk, filters):way>")
@allows("user")
def left(way: str) -> ResponseReturnValue:
    """Back to the list: the address of a page that came back from a form was opened again."""
    return redirect(url_for("issues.index"), 303)


@bp.post("/issues/bulk")
@allows("staff")
def change() -> ResponseReturnValue:
    """Change the ticked issues; those that could not be changed stay ticked, with the reason."""
    numbers = [int(one) for one in request.form.getlist("number") if one.isascii() and one.isdigit() and len(one) < 10]
    if not numbers:
        return _again(422, problem=_("Tick the issues first."))
    try:
        outcomes = _changed(numbers)
    except Refused as error:
        return _again(422, problem=said(error), ticked=numbers)
    if any(outcome.error for outcome in outcomes):
        ticked = [one.number for one in outcomes if one.error]
        return _again(422, outcomes=outcomes, done=_done(outcomes), ticked=ticked)
    told(_done(outcomes))
    return back(url_for("issues.index"))


def _changed(numbers: list[int]) -> list[Outcome]:
    """What became of the ticked issues. Raises `Refused` when it is not clear what was wanted."""
    match request.form.get("do"):
        case "assign" if assignee := request.form.get("assignee"):
            return bulk.assign(tracker(), me(), numbers, assignee)
        case "assign":
            raise Refused(N_("Choose somebody to assign them to."))
        case "status" if status := request.form.get("status"):
            return bulk.set_status(tracker(), me(), numbers, status)
        case "close":
            return bulk.close(tracker(), me(), numbers)
    raise Refused(N_("Choose what is to be done with them."))


@bp.post("/issues/filters")
@allows("user")
def save() -> ResponseReturnValue:
    """Keep the filters of the page under a name."""
    wanted = _of_page()
    try:
        views.save(tracker(), me(), request.form.get("name", ""), wanted)
    except Refused as error:
        return _again(422, problem=said(error), name=request.form.get("name", ""))
    told(_("The filter is saved."))
    return back(_address(wanted))


@bp.post("/issues/filters/delete")
@allows("user")
def forget() -> ResponseReturnValue:
    """Delete a saved filter; it can be taken back."""
    name = request.form.get("name", "")
    wanted = views.forget(tracker(), me(), name)
    address = _address(wanted)
    told(_("The filter is deleted."), undo=url_for("issues.save"), name=name, next=address)
    return back(url_for("issues.index"))


def _address(wanted: Wanted) -> str:
    """The list that somebody wants."""
    values: dict[str, Any] = dict(wanted.values)
    return url_for("issues.index", **values)


def _of_page() -> Wanted:
    """What the page wanted that a form stands on."""
    return wanted_of(dict(parse_qsl(urlsplit(safe_path(request.form.get("next"))).query)))


def _again(status: int, **more: object) -> ResponseReturnValue:
    """The page a form was on, with what became of it."""
    return _list(_of_page(), 1, status, **more)


def _list(wanted: Wanted, number: int | None, status: int = 200, **more: object) -> ResponseReturnValue:
    shown = listing.listing(tracker(), me(), wanted, number or 1)
    values: dict[str, object] = {"problem": "", "outcomes": (), "done": "", "ticked": (), "name": "", **more}
    address = _address(wanted)
    is_new = not any(view.count for view in shown.views)
    around = {"this_page": address, "why": _why, "current": _current(shown), "is_new": is_new}
    # Whoever wants lists loaded again by themselves gets the rows only: what he types above them stays.
    part = "rows" if request.headers.get("HX-Request") and "rows" in request.args else "list"
    return page(f"issues/{part}.html", status, shown=shown, **around, **values)


def _current(shown: Shown) -> str:
    """The name of the view that this page is; "" for filters nobody has a name for."""
    same = [view for view in shown.views if view.wanted.filters == shown.wanted.filters]
    return next((view.name for view in (*reversed(same),)), "")


def _why(error: EventumError) -> str:
    # What is damaged names files of the server: for its log, not for whoever asks.
    return _("Its record cannot be read now.") if isinstance(error, Damaged) else said(error)


def _done(outcomes: list[Outcome]) -> str:
    """Each issue with what became of it, those that were refused aside."""
    lines = []
    if changed := [f"#{one.number}" for one in outcomes if one.changed]:
        lines.append(_set_to(_few(changed)))
        if told_ := {address for one in outcomes for address in one.told}:
            lines.append(ngettext("%(num)s person is told.", "%(num)s people are told.", len(told_)))
    if same := [one for one in outcomes if not (one.changed or one.error)]:
        named = [f"#{one.number} ({one.by})" if one.by else f"#{one.number}" for one in same]
        lines.append(_("Was so already: %(issues)s.", issues=_few(named)))
    return " ".join(lines)


def _set_to(issues: str) -> str:
    match request.form.get("do"):
        case "assign":
            user = tracker().people.load_all().who(request.form["assignee"])
            return _("Assigned to %(who)s: %(issues)s.", who=user.name if user else "?", issues=issues)
        case "status":
            return f"{state_word(request.form['status'])}: {issues}."
    return f"{state_word('closed')}: {issues}."


def _few(names: list[str]) -> str:
    # The line waits in a cookie, which is small.
    return ", ".join(names if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"])
