"""Preferences: what somebody sets for himself, and his password.

Flows in: his forms. Flows out: his record, changed. A new e-mail address counts when he opens the link that went to it;
a new password ends all his other sessions.
"""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField

from eventum.errors import Conflict, Refused
from eventum.tracker import invitations, logins, membership, passwords
from eventum.tracker.logins import User
from eventum.tracker.membership import PREFERENCES, UserForm
from eventum.tracker.particulars import timezones
from eventum.tracker.preferences import let_pictures_in, projects_of, save_preferences
from eventum.web.access import allows, enter, me
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _, now, speak
from eventum.web.login import NewPasswordForm
from eventum.web.meanwhile import differences
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("preferences", __name__)

QUESTIONS = {
    "all_new": N_("Receive emails when all issues are created?"),
    "assigned": N_("Receive emails when new issues are assigned to you?"),
    "own_actions": N_("Receive notifications for your own actions?"),
}
LANGUAGES = (("", N_("As the browser says")), ("en", "English"), ("ja", "日本語"))
THEMES = (("", N_("As the system says")), ("light", N_("Light")), ("dark", N_("Dark")))
WEEK_STARTS = (("monday", N_("Monday")), ("sunday", N_("Sunday")), ("saturday", N_("Saturday")))
REFRESHES = (
    *((0, N_("Never")), (1, N_("Every minute"))),
    *((5, N_("Every 5 minutes")), (15, N_("Every 15 minutes"))),
)
SIGNED = (
    ("replies", N_("Append to replies")),
    ("mails", N_("Append to new mails")),
    ("notes", N_("Append to internal notes")),
)


class PreferencesForm(Form):
    """What somebody sets for himself; a question for each project is added to it, see `form_of`."""

    name = StringField(N_("Name"), [Filled()])
    email = StringField(N_("E-mail address"), [Filled()])
    language = SelectField(N_("Language"))
    timezone = SelectField(N_("Timezone"))
    week_start = SelectField(N_("Week starts on"))
    keys = BooleanField(N_("Single keys do something: ? shows which"))
    relative_dates = BooleanField(N_("Say “2 hours ago” in lists instead of the time"))
    list_refresh = SelectField(N_("Load lists again"), coerce=int)
    theme = SelectField(N_("Theme"))
    signature = TextAreaField(N_("Signature"))
    in_replies = BooleanField(SIGNED[0][1])
    in_mails = BooleanField(SIGNED[1][1])
    in_notes = BooleanField(SIGNED[2][1])


class PasswordForm(NewPasswordForm):
    """The password that somebody has, and the one he wants."""

    old = PasswordField(N_("Your password now"), [Filled()])


def form_of(user: User, **more: Any) -> Form:
    """The form with what the user has set; `more` is for the form itself."""
    projects = projects_of(tracker(), user)
    questions = {
        f"{name}-{project.id}": BooleanField(QUESTIONS[name]) for project, _wanted in projects for name in PREFERENCES
    }
    data: dict[str, Any] = {
        "revision": str(user.revision),
        **{field: getattr(user, field) for field in ("name", "email", "language", "timezone", "week_start", "theme")},
        **{field: getattr(user, field) for field in ("relative_dates", "keys", "list_refresh", "signature")},
        **{f"in_{where}": where in user.signature_in for where, _label in SIGNED},
        **{f"{name}-{project.id}": getattr(wanted, name) for project, wanted in projects for name in PREFERENCES},
    }
    form: Form = type("PreferencesForm", (PreferencesForm,), questions)(data=data, **more)
    form.language.choices = [(value, _(label)) for value, label in LANGUAGES]
    form.timezone.choices = zones(user.timezone)
    form.week_start.choices = [(value, _(label)) for value, label in WEEK_STARTS]
    form.list_refresh.choices = [(value, _(label)) for value, label in REFRESHES]
    form.theme.choices = [(value, _(label)) for value, label in THEMES]
    return form


