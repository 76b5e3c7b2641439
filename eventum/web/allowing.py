"""A test that was refused for where it goes: an administrator allows that very place, and the test is repeated.

Flows in: the button under the refused step, which names a host and a port. Flows out: the two in the lists of General
Setup, Network, and what the page says of it. It is asked on routes of administrators only.
"""

from flask import request

from eventum.runners import probing
from eventum.web.trackers import tracker


def allowed() -> tuple[str, int] | None:
    """The host and port that this request allows, from now on; None when it allows nothing.

    Raises `Refused` for what is no host or no port.
    """
    host, _blank, port = request.form.get("allow", "").rpartition(" ")
    if not host:
        return None
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    probing.allow(tracker(), host, number)
    return host, number
