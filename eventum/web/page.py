"""A page: a template with what every page has around it, lines that are told once, and where to go next.

Flows in: a template's name and values. Flows out: the response. An address that comes from a request is followed only
when it is a path of ours.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as Redirect

from eventum.errors import EventumError
from eventum.tracker import counts, room
from eventum.web.access import visitor
from eventum.web.l10n import said, say
from eventum.web.prose import prose
from eventum.web.trackers import tracker
from eventum.web.words import state_word

# One slash and then a plain character: `//host`, `/\host` and what browsers make of blanks never get past it.
_PATH = re.compile(r"/(?:[A-Za-z0-9][A-Za-z0-9/._~!$&'()*+,;=:@%?-]*)?", re.ASCII)
LONGEST_PATH = 1000


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of ours."""
    return make_response(render_template(template, **values), status)


def told(message: str, undo: str = "", link: tuple[str, str] = ("", ""), **hidden: object) -> None:
    """Say a line on the next page; `undo` is where a form with the hidden values takes it back.

    `link` is the address and the words of where it leads to.
    """
    values = {name: str(value) for name, value in hidden.items()}
    line = {"message": message, "undo": undo, "url": link[0], "label": link[1], "hidden": values}
    session["told"] = [*session.get("told", ()), line][-5:]


def safe_path(path: str | None) -> str:
    """The path when it leads nowhere but to a page of ours, else ""."""
    if not path or len(path) > LONGEST_PATH or "//" in path.partition("?")[0] or not _PATH.fullmatch(path):
        return ""
    return path


def back(default: str) -> Redirect:
    """To where the form says it came from, else to the default, which is ours."""
    return redirect(safe_path(request.form.get("next")) or default, 303)


def base_url() -> str:
    """How this installation is reached, as its administrator says; "" when nobody said."""
    if "base_url" not in g:
        try:
            found = tracker()
            g.base_url = found.config.base_url or found.settings.general().base_url
        except EventumError:
            g.base_url = ""
    return str(g.base_url)


@lru_cache(maxsize=256)
def _address(folder: str, root: str, name: str) -> str:
    digest = hashlib.sha256(Path(folder, name).read_bytes()).hexdigest()[:12]
    return url_for("static", filename=name, v=digest)


def asset(name: str) -> str:
    """The address of a static file, which changes with its content; it is made once in a process."""
    return _address(current_app.static_folder or "", request.script_root, name)


@lru_cache(maxsize=256)
def _picture(sprite: str, name: str) -> Markup:
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(sprite, name)


def icon(name: str) -> Markup:
    """A picture beside a word; who listens to the page is told the word only."""
    return _picture(asset("icons.svg"), name)


def initials(name: str) -> str:
    """Up to two letters for a face."""
    words = [word for word in re.split(r"[\s@._-]+", name) if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()[:2] or "?"


def _around() -> dict[str, Any]:
    """What every template may say; a page that says what is broken must not break on that."""
    try:
        caption = tracker().settings.general().tool_caption
    except (EventumError, OSError):
        caption = "Eventum"
    return {"me": visitor(), "caption": caption}


def told_lines() -> list[dict[str, Any]]:
    """The lines that wait to be told; they are told once, by a whole page and not by a piece of one."""
    found: list[dict[str, Any]] = session.pop("told", []) if session.get("told") else []
    return found


def rail() -> dict[str, Any]:
    """The numbers beside the ways; none of them when they cannot be had."""
    try:
        user = visitor()
        return dict(counts.rail(tracker(), user)) if user else {}
    except (EventumError, OSError):
        return {}


def no_room() -> str:
    """What a page says while the disk is nearly full; "" while it is not, or nobody can tell."""
    try:
        why = room.short(tracker())
    except (EventumError, OSError):
        return ""
    if why is None:
        return ""
    return said(why) if (user := visitor()) and user.administrator else say(room.FOR_STAFF)


def furnish(app: Flask) -> None:
    """Let templates have what every page has."""
    app.context_processor(_around)
    app.jinja_env.globals.update(
        icon=icon,
        asset=asset,
        initials=initials,
        told_lines=told_lines,
        no_room=no_room,
        rail=rail,
        state_word=state_word,
    )
    app.jinja_env.filters.update(prose=prose, in_words=lambda said: said.by(say))
