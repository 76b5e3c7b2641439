"""The dashboard: what waits for the user, what happened since yesterday, and how the mail flows.

Flows in: nothing but who asks. Flows out: the page. Each number on it is a link to what it counts.
"""

from datetime import date, timedelta
from types import MappingProxyType

from flask import Blueprint
from flask.typing import ResponseReturnValue

from eventum.tracker import dashboard, health, news
from eventum.tracker.checks import OK
from eventum.tracker.lines import lines
from eventum.tracker.lines import user as user_name
from eventum.web.access import allows, me
from eventum.web.health import TITLES, WORDS, way
from eventum.web.l10n import DAYS, MONTHS, _, now, say
from eventum.web.page import page
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("dashboard", __name__)

DEEDS = MappingProxyType(
    {
        "opened": ("plus-circle", N_("%(who)s opened %(issue)s")),
        "answered": ("reply", N_("%(who)s answered %(issue)s")),
        "noted": ("lock", N_("%(who)s added an internal note to %(issue)s")),
        "blocked": ("shield-exclamation", N_("A mail from %(who)s was blocked in %(issue)s")),
        "closed": ("check-circle", N_("%(who)s closed %(issue)s")),
        "reopened": ("arrow-counterclockwise", N_("%(issue)s was opened again")),
        "assigned": ("person-plus", N_("%(who)s assigned %(issue)s")),
        "undelivered": ("exclamation-octagon", N_("A mail to %(who)s was not delivered in %(issue)s")),
        "status": ("circle-half", N_("%(who)s changed the status of %(issue)s")),
    }
)
# Checks that are no card's own affair show on the dashboard while something is wrong with them.
OTHERS = ("store", "spool", "failed", "dead", "disk")


@bp.get("/")
@allows("user")
def index() -> ResponseReturnValue:
    """The page."""
    found, user = tracker(), me()
    found.index.catch_up()
    yesterday = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    staff = dashboard.is_staff(found, user)
    checks = health.health(found, lines(found.config), say).checks if user.administrator else ()
    return page(
        "dashboard/dashboard.html",
        today=_named(now().date()),
        is_staff=staff,
        own=dashboard.mine(found, user),
        news=news.news(found, user, yesterday),
        deeds=DEEDS,
        waiting=dashboard.waiting_mail(found, user) if staff else [],
        bars=[_bar(day) for day in dashboard.days(found)] if staff else [],
        accounts=dashboard.accounts(found, user, say) if staff else [],
        names=dashboard.account_names(found) if staff else {},
        queue=[
            (check, _(TITLES[check.name]), way(check)[0])
            for check in checks
            if check.name in ("process-queue", "queue") or (check.name in OTHERS and check.level != OK)
        ],
        missing=dashboard.missing_run(found, checks),
        owner=user_name() if checks else "",
        step=dashboard.next_step(found) if user.administrator else "",
        words=WORDS,
    )


def _bar(day: dashboard.Day) -> tuple[int, int, str, str, int]:
    """In, out, the day's short and full name, and both together."""
    short = _("Today") if day.is_today else f"{say(DAYS[day.day.weekday()])} {day.day.day}"
    return day.came, day.went, short, _named(day.day), day.came + day.went


def _named(day: date) -> str:
    weekday, month = say(DAYS[day.weekday()]), say(MONTHS[day.month - 1])
    return _("%(weekday)s %(day)s %(month)s", weekday=weekday, day=day.day, month=month)
