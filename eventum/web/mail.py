"""One mail: what it says, its headers and attachments, why it is here; its HTML in a frame that can do nothing.

Flows in: the id of a mail. Flows out: a page, the mail's own bytes, or a part of it. What somebody sent us is never
served as something a browser would run: each answer that carries it says so in its headers.
"""

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from eventum.tracker import mail_view
from eventum.tracker.mail_view import File
from eventum.web.access import allows, me
from eventum.web.l10n import say
from eventum.web.page import page
from eventum.web.trackers import tracker

bp = Blueprint("mail", __name__)

# The frame of a mail's HTML: its own origin, no script, no form, nothing from anywhere; a link opens a new tab.
FRAME = "; ".join(
    (
        "sandbox allow-popups allow-popups-to-escape-sandbox",
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
NOTHING = "sandbox; default-src 'none'; frame-ancestors 'none'"
UNKNOWN = "application/octet-stream"


@bp.get("/mails/<key>")
@allows("user")
def shown(key: str) -> ResponseReturnValue:
    """The mail as a page."""
    mail = mail_view.shown(tracker(), me(), key, say)
    markup = mail_view.html_if_any(tracker(), me(), key) if mail.has_html else None
    return page("mail/mail.html", mail=mail, markup=markup, as_text="text" in request.args)


@bp.get("/mails/<key>/html")
@allows("user")
def html(key: str) -> ResponseReturnValue:
    """The mail's HTML, for a frame."""
    found = mail_view.html(tracker(), me(), key)
    response = make_response(render_template("mail/frame.html", markup=found))
    response.headers["Content-Security-Policy"] = FRAME
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/mails/<key>/raw")
@allows("user")
def raw(key: str) -> ResponseReturnValue:
    """The mail as it came, to be saved."""
    found = mail_view.raw(tracker(), me(), key)
    return _file(found, "message/rfc822")


@bp.get("/mails/<key>/parts/<part>")
@allows("user")
def part(key: str, part: str) -> ResponseReturnValue:
    """An attachment, to be saved; with `show` a picture is shown."""
    found = mail_view.part(tracker(), me(), key, part)
    return _file(found, found.picture or UNKNOWN, show=bool(found.picture) and "show" in request.args)


def _file(found: File, kind: str, *, show: bool = False) -> Response:
    response = make_response(found.data)
    # Of our own list; what the sender called it is never believed.
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = mail_view.disposition("inline" if show else "attachment", found.name)
    response.headers["Content-Security-Policy"] = NOTHING
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
