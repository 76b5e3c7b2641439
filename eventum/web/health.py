"""Health: every check with what it saw, what to do, and a way to where it is mended; and one word for a monitor.

Flows in: requests. Flows out: the page for administrators; at /healthz, for anybody, "ok" or "not ok" and nothing else.
"""

import threading
import time
from types import MappingProxyType

from flask import Blueprint, Response, current_app, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import EventumError
from eventum.tracker import dashboard
from eventum.tracker.checks import CRITICAL, OK, UNKNOWN, WARNING, Check, Health
from eventum.tracker.health import health
from eventum.tracker.lines import lines
from eventum.web.access import allows
from eventum.web.l10n import _, say
from eventum.web.page import page
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("health", __name__)
REMEMBERED = 5.0  # Seconds: whoever asks more often, and anybody may, gets the same answer.
MONITOR = "eventum.web.health"

TITLES = MappingProxyType(
    {
        "store": N_("Data folder"),
        "download-emails": N_("Fetching mail"),
        "process-queue": N_("Sending mail"),
        "accounts": N_("Accounts"),
        "spool": N_("Mail that came in"),
        "queue": N_("Mail that goes out"),
        "failed": N_("Failed mail"),
        "dead": N_("Dead mail"),
        "disk": N_("Disk"),
        "alerts": N_("Alerts"),
    }
)
WORDS = MappingProxyType(
    {OK: N_("Well"), WARNING: N_("Look at it"), CRITICAL: N_("Broken"), UNKNOWN: N_("Cannot be told")}
)
WHOLE = MappingProxyType(
    {
        OK: N_("Mail flows, and nothing needs a person."),
        WARNING: N_("Mail flows, but something should be looked at."),
        CRITICAL: N_("Something is broken and needs a person."),
        UNKNOWN: N_("Something could not be looked at."),
    }
)


@bp.get("/admin/health")
@allows("administrator")
def index() -> ResponseReturnValue:
    """All checks."""
    found = health(tracker(), lines(tracker().config), say)
    names = dashboard.account_names(tracker())
    rows = [
        (check, names.get(check.account) or _(TITLES.get(check.name, check.name)), way(check)) for check in found.checks
    ]
    return page("health/health.html", found=found, rows=rows, words=WORDS, whole=WHOLE[found.level])


@bp.get("/healthz")
@allows("anybody")
def monitor() -> ResponseReturnValue:
    """For monitors and load balancers: 200 while mail flows, 503 when something is broken or cannot be told."""
    well = current_app.extensions.setdefault(MONITOR, Monitor()).level() in (OK, WARNING)
    return Response("ok\n" if well else "not ok\n", 200 if well else 503, mimetype="text/plain")


class Monitor:
    """The level of the whole, looked at once in a while however often it is asked for."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._looked = 0.0
        self._level = UNKNOWN

    def level(self) -> int:
        """As it was a few seconds ago at most."""
        with self._guard:
            if not self._looked or time.monotonic() - self._looked > REMEMBERED:
                self._level, self._looked = _look().level, time.monotonic()
            return self._level


def _look() -> Health:
    try:
        return health(tracker(), {})
    except (EventumError, OSError):  # No store, or no right to use it.
        return Health(UNKNOWN, ())


def way(check: Check) -> tuple[str, str]:
    """Where a check is mended, and what stands on the link; "" when there is nothing but a line to copy."""
    if check.account:
        return f"/admin/accounts/{check.account}", _("Open the account")
    match check.name:
        case "accounts":
            return "/admin/accounts", _("Manage Email Accounts")
        case "queue":
            return url_for("queue.index"), _("Open the queue")
        case "failed":
            return url_for("queue.index", status="failed"), _("Show failed mail")
        case "dead":
            return url_for("dead.index"), _("Show dead mail")
    return "", ""
