"""One mail: what it says, its headers and attachments, why it is here; its HTML in a frame that can do nothing.

Flows in: the id of a mail, and the path of one in it. Flows out: a page, the mail's own bytes, or a part of it. What
somebody sent us is never served as something a browser would run: each answer that carries it says so in its headers.
"""

from flask import Blueprint, Response, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Refused
from eventum.tracker import mail_parts, mail_view
from eventum.tracker.mail_parts import File
from eventum.tracker.mail_view import Place, Shown
from eventum.tracker.preferences import let_pictures_in
from eventum.web.access import allows, me
from eventum.web.l10n import _, said, say
from eventum.web.page import back, page, told
from eventum.web.trackers import tracker

bp = Blueprint("mail", __name__)

# The frame of a mail's HTML: its own origin, no script, no form, nothing from anywhere; a link opens a new tab.
_FRAME = (
    "sandbox allow-popups allow-popups-to-escape-sandbox",
    "default-src 'none'",
    "img-src {pictures}",
    "style-src 'unsafe-inline'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
)
FRAME = "; ".join(_FRAME).format(pictures="data:")
FRAME_WITH_PICTURES = "; ".join(_FRAME).format(pictures="data: https:")
NOTHING = "sandbox; default-src 'none'; frame-ancestors 'none'"
UNKNOWN = "application/octet-stream"
REMEMBERED = 20  # Mails whose pictures were asked for, in the cookie of the session.


@bp.get("/mails/<key>")
@allows("user")
def shown(key: str) -> ResponseReturnValue:
    """The mail as a page."""
    return _page(mail_view.shown(tracker(), me(), key, say))


@bp.get("/mails/<key>/mail/<path:inside>")
@allows("user")
def inner(key: str, inside: str) -> ResponseReturnValue:
    """A mail in this mail, as a page, or as a piece of the page of the one it lies in."""
    return _page(mail_view.inner(tracker(), me(), key, inside))


@bp.get("/mails/<key>/html")
@bp.get("/mails/<key>/html/<path:inside>")
@allows("user")
def html(key: str, inside: str = "") -> ResponseReturnValue:
    """The mail's HTML, for a frame."""
    place = mail_view.place_of(tracker(), me(), key)
    remote = loads_pictures(place, inside)
    found = mail_view.html(tracker(), me(), key, inside, remote=remote)
    response = make_response(render_template("mail/frame.html", markup=found))
    response.headers["Content-Security-Policy"] = FRAME_WITH_PICTURES if remote else FRAME
    response.headers["Referrer-Policy"] = "no-referrer"
    # A browser must not even ask where the hosts of its links are.
    response.headers["X-DNS-Prefetch-Control"] = "off"
    return response


@bp.post("/mails/<key>/pictures")
@allows("user")
def pictures(key: str) -> ResponseReturnValue:
    """Let remote pictures in: for this mail as long as the session, for this sender for ever, or not any more."""
    place, inside = mail_view.place_of(tracker(), me(), key), request.form.get("inside", "")
    sender = place.filing.from_.address
    mark = _mark(key, inside)
    asked = [one for one in session.get("pictures", ()) if one != mark]
    match request.form.get("do"):
        case "once":
            session["pictures"] = [*asked, mark][-REMEMBERED:]
        case "always" if is_clear(place) and not inside:
            try:
                let_pictures_in(tracker(), me(), sender, True)
                told(_("Remote images in mails from %(who)s are shown to you from now on.", who=sender))
            except Refused as error:
                told(said(error))
        case "never":
            session["pictures"] = asked
            if not inside and sender.lower() in me().pictures_from:
                let_pictures_in(tracker(), me(), sender, False)
                told(_("Remote images in mails from %(who)s are not shown any more.", who=sender))
    return back(url_for("mail.inner", key=key, inside=inside) if inside else url_for("mail.shown", key=key))


@bp.get("/mails/<key>/source")
@bp.get("/mails/<key>/source/<path:inside>")
@allows("user")
def source(key: str, inside: str = "") -> ResponseReturnValue:
    """The mail as it came, as text, page by page."""
    found = mail_parts.source(tracker(), me(), key, inside, page=request.args.get("page", 1, type=int))
    return page("mail/source.html", source=found)


@bp.get("/mails/<key>/raw")
@allows("user")
def raw(key: str) -> ResponseReturnValue:
    """The mail as it came, to be saved."""
    found = mail_parts.raw(tracker(), me(), key)
    return _file(found, "message/rfc822")


@bp.get("/mails/<key>/parts/<path:part>")
@allows("user")
def part(key: str, part: str) -> ResponseReturnValue:
    """An attachment, to be saved; with `show` a picture is shown, and a PDF that can do nothing."""
    found = mail_parts.part(tracker(), me(), key, part, to_show="show" in request.args)
    return _file(found, found.shows or UNKNOWN, show=bool(found.shows))


def loads_pictures(place: Place, inside: str = "") -> bool:
    """Whether the visitor wants pictures from elsewhere in this mail, or in one in it."""
    if _mark(place.filing.key, inside) in session.get("pictures", ()):
        return True
    # Who a mail in a mail is from, its sender says.
    return not inside and is_clear(place) and place.filing.from_.address.lower() in me().pictures_from


def is_clear(place: Place) -> bool:
    """Whether a mail has a sender that a choice can be about."""
    return bool(place.filing.from_.address) and place.filing.verified != "none"


def _mark(key: str, inside: str) -> str:
    return f"{key[:24]}/{inside}"


def _page(mail: Shown) -> ResponseReturnValue:
    key, inside = mail.place.filing.key, mail.inside
    loads = loads_pictures(mail.place, inside)
    markup = mail_view.html_if_any(tracker(), me(), key, inside, remote=loads) if mail.has_html else None
    always = not inside and mail.place.filing.from_.address.lower() in me().pictures_from
    choice = {"loads": loads, "always": always, "is_clear": is_clear(mail.place) and not inside}
    if inside and request.headers.get("HX-Request"):
        return render_template("mail/inner.html", mail=mail, markup=markup, as_text=False, **choice)
    return page("mail/mail.html", 200, mail=mail, markup=markup, as_text="text" in request.args, **choice)


def _file(found: File, kind: str, *, show: bool = False) -> Response:
    response = make_response(found.data)
    # Of our own list; what the sender called it is never believed.
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = mail_parts.disposition("inline" if show else "attachment", found.name)
    response.headers["Content-Security-Policy"] = NOTHING
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
