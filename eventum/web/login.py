"""Logging in and out, and the links of letters about an account: set a password, confirm an address.

Flows in: what is typed, and tokens of links. Flows out: sessions. What a link is for happens when its page is sent, not
when it is opened. Nothing says which addresses exist, and no password is ever in an answer.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, PasswordField, StringField

from eventum.errors import EventumError, Refused
from eventum.tracker import invitations, logins, passwords
from eventum.web.access import allows, enter, leave, me, visitor
from eventum.web.client import client
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _, now, said, zone
from eventum.web.page import page, safe_path, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("login", __name__)

WRONG = N_("The e-mail address or the password is wrong.")


class LoginForm(Form):
    """Who logs in, and where he wanted to go."""

    email = StringField(N_("E-mail address"), [Filled()])
    password = PasswordField(N_("Password"), [Filled()])
    next = HiddenField()


class NewPasswordForm(Form):
    """A password, typed twice because nobody sees it."""

    password = PasswordField(N_("New password"), [Filled()])
    again = PasswordField(N_("The same again"), [Filled()])

    def checked(self) -> bool:
        """Whether it can be taken; what is wrong stands at its field."""
        if not self.validate_on_submit():
            return False
        try:
            passwords.check(self.password.data or "")
        except Refused as error:
            self.refused(error, "password")
        if self.password.data != self.again.data:
            self.refused(_("This is not the same as above; type both again."), "again")
        return not self.is_refused


@bp.get("/login")
@allows("anybody")
def login() -> ResponseReturnValue:
    """The form; who is logged in already goes on."""
    wanted = safe_path(request.args.get("next"))
    if visitor() is not None:
        return redirect(wanted or "/", 303)
    form = LoginForm()
    form.next.data = wanted
    return page("login/login.html", form=form)


@bp.post("/login")
@allows("anybody")
def check() -> ResponseReturnValue:
    """Begin a session, or say that something is wrong, never what."""
    form = LoginForm()
    if not form.validate_on_submit():
        return page("login/login.html", 422, form=form)
    found = logins.log_in(tracker(), form.email.data or "", form.password.data or "", client())
    if isinstance(found, logins.Locked):
        form.refused(_("There were too many tries. Try again after %(time)s.", time=_clock(found.until)))
        answer = page("login/login.html", 429, form=form)
        answer.headers["Retry-After"] = str(_seconds_until(found.until))
        return answer
    if found is None:
        form.refused(_(WRONG))
        return page("login/login.html", 422, form=form)
    enter(found)
    return redirect(safe_path(form.next.data) or "/", 303)


@bp.post("/logout")
@allows("user")
def logout() -> ResponseReturnValue:
    """End all sessions of who asks: the one in another browser may be why he does."""
    logins.end_sessions(tracker(), me())
    leave()
    told(_("You are logged out, here and in every other browser."))
    return redirect(url_for("login.login"), 303)


@bp.get("/invitation/<token>")
@allows("anybody")
def invitation(token: str) -> ResponseReturnValue:
    """Who was invited chooses a password."""
    try:
        user = invitations.invited(tracker(), token)
    except Refused as error:
        return _spent(error)
    return page("login/invitation.html", form=NewPasswordForm(), user=user, **_of(token))


@bp.post("/invitation/<token>")
@allows("anybody")
def accept(token: str) -> ResponseReturnValue:
    """Set the password; its owner is logged in."""
    try:
        user = invitations.invited(tracker(), token)
        form = NewPasswordForm()
        if not form.checked():
            return page("login/invitation.html", 422, form=form, user=user, **_of(token))
        user = invitations.accept(tracker(), token, form.password.data or "")
    except Refused as error:
        return _spent(error)
    enter(user)
    told(_("Your password is set, and you are logged in."))
    return redirect("/", 303)


@bp.get("/confirm/<token>")
@allows("anybody")
def confirmation(token: str) -> ResponseReturnValue:
    """Who asked for another address confirms that it is his."""
    try:
        user, address = invitations.asked_address(tracker(), token)
    except Refused as error:
        return _spent(error)
    return page("login/confirm.html", user=user, address=address, token=token)


@bp.post("/confirm/<token>")
@allows("anybody")
def confirm(token: str) -> ResponseReturnValue:
    """Let the address count."""
    try:
        user = invitations.confirm_address(tracker(), token)
    except Refused as error:
        return _spent(error)
    told(_("Your e-mail address is %(address)s now.", address=user.email))
    here = visitor()
    return redirect(url_for("preferences.shown") if here and here.id == user.id else url_for("login.login"), 303)


def _of(token: str) -> dict[str, Any]:
    return {"token": token, "least": passwords.MIN_LENGTH}


def _spent(error: EventumError) -> ResponseReturnValue:
    return page("login/spent.html", 404, message=said(error))


def _clock(until: datetime) -> str:
    return f"{until.astimezone(zone()):%H:%M %Z}"


def _seconds_until(until: datetime) -> int:
    return max(1, int((until - now()).total_seconds()))
