"""Manage Email Accounts: the list, one account, and its Auto-Creation of Issues.

Flows in: an administrator's forms. Flows out: accounts as saved. What an account does on request (Test, Download now,
pause, delete) is in `account_runs`.
"""

from typing import Any

import msgspec
from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Conflict, NotFound, Refused
from eventum.runners import detached
from eventum.tracker import imports, mailbox_states, mailboxes
from eventum.tracker.mailbox_states import Account
from eventum.web.access import allows
from eventum.web.account_form import AccountFields, auto_creation_of, chosen, fields_of, refuse, typed
from eventum.web.l10n import _
from eventum.web.meanwhile import differences
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.web.users import ROLE_WORDS
from eventum.wording import N_

bp = Blueprint("accounts", __name__, url_prefix="/admin/accounts")

# How a state looks and is called: icon, class, words.
STATES = {
    "working": ("check-circle-fill", "is-ok", N_("Working")),
    "overdue": ("clock-history", "is-warn", N_("Overdue")),
    "failing": ("exclamation-octagon-fill", "is-stop", N_("Failing")),
    "paused": ("pause-circle", "is-quiet", N_("Paused")),
    "never": ("circle", "is-quiet", N_("Not fetched yet")),
    "first": ("play", "is-quiet", N_("Waits for Start")),
    "delivered": ("inbox", "is-quiet", N_("Mail is delivered to us")),
    "passed_over": ("exclamation-triangle", "is-warn", N_("Mail left on the server")),
}


@bp.get("")
@allows("administrator")
def listed() -> ResponseReturnValue:
    """Existing Accounts."""
    return page(
        "accounts/list.html",
        accounts=mailbox_states.listed(tracker()),
        damaged=mailbox_states.damaged(tracker()),
        states=STATES,
        has_project=bool(mailbox_states.projects(tracker())),
    )


@bp.get("/new")
@allows("administrator")
def new() -> ResponseReturnValue:
    """The form of an account that is not there yet."""
    return shown(None, fields_of(None))


@bp.post("/new")
@allows("administrator")
def add() -> ResponseReturnValue:
    """Add an account."""
    form = fields_of(None)
    what = typed(form)
    if what is None:
        return shown(None, form, 422)
    try:
        # Cron must not be faster than who wants to see first what there is.
        waits = mailboxes.is_fetched(what)
        what = msgspec.structs.replace(what, paused=waits)
        account = mailboxes.save_from_browser(tracker(), None, what, nonce=form.nonce.data or "")
    except (Refused, NotFound) as error:
        refuse(form, error)
        return shown(None, form, 422)
    if waits:
        message = _("The account %(name)s is added. Nothing is fetched before you press Start.")
    else:
        message = _("The account %(name)s is added.")
    told(message % {"name": mailbox_states.name_of(account)})
    return redirect(url_for("accounts.account", ident=account.id), 303)


@bp.get("/<ident>")
@allows("administrator")
def account(ident: str) -> ResponseReturnValue:
    """One account."""
    found = tracker().settings.account(ident)
    return shown(found, fields_of(found))


@bp.post("/<ident>")
@allows("administrator")
def save(ident: str) -> ResponseReturnValue:
    """Save an account; two who change it are told of each other."""
    found = tracker().settings.account(ident)
    form = fields_of(found)
    what = typed(form)
    if what is None:
        return shown(found, form, 422)
    try:
        saved = mailboxes.save_from_browser(tracker(), found.id, what, revision=form.was_revision)
    except (Refused, NotFound) as error:
        refuse(form, error)
        return shown(found, form, 422)
    except Conflict:
        now = tracker().settings.account(ident)
        return shown(now, form, 409, changes=differences(form, fields_of(now, formdata=None)))
    told(_("The account %(name)s is saved.", name=mailbox_states.name_of(saved)))
    return redirect(url_for("accounts.listed"), 303)


@bp.get("/<ident>/auto-creation")
@allows("administrator")
def auto_creation(ident: str) -> ResponseReturnValue:
    """Auto-Creation of Issues of one account."""
    found = tracker().settings.account(ident)
    waiting = mailbox_states.waiting(tracker(), found)
    return page("accounts/auto_creation.html", **_about(found), form=auto_creation_of(found), waiting=waiting)


@bp.post("/<ident>/auto-creation")
@allows("administrator")
def save_auto_creation(ident: str) -> ResponseReturnValue:
    """Save what becomes of mail that belongs to no issue."""
    found = tracker().settings.account(ident)
    form = auto_creation_of(found)
    what = chosen(form)
    if what is None:
        return page("accounts/auto_creation.html", 422, **_about(found), form=form)
    try:
        mailboxes.save_from_browser(tracker(), found.id, what, revision=form.was_revision)
    except (Refused, NotFound) as error:
        refuse(form, error)
        return page("accounts/auto_creation.html", 422, **_about(found), form=form)
    except Conflict:
        now = tracker().settings.account(ident)
        changes = differences(form, auto_creation_of(now, formdata=None))
        return page("accounts/auto_creation.html", 409, **_about(now), form=form, changes=changes)
    told(_("Auto-Creation of Issues for %(name)s is saved.", name=mailbox_states.name_of(found)))
    return redirect(url_for("accounts.listed"), 303)


def shown(account: Account | None, form: AccountFields, status: int = 200, **more: object) -> ResponseReturnValue:
    """The page of an account, or of one that is to be added."""
    about: dict[str, Any] = _about(account) if account is not None else {"account": None, "mailbox": None}
    run = detached.seen(tracker(), account) if account is not None else None
    about["imports"] = imports.of_account(tracker(), account) if account is not None else ()
    return page("accounts/account.html", status, **about, form=form, run=run, states=STATES, **more)


def _about(account: Account) -> dict[str, Any]:
    mailbox = mailbox_states.one(tracker(), account)
    return {"account": account, "mailbox": mailbox, "name": mailbox.name, "words": ROLE_WORDS}
