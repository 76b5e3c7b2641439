"""What may stand in the record of a user or a project, and what is said when it may not.

Flows in: records as somebody wants them. Flows out: nothing, or `Refused` with the name of the field that is to be
mended in its values, for screens that put the message beside it. Whose address is whose is known in `store/people`.
"""

from collections.abc import Collection, Mapping

from eventum.errors import Refused
from eventum.issues.people import REFRESHES, SIGNED, THEMES, WEEK_STARTS, User
from eventum.issues.typed import LANGUAGES
from eventum.issues.typed import timezones as timezones  # For screens that offer them.
from eventum.mail.compose import CHARSETS
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

MAX_NAME = 200  # Characters; names and titles become parts of mail headers.
MAX_SIGNATURE = 2000  # Characters.
CHOICES: Mapping[str, Collection[object]] = {
    "language": LANGUAGES,
    "week_start": WEEK_STARTS,
    "list_refresh": REFRESHES,
    "theme": THEMES,
}
OTHER_CHOICE = N_("{value!r} is none of {known}.")
LINES = {
    "name": N_("A user's name is one line of 1 to {most} characters, not {text!r}."),
    "title": N_("A project's title is one line of 1 to {most} characters, not {text!r}."),
    "sender_name": N_("A project's sender name is one line of 1 to {most} characters, not {text!r}."),
    "values": N_("A category, priority or status is one line of 1 to {most} characters, not {text!r}."),
}


def check_line(kind: str, text: str, field: str = "") -> None:
    """Raise `Refused` for a text that is not one line; `kind` is a name of LINES, `field` where it was typed."""
    if not text.strip() or not text.isprintable() or len(text) > MAX_NAME:
        raise Refused(LINES[kind], most=MAX_NAME, text=text[:40], field=field or kind)


def check_charset(name: str) -> None:
    """Raise `Refused` for what a project's mail cannot be written in."""
    if name not in CHARSETS:
        raise Refused(OTHER_CHOICE, value=name, known=", ".join(CHARSETS), field="mail_charset")


def check_user(user: User) -> None:
    """Raise `Refused` for a user whose choices are none of those there are."""
    for field, choices in CHOICES.items():
        if (value := getattr(user, field)) not in choices:
            known = ", ".join(str(one) for one in choices if one != "")
            message = N_("{value!r} is not a language of ours: {known}.") if field == "language" else OTHER_CHOICE
            raise Refused(message, value=value, known=known, field=field)
    if unknown := set(user.signature_in) - set(SIGNED):
        raise Refused(OTHER_CHOICE, value=sorted(unknown)[0], known=", ".join(SIGNED), field="signature_in")
    if len(user.signature) > MAX_SIGNATURE:
        raise Refused(N_("A signature has at most {most} characters."), most=MAX_SIGNATURE, field="signature")
    if user.timezone not in timezones():
        raise Refused(
            N_("{name!r} is not a time zone; write it like Europe/Berlin or UTC."), name=user.timezone, field="timezone"
        )


def check_administrators(tracker: Tracker, changed: User) -> None:
    """Raise `Refused` when nobody would be left who may change anything at all."""
    before = [user for user in tracker.people.users() if user.active and user.administrator]
    if [user.id for user in before] == [changed.id] and not (changed.active and changed.administrator):
        raise Refused(
            N_("{user} is the last administrator; make somebody else one first."),
            user=changed.email,
            field="administrator",
        )