def zones(chosen: str) -> list[tuple[str, str]]:
    """The time zones that have a place's name, UTC and the one that was chosen, with the time there."""
    named = {name for name in timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))}
    return [
        (
            name,
            _("%(zone)s, now %(time)s", zone=name.replace("_", " "), time=f"{now().astimezone(ZoneInfo(name)):%H:%M}"),
        )
        for name in sorted({*named, "UTC", chosen} & timezones())
    ]


@bp.get("/preferences")
@allows("user")
def shown() -> ResponseReturnValue:
    """What is set."""
    return _page(form_of(me(), formdata=None))


@bp.post("/preferences")
@allows("user")
def save() -> ResponseReturnValue:
    """Set it."""
    form = form_of(me())
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        saved = save_preferences(tracker(), me(), _wanted(form), form.email.data)
    except Refused as error:
        form.refused(error, "email" if "address" in error.values else str(error.values.get("field", "")))
        return _page(form, 422)
    except Conflict:
        return _page(form, 409, changes=differences(form, form_of(me(), formdata=None)))
    speak(saved.user.language)
    if saved.asked:
        told(_("Saved. Open the link we sent to %(address)s to let that address count.", address=saved.asked))
    else:
        told(_("Your preferences are saved."))
    return redirect(url_for("preferences.shown"), 303)


@bp.post("/preferences/address")
@allows("user")
def keep_address() -> ResponseReturnValue:
    """The address that waits is not wanted any more."""
    invitations.forget_address(tracker(), me())
    told(_("You keep the address %(address)s. The link we sent is void.", address=me().email))
    return redirect(url_for("preferences.shown"), 303)


@bp.post("/preferences/pictures")
@allows("user")
def pictures() -> ResponseReturnValue:
    """The remote pictures of a sender are not shown any more."""
    sender = request.form.get("sender", "")
    let_pictures_in(tracker(), me(), sender, False)
    told(_("Remote images in mails from %(who)s are not shown any more.", who=sender))
    return redirect(url_for("preferences.shown", _anchor="pictures"), 303)


@bp.get("/preferences/password")
@allows("user")
def password() -> ResponseReturnValue:
    """The form for a new password."""
    return _password_page(PasswordForm())


@bp.post("/preferences/password")
@allows("user")
def save_password() -> ResponseReturnValue:
    """Set a new password; all sessions but this one end."""
    form = PasswordForm()
    if not form.checked():
        return _password_page(form, 422)
    match logins.is_own_password(tracker(), me(), form.old.data or ""):
        case logins.Locked():
            form.refused(_("There were too many tries. Wait 15 minutes and try again."))
            return _password_page(form, 429)
        case False:
            form.refused(_("This is not your password; type the one you log in with."), "old")
            return _password_page(form, 422)
    changed = UserForm(password=passwords.hashed(form.password.data or ""))
    enter(membership.save_user(tracker(), me().id, changed))
    told(_("Your password is changed. Who was logged in as you elsewhere has to log in again."))
    return redirect(url_for("preferences.shown"), 303)


def _password_page(form: Form, status: int = 200) -> ResponseReturnValue:
    return page("preferences/password.html", status, form=form, least=passwords.MIN_LENGTH)


def _wanted(form: Form) -> UserForm:
    return UserForm(
        revision=form.was_revision,
        name=form.name.data,
        language=form.language.data,
        timezone=form.timezone.data,
        week_start=form.week_start.data,
        relative_dates=form.relative_dates.data,
        keys=form.keys.data,
        list_refresh=form.list_refresh.data,
        theme=form.theme.data,
        signature=form.signature.data,
        signature_in=tuple(where for where, _label in SIGNED if form[f"in_{where}"].data),
        preferences=tuple(
            (project.id, name, form[f"{name}-{project.id}"].data)
            for project, _wanted in projects_of(tracker(), me())
            for name in PREFERENCES
        ),
    )


def _page(form: Form, status: int = 200, changes: list[str] | None = None) -> ResponseReturnValue:
    projects = [project for project, _wanted in projects_of(tracker(), me())]
    waiting = invitations.wanted_address(tracker(), me())
    values = {"projects": projects, "questions": QUESTIONS, "waiting": waiting, "changes": changes}
    return page("preferences/preferences.html", status, form=form, **values)
