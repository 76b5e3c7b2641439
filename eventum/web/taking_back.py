"""What was done with mail is taken back: from the line that told it, the list of what was done lately, or the issue.

Flows in: which step, or which mail. Flows out: back to where the button was, with a line that says where the mail is.
"""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Conflict, NotFound, Refused
from eventum.tracker import associate, lately, mail_view, undo
from eventum.web.access import allows, me
from eventum.web.emails_sent import keys_of
from eventum.web.l10n import _, ngettext, said
from eventum.web.page import back, told
from eventum.web.trackers import tracker
from eventum.web.undoing import sender, taken_back, to_issue, to_mail

bp = Blueprint("taking_back", __name__)


@bp.post("/emails/move-back")
@allows("staff")
def move_back() -> ResponseReturnValue:
    """Undo of `remove` and `restore`."""
    keys = keys_of(request.form.get("keys", "").split())
    try:
        associate.move(tracker(), me().id, keys, request.form.get("outcome", ""))
        told(ngettext("The mail is where it was.", "%(num)s mails are where they were.", len(keys)))
    except (NotFound, Refused) as error:
        told(said(error))
    return back(url_for("emails.index"))


@bp.post("/emails/undo")
@allows("staff")
def take_back() -> ResponseReturnValue:
    """Undo of what mails became."""
    form = request.form
    step = undo.Step(
        form.get("issue", 0, type=int),
        form.get("since", 0, type=int),
        form.get("revision", -1, type=int),
        form.get("outcome", "unassociated"),
    )
    try:
        done = undo.take_back(tracker(), me().id, step)
    except (Conflict, Refused, NotFound) as error:
        told(said(error))
        return back(url_for("emails.index"))
    place = ("", "")
    if done.mails:
        place = to_issue(done.blocked_in) if done.blocked_in else to_mail(done.mails[0])
    told(taken_back(done), link=place)
    return back(url_for("emails.index"))


@bp.post("/issues/<int:number>/mails/<key>/take-out")
@allows("staff")
def take_out(number: int, key: str) -> ResponseReturnValue:
    """Take a mail out of an issue again, however long ago it was put there."""
    if not (found := mail_view.place_of(tracker(), me(), key)).staff:
        raise NotFound(mail_view.MISSING)
    values = {"who": sender(found.filing), "issue": f"#{number}"}
    try:
        mail = lately.take_out(tracker(), me().id, number, key)
        out = _("The mail of %(who)s is out of %(issue)s and waits in Associate Emails.", **values)
        told(out, link=to_mail(mail))
    except (Conflict, Refused) as error:
        told(said(error))
    return back(url_for("issue.shown", number=number))
