"""Cron and mail server: the lines that keep this installation going, filled in, to be copied.

Flows in: nothing but who asks. Flows out: a page; nothing is changed anywhere.
"""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from eventum.tracker import lines, mail_servers
from eventum.web.access import allows
from eventum.web.page import page
from eventum.web.trackers import tracker

bp = Blueprint("lines", __name__)


@bp.get("/admin/lines")
@allows("administrator")
def shown() -> ResponseReturnValue:
    """All lines."""
    config = tracker().config
    return page(
        "lines/lines.html",
        cron=lines.lines(config),
        units=lines.units(config),
        watching=lines.watching(config),
        user=lines.user(),
        root=lines.ROOT,
        data=config.data,
        boxes=mail_servers.boxes(tracker()),
        servers=mail_servers.ways(tracker()),
    )
