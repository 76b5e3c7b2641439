"""From which network address a request came: what the connection says, or a proxy that we were told to believe.

Flows in: the request and `EVENTUM_TRUSTED_PROXIES`. Flows out: an address to count tries by. Whoever asks can write any
X-Forwarded-For; only what the last so many proxies appended to it is true (reliability T23).
"""

import logging

from flask import request

from eventum.web.trackers import tracker

log = logging.getLogger("eventum.web")


def client() -> str:
    """The address that the request came from; "" when nobody knows, as behind a socket file."""
    proxies = tracker().config.trusted_proxies
    hops = [hop.strip() for line in request.headers.getlist("X-Forwarded-For") for hop in line.split(",")]
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    if hops and not proxies:
        log.warning(
            "X-Forwarded-For was not believed: when a proxy stands before this program, set EVENTUM_TRUSTED_PROXIES, "
            "or all who log in count as one"
        )
    return request.remote_addr or ""
