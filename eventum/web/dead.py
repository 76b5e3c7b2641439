"""Dead mail: what no run could handle, with the reason; downloaded as it came, tried again or deleted.

Flows in: a mail's id. Flows out: pages, or the bytes of the mail. It is read in the guarded child only.
"""

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue

from eventum.tracker import dashboard
from eventum.tracker import dead as mails
from eventum.web.access import allows
from eventum.web.l10n import _
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker

bp = Blueprint("dead", __name__)


@bp.get("/admin/dead")
@allows("administrator")
def index() -> ResponseReturnValue:
    """All of it, the oldest first."""
    return page("dead/list.html", mails=mails.dead_mails(tracker()), names=dashboard.account_names(tracker()))


@bp.get("/admin/dead/<ident>")
@allows("administrator")
def mail(ident: str) -> ResponseReturnValue:
    """One mail: why it is here, its headers, and its text when it can be read."""
    return page("dead/mail.html", mail=mails.dead_mail(tracker(), ident))


@bp.get("/admin/dead/<ident>/raw")
@allows("administrator")
def raw(ident: str) -> ResponseReturnValue:
    """The mail as it was received, to be saved; no browser shows it as a page."""
    key, data = mails.dead_bytes(tracker(), ident)
    response = Response(data, mimetype="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="{key[:16]}.eml"'
    return response


@bp.post("/admin/dead/<ident>/retry")
@allows("administrator")
def retry(ident: str) -> ResponseReturnValue:
    """Let the next run decide it again."""
    mails.retry(tracker(), ident)
    told(_("The next run tries it again."))
    return back(url_for("dead.index"))


@bp.get("/admin/dead/<ident>/delete")
@allows("administrator")
def ask_delete(ident: str) -> ResponseReturnValue:
    """Ask before what cannot be undone."""
    return page("dead/delete.html", mail=mails.dead_mail(tracker(), ident))


@bp.post("/admin/dead/<ident>/delete")
@allows("administrator")
def delete(ident: str) -> ResponseReturnValue:
    """Delete it for good."""
    mails.delete(tracker(), ident)
    told(_("The mail is deleted."))
    return back(url_for("dead.index"))
