"""The reader's language and time: what is said, and when it happened, as he reads it.

Flows in: marked sentences, moments in UTC. Flows out: text in the language a user chose or his browser asks for, and
times in his zone. Catalogues are gettext's, under `translations/`; without one a sentence is said as it is written.
"""

import gettext as standard
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, g, has_request_context, request
from markupsafe import Markup, escape

from eventum.errors import EventumError
from eventum.web.access import visitor
from eventum.web.trackers import tracker
from eventum.wording import N_, Phrase

FOLDER = Path(__file__).parent.parent.parent / "translations"
LANGUAGES = ("en", "ja")
MONTHS = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)
DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
UNITS = ("B", "KB", "MB", "GB", "TB")


def language() -> str:
    """The language of this request: what the user chose, else what his browser asks for."""
    if not has_request_context():
        return LANGUAGES[0]
    if "language" not in g:
        user = visitor()
        chosen = user.language if user else ""
        speak(chosen)
    return str(g.language)


def speak(chosen: str) -> None:
    """From now on this request speaks the language its user has just chosen, "" for the one the browser asks for."""
    g.language = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])


@lru_cache(maxsize=8)
def catalogue(folder: Path, name: str) -> standard.NullTranslations:
    """The catalogue of a language; an empty one when there is none."""
    return standard.translation("messages", str(folder), [name], fallback=True)


def say(sentence: str) -> str:
    """A marked sentence in the reader's language, its places for values still in it."""
    return catalogue(FOLDER, language()).gettext(sentence) if sentence else ""


def _(sentence: str, **values: object) -> str:
    """A sentence in the reader's language, `%(name)s` in it filled in."""
    return say(sentence) % values if values else say(sentence)


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """A sentence about so many things; `%(num)s` is the count."""
    values.setdefault("num", count)
    return catalogue(FOLDER, language()).ngettext(one, many, count) % values


def said(error: EventumError) -> str:
    """What an error says, in the reader's language."""
    text = say(error.message)
    values = {name: say(value) if isinstance(value, Phrase) else value for name, value in error.values.items()}
    return text.format(**values) if values else text


def zone() -> ZoneInfo:
    """The reader's time zone."""
    if not has_request_context():
        return ZoneInfo("UTC")
    if "zone" not in g:
        user = visitor()
        g.zone = ZoneInfo(user.timezone if user else "UTC")
    found: ZoneInfo = g.zone
    return found


def now() -> datetime:
    """The reader's time, the same throughout a page."""
    if not has_request_context():
        return tracker().clock().astimezone(zone())
    if "now" not in g:
        g.now = tracker().clock().astimezone(zone())
    found: datetime = g.now
    return found


def date(moment: datetime) -> str:
    """A day, with its year when that is not this one."""
    local = moment.astimezone(zone())
    parts = {"day": local.day, "month": say(MONTHS[local.month - 1]), "year": local.year}
    return _("%(day)s %(month)s", **parts) if local.year == now().year else _("%(day)s %(month)s %(year)s", **parts)


def full(moment: datetime) -> str:
    """A moment to the minute, with its zone."""
    local = moment.astimezone(zone())
    parts = {"weekday": say(DAYS[local.weekday()]), "day": local.day, "month": say(MONTHS[local.month - 1])}
    clock = {"year": local.year, "time": f"{local:%H:%M}", "zone": local.tzname() or ""}
    return _("%(weekday)s %(day)s %(month)s %(year)s, %(time)s %(zone)s", **parts, **clock)


def short(moment: datetime) -> str:
    """A moment for a list: today as a time, this week as a day, else as a date; or how long ago, if he likes that."""
    local, today = moment.astimezone(zone()), now()
    user = visitor() if has_request_context() else None
    if user is not None and getattr(user, "relative_dates", False) and (ago := _ago(today - local)):
        return ago
    days = (today.date() - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    return say(DAYS[local.weekday()]) if 0 < days < 7 else date(moment)


def _ago(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if not 0 <= seconds < 30 * 86400:
        return ""
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", seconds // 60)
    if seconds < 86400:
        return ngettext("%(num)s hour ago", "%(num)s hours ago", seconds // 3600)
    return ngettext("%(num)s day ago", "%(num)s days ago", seconds // 86400)


def dated(moment: datetime) -> str:
    """A moment for the head of a mail: its day and its time, never only how long ago."""
    local, today = moment.astimezone(zone()), now()
    days = (today.date() - local.date()).days
    clock = f"{local:%H:%M}"
    if days == 0:
        return _("Today, %(time)s", time=clock)
    if 0 < days < 7:
        return _("%(weekday)s %(date)s, %(time)s", weekday=say(DAYS[local.weekday()]), date=date(moment), time=clock)
    return _("%(date)s, %(time)s", date=date(moment), time=clock)


def _element(moment: datetime | None, text: str) -> Markup:
    if moment is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), full(moment), text)


def when(moment: datetime | None) -> Markup:
    """`short` as an element that has the whole moment in it."""
    return _element(moment, short(moment) if moment else "")


def moment(value: datetime | None) -> Markup:
    """`dated` as an element that has the whole moment in it."""
    return _element(value, dated(value) if value else "")


def number(value: int) -> str:
    """A count with a comma between thousands, as both our languages write it."""
    return f"{value:,}"


def size(count: int) -> str:
    """Bytes as people read them."""
    number = float(count)
    for unit in UNITS:
        if number < 1000 or unit == UNITS[-1]:
            return f"{number:.0f} {unit}" if unit in UNITS[:2] or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return ""


def furnish(app: Flask) -> None:
    """Let templates speak the reader's language."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # what the extension adds
        say, lambda one, many, count: catalogue(FOLDER, language()).ngettext(one, many, count), newstyle=True
    )
    app.jinja_env.filters.update(when=when, moment=moment, size=size, day=date, number=number)
    app.jinja_env.globals.update(language=language, escape=escape)
