"""`/metrics` for a monitor: without a login, for this machine or who knows the token.

Flows in: requests. Flows out: numbers as text, see `tracker/metrics`. Which machine asks is what the connection says:
a request that a proxy passed on is nobody's of this machine, whatever it claims about itself.
"""

import hmac
import ipaddress

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from eventum.errors import EventumError
from eventum.tracker import metrics
from eventum.web.access import allows
from eventum.web.trackers import tracker

bp = Blueprint("metrics", __name__)

FORM = "text/plain; version=0.0.4; charset=utf-8"
# What proxies add. Whoever comes through one on this machine comes from anywhere.
PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


@bp.get("/metrics")
@allows("anybody")
def shown() -> ResponseReturnValue:
    """The numbers, or 403 with what to do."""
    if not (_is_from_here() or _knows_the_token()):
        words = "Give the token of `flask settings set metrics.token` as `Authorization: Bearer ...`.\n"
        return Response(words, 403, mimetype="text/plain")
    return Response(metrics.text(tracker()), content_type=FORM)


def _is_from_here() -> bool:
    if tracker().config.trusted_proxies or any(name in request.headers for name in PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:  # A socket file: who is behind it nobody says.
        return False


def _knows_the_token() -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        wanted = tracker().settings.metrics_token(tracker().settings.general())
    except (EventumError, OSError):
        return False
    return bool(wanted) and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode())
