"""What goes wrong, as a page: the table of design.md translated for HTTP, once, for every view.

Flows in: errors of ours, of Flask, and the unforeseen. Flows out: a page that says what happened and what to do. What
nobody foresaw is logged whole and told without detail. A form that another site sent is refused before any view sees
it.
"""

import errno
import logging
from typing import Any

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from eventum.errors import Busy, Conflict, Damaged, EventumError, NotFound, Refused
from eventum.web.l10n import _, said
from eventum.web.page import page
from eventum.web.trackers import spoil
from eventum.wording import N_

log = logging.getLogger("eventum.web")

STATUS: dict[type[EventumError], int] = {Refused: 403, NotFound: 404, Conflict: 409, Busy: 503, Damaged: 500}
TITLES = {
    400: N_("This form cannot be used any more"),
    403: N_("You may not do this"),
    404: N_("There is nothing here"),
    405: N_("This page takes no form"),
    409: N_("Somebody else was faster"),
    413: N_("That is too much at once"),
    429: N_("Too many tries"),
    500: N_("Something is wrong on our side"),
    503: N_("Not now"),
}
WHAT_TO_DO = {
    400: N_("Go back, load the page again, and send it once more. Nothing was changed."),
    403: N_("Your role does not allow it. An administrator can change that."),
    404: N_("The page was moved or deleted, or you may not see it."),
    405: N_("Go back to the page you came from and use its buttons. Nothing was changed."),
    409: N_("Look at it as it is now, and try again."),
    413: N_("Send smaller files, or fewer of them. Nothing was changed."),
    429: N_("Wait a while, then try again."),
    500: N_("Nothing you sent in before was lost. The details are in the log of the server."),
    503: N_("Try again in a moment. Nothing was changed."),
}
# A disk or a lock that is not there now; whoever runs this place is told more by the log and by `flask status`.
OF_THE_DISK = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.EMFILE,
    errno.ENOLCK,
    errno.EXDEV,
}
SAFE = ("GET", "HEAD", "OPTIONS")
TYPED_IN = ("text", "summary", "subject", "description", "reason", "body")
"""Fields whose words somebody would have to write anew; they are shown with the error, to be sent again."""
NOT_SHOWN = ("password", "code", "token")
"""What no page gives back, by a part of its name."""


def _from_elsewhere() -> None:
    """Refuse what another site sends in a visitor's name (CSRF), before his session counts."""
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2].lower() != request.host.lower():
        abort(403)


def error_page(status: int, message: str = "") -> ResponseReturnValue:
    """The page of a status; `message` is what is known in particular."""
    known = status if status in TITLES else 500 if status >= 500 else 400
    again = _again() if known in (409, 500, 503) else ()
    return page("error.html", status, title=_(TITLES[known]), message=message, advice=_(WHAT_TO_DO[known]), again=again)


def _again() -> tuple[tuple[str, str, bool], ...]:
    """The fields of a form that came to nothing, to be sent again: name, value, and whether they are words.

    Nothing for a form without words, a piece of a page, or what is nobody's business.
    """
    if request.method in SAFE or request.headers.get("HX-Request"):
        return ()
    try:
        given = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    except HTTPException:  # It was too large to be read.
        return ()
    if any(part in name for name, _value in given for part in NOT_SHOWN):
        return ()
    fields = tuple((name, value, name in TYPED_IN and bool(value.strip())) for name, value in given)
    return fields if any(is_words for _name, _value, is_words in fields) else ()


def _ours(error: EventumError) -> ResponseReturnValue:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if status >= 500:
        spoil()
        log.error("%s %s: %s", request.method, request.path, error)
    # What is damaged names files of the server: for its log, not for whoever asks.
    return error_page(status, "" if status == 500 else said(error))


def _of_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    return error_page(error.code or 500)


def _of_disk(error: OSError) -> ResponseReturnValue:
    spoil()
    log.exception("%s %s", request.method, request.path)
    return error_page(503 if error.errno in OF_THE_DISK else 500)


def _unforeseen(error: Any) -> ResponseReturnValue:
    """Flask has logged it."""
    spoil()
    return error_page(500)


def furnish(app: Flask) -> None:
    """Let every error become a page."""
    app.before_request(_from_elsewhere)
    app.register_error_handler(EventumError, _ours)
    app.register_error_handler(CSRFError, lambda error: error_page(400))
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(OSError, _of_disk)
    app.register_error_handler(500, _unforeseen)
