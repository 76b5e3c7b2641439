"""Associate Emails: mail that belongs to no issue, and what a person does with it.

Flows in: what the list is to show, and which mails are to go where. Flows out: pages, and a line with Undo after each
step. A mail is named by its id; in a line that is kept for Undo, by the beginning of it.
"""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Conflict, NotFound, Refused
from eventum.tracker import associate, from_mail, mail_view, search, undo, waiting
from eventum.tracker.acting import Done
from eventum.tracker.from_mail import Wish
from eventum.tracker.waiting import Wanted
from eventum.web import undoing
from eventum.web.access import allows, me
from eventum.web.emails_sent import LISTS, aim_of, chosen, keys_of, list_of, nonce_of, number_of, senders_of
from eventum.web.forms import new_nonce
from eventum.web.l10n import _, ngettext, said, say
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker
from eventum.web.undoing import lines_lately, tell, told_soon
from eventum.wording import N_

bp = Blueprint("emails", __name__)
WAYS = {"email": N_("E-mail"), "reference": N_("Reference"), "note": N_("Internal note")}
SHORT = 16  # Characters of an id that name it in a line kept for Undo.


@bp.get("/emails")
@allows("staff")
def index() -> ResponseReturnValue:
    """The list, with the mail that was chosen beside it."""
    return _desk()


@bp.get("/emails/together")
@allows("staff")
def together() -> ResponseReturnValue:
    """Several mails at once: what they are to become."""
    return _together(keys_of(request.args.getlist("key")))


@bp.get("/emails/told")
@allows("staff")
def would_tell() -> ResponseReturnValue:
    """Who would be told, as a piece of the form, and its button with the issue it is for."""
    found, given = associate.NOBODY, request.args.getlist("key")
    problem = ""
    number = number_of(request.args.get("issue") or request.args.get("q", ""))
    if number:
        try:
            found = associate.would_tell(tracker(), me().id, keys_of(given), aim_of(number))
        except (NotFound, Refused) as error:
            problem = said(error)
    values = {"found": found, "problem": problem, "count": len(given)}
    return render_template("emails/told.html", number=number, **values)


@bp.get("/emails/fields")
@allows("staff")
def fields() -> ResponseReturnValue:
    """What a new issue of the chosen project can have, as a piece of the form."""
    targets = waiting.targets(tracker(), me())
    return render_template("emails/fields.html", targets=targets, sent=request.args)


@bp.post("/emails/choose")
@allows("staff")
def choose() -> ResponseReturnValue:
    """To the page for the mails that are ticked."""
    try:
        keys = keys_of(request.form.getlist("key"))
    except Refused as error:
        told(said(error))
        return back(url_for("emails.index"))
    return redirect(url_for("emails.together", key=[key[:SHORT] for key in keys]), 303)


@bp.post("/emails/associate")
@allows("staff")
def put() -> ResponseReturnValue:
    """Put mails into an issue."""
    keys = keys_of(request.form.getlist("key"))
    typed = request.form.get("q", "").strip()
    number = number_of(request.form.get("issue") or typed)
    if not number:
        found = search.choices(tracker(), me(), typed) if typed else []
        problem = _("Choose one of these issues.") if found else _("Type the number of an issue, or words of it.")
        return _again(keys, problem, choices=found)
    aim, nonce, senders = aim_of(number), nonce_of(), senders_of(keys)
    try:
        done = associate.associate_all(tracker(), me().id, keys, aim, nonce=nonce, delay=undo.DELAY)
    except (NotFound, Refused, Conflict) as error:
        return _again(keys, said(error), 409 if isinstance(error, Conflict) else 422)
    _say_done(done, f"as_{aim.way}", keys, senders)
    return back(url_for("emails.index"))


@bp.post("/emails/new-issue")
@allows("staff")
def new_issue() -> ResponseReturnValue:
    """Open an issue from mails."""
    keys, form = keys_of(request.form.getlist("key")), request.form
    if form.get("do") == "project":
        return _again(keys, "", 200)
    senders = senders_of(keys)
    wish = Wish(
        project=form.get("project", ""),
        category=chosen("category"),
        priority=chosen("priority"),
        assign=tuple(form.getlist("assign")) or None,
    )
    try:
        done = from_mail.open_from_mails(tracker(), me().id, keys, wish, nonce=nonce_of(), delay=undo.DELAY)
    except (NotFound, Refused, Conflict) as error:
        return _again(keys, said(error), 409 if isinstance(error, Conflict) else 422)
    _say_done(done, "opened", keys, senders)
    return back(url_for("emails.index"))


