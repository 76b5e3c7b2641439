"""What an e-mail account does when somebody asks: Test, Download now, pause, go on; and its deletion.

Flows in: an administrator's buttons. Flows out: steps, progress, an account that waits or is gone. With htmx only the
part of the page that changed comes back, without it the whole page.
"""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Busy, EventumError, NotFound, Refused
from eventum.runners import comparing, detached, probing
from eventum.runners.probing import Step
from eventum.tracker import mailbox_states, mailboxes
from eventum.tracker.mailbox_states import Account
from eventum.tracker.mailboxes import AccountForm
from eventum.web.access import allows
from eventum.web.account_form import AccountFields, fields_of, refuse, typed
from eventum.web.accounts import STATES, shown
from eventum.web.allowing import allowed
from eventum.web.l10n import _, said
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker

bp = Blueprint("account_runs", __name__, url_prefix="/admin/accounts")


@bp.post("/new/test")
@allows("administrator")
def test_new() -> ResponseReturnValue:
    """Try an account that is not saved."""
    return tested(None)


@bp.post("/<ident>/test")
@allows("administrator")
def test(ident: str) -> ResponseReturnValue:
    """Try an account, as its form stands or as it is saved."""
    return tested(tracker().settings.account(ident))


@bp.post("/<ident>/password")
@allows("administrator")
def password(ident: str) -> ResponseReturnValue:
    """Save a new password, where the test said that the old one was refused, and try it."""
    found = tracker().settings.account(ident)
    if given := request.form.get("password"):
        found = mailboxes.save_from_browser(tracker(), found.id, AccountForm(password=given))
    return tested(found)


@bp.post("/<ident>/download")
@allows("administrator")
def download(ident: str) -> ResponseReturnValue:
    """Begin a run for this account; who presses twice watches the one that goes on."""
    found = tracker().settings.account(ident)
    if not detached.begin(tracker(), found):
        told(_("A run holds this account already; this is how far it is."))
    return redirect(url_for("accounts.account", ident=found.id, _anchor="download"), 303)


@bp.get("/<ident>/progress")
@allows("administrator")
def progress(ident: str) -> ResponseReturnValue:
    """How far the last run is, for a page that asks again and again."""
    found = tracker().settings.account(ident)
    run = detached.seen(tracker(), found)
    # The state is another when the run is over: it stands elsewhere on the page.
    mailbox = None if run.goes_on else mailbox_states.one(tracker(), found)
    return page("accounts/progress.html", account=found, run=run, mailbox=mailbox, states=STATES, is_piece=True)


@bp.post("/<ident>/compare")
@allows("administrator")
def compare(ident: str) -> ResponseReturnValue:
    """What lies on the server against what lies here; nothing is fetched or changed."""
    found = tracker().settings.account(ident)
    compared, problem = None, ""
    try:
        compared = comparing.compare(tracker(), found)
    except (Busy, Refused, NotFound) as error:
        problem = said(error)
    how: dict[str, Any] = {"compared": compared, "problem": problem, "fine": comparing.FINE}
    if request.headers.get("HX-Request"):
        return page("accounts/compared.html", **how, name=mailbox_states.name_of(found))
    return shown(found, fields_of(found, formdata=None), **how, is_compared=True)


@bp.post("/<ident>/pause")
@allows("administrator")
def pause(ident: str) -> ResponseReturnValue:
    """Leave the account alone until further notice."""
    return _paused(ident, True)


@bp.post("/<ident>/resume")
@allows("administrator")
def resume(ident: str) -> ResponseReturnValue:
    """Fetch it again."""
    return _paused(ident, False)


@bp.get("/<ident>/delete")
@allows("administrator")
def ask_delete(ident: str) -> ResponseReturnValue:
    """Ask before what cannot be undone."""
    found = tracker().settings.account(ident)
    mailbox = mailbox_states.one(tracker(), found)
    return page("accounts/delete.html", account=found, mailbox=mailbox, kept=mailbox_states.kept(tracker(), found))


@bp.post("/<ident>/delete")
@allows("administrator")
def delete(ident: str) -> ResponseReturnValue:
    """Delete an account; its mail stays."""
    found = tracker().settings.account(ident)
    tracker().settings.delete_account(found)
    told(_("The account %(name)s is deleted. The mail that came by it stays.", name=mailbox_states.name_of(found)))
    return redirect(url_for("accounts.listed"), 303)


def tested(account: Account | None) -> ResponseReturnValue:
    """The steps of a test, of the account as the form of this request has it, else as it is saved."""
    form = fields_of(account) if account is None or "type" in request.form else None
    how = tried(account, form)
    if request.headers.get("HX-Request"):
        return page("accounts/steps.html", **how)
    steps, problem = how["steps"], how["problem"]
    if form is None:
        assert account is not None
        form = fields_of(account, formdata=None)
        if problem:
            form.refused(problem)
    status = 200 if steps is not None else 422
    return shown(account, form, status, **{name: how[name] for name in ("steps", "allowed", "is_saved")})


def tried(account: Account | None, form: AccountFields | None) -> dict[str, Any]:
    """What a page says of a test: its steps, or why there are none; what is wrong stands in the form, too."""
    steps, problem, place = None, "", None
    try:
        place = allowed()
        steps = steps_of(account, form)
    except (Refused, NotFound) as error:
        problem = said(error)
        if form is not None:
            refuse(form, error)
    faults = form.faults() if form is not None else []
    return {
        "account": account,
        "steps": steps,
        "allowed": place,
        "faults": faults,
        "problem": problem if not faults else "",
        "name": _name(account, form),
        "is_saved": form is None,
    }


def steps_of(account: Account | None, form: AccountFields | None) -> tuple[Step, ...] | None:
    """The steps; None when a field cannot be read. Raises `Refused`, `NotFound`."""
    if form is None:
        assert account is not None
        draft, secret = mailboxes.drafted(tracker(), account.id, AccountForm())
    else:
        what = typed(form)
        if what is None:
            return None
        draft, secret = mailboxes.drafted(tracker(), account.id if account else None, what)
    if draft.type == "delivered":
        raise Refused(_("Mail is delivered to this account; there is no server to test."))
    return probing.probe_from_browser(tracker(), draft, secret, say=said)


def _name(account: Account | None, form: AccountFields | None) -> str:
    if form is not None:
        return (
            (form.addresses.data or "").split("\n")[0].strip()
            or form.username.data
            or form.host.data
            or _("New account")
        )
    assert account is not None
    return mailbox_states.name_of(account)


def _paused(ident: str, paused: bool) -> ResponseReturnValue:
    found = tracker().settings.account(ident)
    name = mailbox_states.name_of(found)
    try:
        mailboxes.save_account(tracker(), found.id, AccountForm(paused=paused))
    except EventumError as error:
        told(said(error))
    else:
        undo = url_for("account_runs.resume" if paused else "account_runs.pause", ident=found.id)
        message = _("%(name)s is paused: no mail is fetched from it.") if paused else _("%(name)s is fetched again.")
        told(message % {"name": name}, undo=undo)
    return back(url_for("accounts.listed"))
