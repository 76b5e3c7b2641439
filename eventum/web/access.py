"""Who is asking, and whether he may: the session, the least that a route demands, and its guard.

Flows in: requests with their cookies. Flows out: `me()`, or a refusal. A route says with `allows` who may use it; one
that says nothing is refused to everybody. Which issue somebody may see is asked by the question that shows it.

A session is a signed cookie that names the user and a stamp of what his rights rest on; a password or a role that
changes, and leaving, end all his sessions (`tracker/logins`).
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from eventum.errors import EventumError
from eventum.tracker import logins
from eventum.tracker.logins import User
from eventum.web.trackers import tracker

log = logging.getLogger("eventum.web")

LEVELS = ("anybody", "user", "staff", "administrator")
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=14)
AHEAD = timedelta(days=1)
"""So far back the clock may be set without ending a session."""

View = TypeVar("View", bound=Callable[..., Any])


class Visitor(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """A user as flask-login knows one; his id carries the stamp of his session."""

    def __init__(self, user: User, stamp: str) -> None:
        self.user = user
        self._stamp = stamp

    def get_id(self) -> str:
        """What the cookie holds."""
        return f"{self.user.id}:{self._stamp}"


def allows(level: str) -> Callable[[View], View]:
    """Says of a view who may use it: "anybody", "user" (logged in), "staff" of a project, "administrator"."""
    assert level in LEVELS

    def marked(view: View) -> View:
        view.level = level  # type: ignore[attr-defined]  # a mark that `_guard` reads
        return view

    return marked


def visitor() -> User | None:
    """The user who is logged in, or nobody."""
    return current_user.user if current_user.is_authenticated else None


def me() -> User:
    """The user who is logged in; only where the route demands one."""
    found = visitor()
    assert found is not None, "this route allows anybody"
    return found


def enter(user: User) -> None:
    """Begin a session of this user; whatever the cookie held before is gone."""
    session.clear()
    session.permanent = True
    session["since"] = int(tracker().clock().timestamp())
    login_user(Visitor(user, logins.stamp(tracker(), user)))


def leave() -> None:
    """End this session's cookie; `logins.end_sessions` ends those of all browsers."""
    logout_user()
    session.clear()


def level_of(endpoint: str) -> str:
    """Who may use this endpoint. Raises LookupError when its view does not say."""
    if endpoint == "static":
        return "anybody"
    level = getattr(current_app.view_functions[endpoint], "level", None)
    if level is None:
        raise LookupError(f"The view {endpoint} does not say whom it allows.")
    return str(level)


def may_use(user: User | None, level: str) -> bool:
    """Whether somebody is allowed what demands this level."""
    match level:
        case "anybody":
            return True
        case "user":
            return user is not None
        case "staff":
            return user is not None and logins.is_staff_somewhere(user)
    return user is not None and user.administrator


def _loaded(cookie: str) -> Visitor | None:
    user_id, _, stamp = cookie.partition(":")
    try:
        return _visiting(user_id, stamp)
    except (EventumError, OSError) as error:
        # Who cannot be known is nobody; a page must still be able to say so.
        log.error("a session cannot be looked at: %s", error)
        return None


def _visiting(user_id: str, stamp: str) -> Visitor | None:
    since, now = session.get("since"), tracker().clock().timestamp()
    # A session that begins later was begun by a clock that was far ahead, and would last as much longer.
    if not isinstance(since, int) or not -AHEAD.total_seconds() <= now - since < ABSOLUTE.total_seconds():
        return None
    user = logins.by_session(tracker(), user_id, stamp)
    return Visitor(user, stamp) if user else None


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # There is no such page; Flask says so.
    level = level_of(request.endpoint)
    if level == "anybody":
        return None
    user = visitor()
    if user is None:
        # What somebody was about to send is not kept: after logging in he is shown the page and sends it himself.
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        if request.headers.get("HX-Request"):
            # A piece of a page: the whole page goes to the login, not the login into the page.
            here = urlsplit(request.headers.get("HX-Current-URL", "")).path or None
            return Response(status=401, headers={"HX-Redirect": url_for("login.login", next=here)})
        return redirect(url_for("login.login", next=wanted))
    g.user = user
    if not may_use(user, level):
        abort(403)
    return None


def furnish(app: Flask) -> None:
    """Let the application know who is asking, and refuse who may not."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=IDLE,
        SESSION_COOKIE_NAME="eventum",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    manager = LoginManager(app)
    manager.session_protection = None  # The stamp says more than a network address, which changes on the way home.
    manager.user_loader(_loaded)
    app.before_request(_guard)