@bp.post("/emails/remove")
@allows("staff")
def remove() -> ResponseReturnValue:
    """Put mails away."""
    one, many = (
        N_("The mail of %(who)s is removed; it stays under Removed."),
        N_("%(num)s mails are removed; they stay under Removed."),
    )
    return _moved("removed", one, many)


@bp.post("/emails/restore")
@allows("staff")
def restore() -> ResponseReturnValue:
    """Let mails wait again."""
    return _moved("unassociated", N_("The mail of %(who)s waits again."), N_("%(num)s mails wait again."))


def _say_done(done: Done, name: str, keys: Sequence[str], senders: Sequence[str]) -> None:
    """What was done, and Undo. Of a form that was sent again only what is true by now."""
    line = undoing.done(name, senders, done.issue.number)
    if done.changed:
        tell(f"{line} {told_soon(done.told)}", undo.step_of(tracker(), done, list_of()), url_for("emails.index"))
    elif mail_view.place_of(tracker(), me(), keys[0]).issue == done.issue.number:
        told(line)
    else:
        told(_("This was done before and taken back since; choose it again."))


def _desk(status: int = 200, problem: str = "", **more: object) -> ResponseReturnValue:
    args = request.args
    wanted = Wanted(
        outcome=args.get("list") or "unassociated",
        account=args.get("account", ""),
        project=args.get("project", ""),
        text=args.get("q", "").strip(),
    )
    shown = waiting.waiting_list(tracker(), me(), wanted, args.get("page", 1, type=int), say=say)
    key, mail = args.get("mail", ""), None
    if not key and shown.lines:
        key = shown.lines[0].key
    if key:
        try:
            mail = mail_view.shown(tracker(), me(), key, say, with_head=False)
        except NotFound:  # Somebody was faster; the list is what there is now.
            if args.get("mail"):
                problem = problem or _("That mail is not in this list any more.")
    if mail is not None and mail.place.issue:
        mail = None
    more["lately"] = lines_lately()
    return page("emails/desk.html", status, shown=shown, wanted=wanted, mail=mail, problem=problem, **_around(more))


def _together(keys: list[str], status: int = 200, problem: str = "", **more: object) -> ResponseReturnValue:
    all_of_them = (mail_view.shown(tracker(), me(), key, say, with_head=False) for key in keys)
    mails = [mail for mail in all_of_them if not mail.place.issue]
    if not mails:
        told(_("These mails are not in the list any more."))
        return back(url_for("emails.index"))
    return page("emails/together.html", status, mails=mails, problem=problem, **_around(more))


def _around(more: dict[str, object]) -> dict[str, object]:
    names = {"lists": LISTS, "kinds": WAYS, "targets": waiting.targets(tracker(), me()), "nonce": new_nonce()}
    return {**names, "choices": [], "sent": request.form, **more}


def _again(keys: list[str], problem: str, status: int = 422, **more: object) -> ResponseReturnValue:
    """The page with what was typed still in it."""
    return _together(keys, status, problem, **more)


def _moved(outcome: str, one: str, many: str) -> ResponseReturnValue:
    keys: list[str] = []
    try:
        keys = keys_of(request.form.getlist("key"))
        before = associate.move(tracker(), me().id, keys, outcome)
    except (NotFound, Refused) as error:
        if not keys and isinstance(error, NotFound):
            raise
        told(said(error))
        return back(url_for("emails.index"))
    if before:
        # All are of one list, the one that was shown.
        line = ngettext(one, many, len(before), who=senders_of(list(before))[0])
        names, outcome = " ".join(key[:SHORT] for key in before), next(iter(before.values()))
        told(line, undo=url_for("taking_back.move_back"), keys=names, outcome=outcome)
    return back(url_for("emails.index"))
