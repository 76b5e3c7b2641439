"""General Setup: sections that are saved one by one, and a test mail by the outgoing server.

Flows in: an administrator's forms. Flows out: settings as saved, each fault beside its field, and the steps of a test.
Two who change the same section are told of each other; other sections do not matter. The password is never shown.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, SelectField, StringField, TextAreaField

from eventum.errors import Conflict, EventumError, Refused
from eventum.runners import trial_mail
from eventum.runners.probing import Step
from eventum.tracker import general
from eventum.web.access import allows, me
from eventum.web.allowing import allowed
from eventum.web.forms import Form
from eventum.web.l10n import _, said, say
from eventum.web.meanwhile import differences
from eventum.web.page import base_url, page, told
from eventum.web.preferences import LANGUAGES, zones
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("general", __name__, url_prefix="/admin/general")

TEXT = N_("Somebody tried the outgoing server in General Setup. It works: this mail came. Nobody has to answer.")
SECURITIES = (
    ("none", N_("None: the mail goes in clear text")),
    ("starttls", N_("STARTTLS, or failure")),
    ("tls", N_("TLS from the first byte")),
)


class Section(msgspec.Struct, frozen=True):
    """How a section is called, and what it is for."""

    name: str
    title: str
    hint: str


SECTIONS = (
    Section(
        "smtp", N_("SMTP (Outgoing Email) Settings"), N_("The server that takes our mail. Test it before you save.")
    ),
    Section("sender", N_("Sender"), N_("Who our mail is from where a project has no sender of its own.")),
    Section(
        "subject_routing",
        N_("Subject routing"),
        N_(
            "A number in the subject, like [#7], names the issue. Whether the sender may write there is decided as "
            "always."
        ),
    ),
    Section("email_routing", N_("E-mail routing"), N_("Mail to issue-7@ and the host below belongs to issue 7.")),
    Section(
        "note_routing", N_("Note routing"), N_("Mail of staff to note-7@ and the host below becomes an internal note.")
    ),
    Section("draft_routing", N_("Draft routing"), N_("Mail of staff to draft-7@ and the host below becomes a draft.")),
    Section(
        "network",
        N_("Network"),
        N_(
            "A test from the browser connects to public addresses and the ports of mail only. List what else it may "
            "reach. Fetching and sending are not bound by this."
        ),
    ),
    Section(
        "fuse",
        N_("Loop fuse"),
        N_(
            "Two programs that answer each other could fill every mailbox. Beyond these numbers within an hour mail is "
            "kept as always and notices about it are held in the queue; 0 is no limit."
        ),
    ),
    Section("disk", N_("Disk"), N_("While less than this is free, no mail is fetched: it stays on the servers.")),
    Section("installation", N_("This installation"), N_("Its name, and where its links begin.")),
    Section("defaults", N_("Defaults"), N_("What new users begin with; everybody can change it in the preferences.")),
)


def routing(block: str) -> dict[str, Any]:
    """The fields of one block of address routing."""
    return {
        f"{block}_enabled": BooleanField(N_("Enabled")),
        f"{block}_prefix": StringField(N_("Prefix")),
        f"{block}_host": StringField(N_("Host")),
        f"{block}_host_aliases": StringField(N_("Other hosts")),
    }


# The forms, by section; a field is called as its key, with a line where that has a dot.
FIELDS: Mapping[str, dict[str, Any]] = {
    "installation": {
        "general_tool_caption": StringField(N_("Name")),
        "general_base_url": StringField(N_("Address")),
    },
    "smtp": {
        "smtp_host": StringField(N_("Server")),
        "smtp_port": StringField(N_("Port")),
        "smtp_security": SelectField(N_("Security")),
        "smtp_username": StringField(N_("User name")),
        "smtp_password": PasswordField(N_("Password")),
    },
    "sender": {"smtp_from": StringField(N_("Sender"))},
    "subject_routing": {"subject_routing_enabled": BooleanField(N_("Enabled"))},
    **{block: routing(block) for block in ("email_routing", "note_routing", "draft_routing")},
    "network": {
        "network_allowed_hosts": TextAreaField(N_("Hosts, addresses and networks")),
        "network_allowed_ports": StringField(N_("Ports")),
    },
    "fuse": {
        "fuse_address": StringField(N_("Mails of one sender into one issue")),
        "fuse_new_issues": StringField(N_("Issues opened by one sender")),
        "fuse_domain": StringField(N_("Mails of one domain")),
        "fuse_issue": StringField(N_("Mails into one issue")),
        "fuse_acknowledgements": StringField(N_("Acknowledgements to anybody")),
    },
    "disk": {"disk_min_free": StringField(N_("Megabytes that must be free"))},
    "defaults": {"defaults_language": SelectField(N_("Language")), "defaults_timezone": SelectField(N_("Timezone"))},
}
FORMS: Mapping[str, type[Form]] = {name: type(f"{name}_fields", (Form,), fields) for name, fields in FIELDS.items()}


@bp.get("")
@allows("administrator")
def shown() -> ResponseReturnValue:
    """All sections."""
    return setup()


@bp.post(
    "/<any(installation, smtp, sender, subject_routing, email_routing, note_routing, draft_routing, network, "
    "fuse, disk, defaults):name>"
)
@allows("administrator")
def save(name: str) -> ResponseReturnValue:
    """Save one section."""
    form = form_of(name)
    if not save_section(name, form):
        return setup(422 if form.is_refused else 409, {name: form}, at=name)
    title = next(section.title for section in SECTIONS if section.name == name)
    told(_("Saved: %(section)s.", section=_(title)))
    return redirect(url_for("general.shown", _anchor=name), 303)


@bp.post("/test")
@allows("administrator")
def test() -> ResponseReturnValue:
    """Send a test mail by the server as its form stands."""
    form = form_of("smtp")
    how = tried(form)
    if request.headers.get("HX-Request"):
        return page("general/steps.html", **how, faults=form.faults())
    return setup(200 if how["steps"] else 422, {"smtp": form}, **how)


def save_section(name: str, form: Form) -> bool:
    """Save the section of this form; when that is refused the form says why, and when it was changed meanwhile what."""
    try:
        if form.validate_on_submit():
            general.save_section(tracker(), name, values(name, form), was=form.revision.data or "")
    except general.Unfit as unfit:
        refuse(form, unfit)
    except Conflict:
        form.changes = differences(form, form_of(name, formdata=None))
        return False
    return not form.is_refused


def tried(form: Form) -> dict[str, Any]:
    """What a page says of a test mail: to whom it was to go, how far it came, why it was not tried, what was allowed.

    Faults stand at their fields.
    """
    recipient = request.form.get("recipient", "").strip()
    steps: tuple[Step, ...] = ()
    problem, place = "", None
    try:
        place = allowed()
        if form.validate_on_submit():
            server = general.outgoing(tracker(), values("smtp", form), request.form.get("smtp_from", ""))
            subject, text = _("Test mail of %(caption)s", caption=general.caption(tracker())), _(TEXT)
            steps = trial_mail.from_browser(tracker(), server, (recipient, subject, text), said)
    except general.Unfit as unfit:
        refuse(form, unfit)
    except Refused as error:
        problem = said(error)
    return {"recipient": recipient, "steps": steps, "problem": problem, "allowed": place}


def form_of(name: str, **more: Any) -> Form:
    """The form of a section as it is set, or as somebody typed it."""
    shown = general.section(tracker(), name)
    data: dict[str, Any] = {"revision": general.stamp(tracker(), name)}
    for key, value in shown.items():
        kind = FIELDS[name][_field(key)].field_class
        data[_field(key)] = value == "true" if kind is BooleanField else "" if kind is PasswordField else value
    if name == "installation" and not base_url():
        # Only proposed: what a request says of its own address counts when an administrator sends it (T23).
        data["general_base_url"] = request.url_root.rstrip("/")
    form = FORMS[name](data=data, **more)
    if name == "smtp":
        form["smtp_security"].choices = [(value, _(words)) for value, words in SECURITIES]
    if name == "defaults":
        form["defaults_language"].choices = [(value, _(label)) for value, label in LANGUAGES]
        form["defaults_timezone"].choices = zones(form["defaults_timezone"].data)
    return form


def values(name: str, form: Form) -> dict[str, str]:
    """What somebody typed, by key."""
    found = {}
    for key in general.SECTIONS[name]:
        typed = form[_field(key)].data
        found[key] = ("true" if typed else "false") if isinstance(typed, bool) else str(typed or "")
    return found


def refuse(form: Form, unfit: general.Unfit) -> None:
    """Put what is wrong beside its fields."""
    for key, fault in unfit.faults.items():
        form.refused(_sentence(fault), _field(key))


def setup(status: int = 200, forms: Mapping[str, Form] | None = None, **more: object) -> ResponseReturnValue:
    """The page; the forms that are given as they are, the others as they are set."""
    names = [section.name for section in SECTIONS]
    all_forms = {name: (forms or {}).get(name) or form_of(name, formdata=None) for name in names}
    lacking = {_field(key): say(words) for key, words in general.lacking(tracker()).items()}
    has_password = bool(general.section(tracker(), "smtp")[general.PASSWORD])
    own = {"sections": SECTIONS, "forms": all_forms, "lacking": lacking, "has_password": has_password}
    own["has_address"] = bool(base_url())
    return page("general/general.html", status, **own, **{"recipient": me().email, **more})


def _sentence(fault: EventumError) -> str:
    text = said(fault)
    return text[:1].upper() + text[1:]


def _field(key: str) -> str:
    return key.replace(".", "_")
