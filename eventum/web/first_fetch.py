"""The first fetch of an account: what it would bring is counted, what it takes is chosen, and only then it begins.

Flows in: an administrator's choice. Flows out: counts by age, for this choice; an account that is fetched from now on.
The imports of an account are undone here too: mail that came in by the thousand is one step then as well.
"""

from typing import Any

import msgspec
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField

from eventum.errors import Conflict, EventumError, NotFound, Refused
from eventum.runners import counting, detached
from eventum.tracker import mailbox_states, mailboxes
from eventum.tracker.mailbox_states import Account
from eventum.tracker.mailboxes import AccountForm
from eventum.web.access import allows
from eventum.web.account_form import STARTS, fields_of, refuse
from eventum.web.accounts import shown
from eventum.web.forms import Form
from eventum.web.l10n import _, said, say
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("first_fetch", __name__, url_prefix="/admin/accounts")


class FirstFetch(Form):
    """What the first fetch takes, and what of it is told."""

    start = SelectField(N_("The first fetch takes"))
    quiet_before = StringField(N_("Tell nobody about mail older than"))


def choice_of(account: Account, **more: Any) -> FirstFetch:
    """The form, as somebody filled it or as the account is."""
    form = FirstFetch(data={"start": account.start, "quiet_before": account.quiet_before}, **more)
    form.start.choices = [(value, _(words)) for value, words in STARTS]
    return form


@bp.get("/<ident>/first-fetch")
@allows("administrator")
def counted(ident: str) -> ResponseReturnValue:
    """How much mail there is, by age, and what would become of it with what was chosen; nothing is fetched."""
    found = tracker().settings.account(ident)
    form = choice_of(found, formdata=request.args if "start" in request.args else None)
    how: dict[str, Any] = {"first": form, "counts": None, "sentences": [], "uncounted": ""}
    try:
        wanted, _password = mailboxes.drafted(tracker(), found.id, _typed(form))
        how["counts"] = counts = counting.counts(tracker(), wanted, from_browser=True)
        how["sentences"] = counting.sentences(counts, say)
    except (Refused, NotFound) as error:
        refuse(form, error)
        how["uncounted"] = "" if form.faults() else said(error)
    except EventumError as error:
        how["uncounted"] = said(error)
    if request.headers.get("HX-Request"):
        return page("accounts/first_fetch.html", **how, **_about(found), is_piece=True)
    return shown(found, fields_of(found, formdata=None), **how)


@bp.post("/<ident>/first-fetch")
@allows("administrator")
def start(ident: str) -> ResponseReturnValue:
    """Save what was chosen, and begin."""
    found = tracker().settings.account(ident)
    form = choice_of(found)
    try:
        wanted = msgspec.structs.replace(_typed(form), paused=False)
        saved = mailboxes.save_from_browser(tracker(), found.id, wanted)
        if not detached.begin(tracker(), saved):
            told(_("A run holds this account already; this is how far it is."))
    except (Refused, NotFound, Conflict) as error:
        refuse(form, error)
        problem = "" if form.faults() else said(error)
        return shown(
            found, fields_of(found, formdata=None), 422, first=form, uncounted=problem, sentences=[], counts=None
        )
    return redirect(url_for("accounts.account", ident=found.id, _anchor="download"), 303)


@bp.post("/imports/<ident>/undo")
@allows("administrator")
def undo(ident: str) -> ResponseReturnValue:
    """Undo an import as a whole, in a process of its own; the page of its account says how it ended."""
    account = detached.begin_undo(tracker(), ident)
    told(_("The import is being undone; this may take minutes. Its line below says when it is done."))
    return redirect(url_for("accounts.account", ident=account, _anchor="imports"), 303)


def _typed(form: FirstFetch) -> AccountForm:
    return AccountForm(start=form.start.data, quiet_before=form.quiet_before.data or "7d")


def _about(account: Account) -> dict[str, Any]:
    return {"account": account, "mailbox": mailbox_states.one(tracker(), account)}
