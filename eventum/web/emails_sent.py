"""What the forms of Associate Emails send: which mails, where to, as what.

Flows in: the request. Flows out: values for the verbs, or `NotFound` and `Refused` for what cannot be meant.
"""

from collections.abc import Sequence

from flask import request

from eventum.errors import NotFound, Refused
from eventum.tracker import mail_view
from eventum.tracker.associate import Aim
from eventum.tracker.mails import key_of
from eventum.web.access import me
from eventum.web.forms import NONCE
from eventum.web.trackers import tracker
from eventum.web.undoing import sender
from eventum.wording import N_

LISTS = {
    "unassociated": N_("Unassociated"),
    "removed": N_("Removed"),
    "refused": N_("Refused"),
    "ignored": N_("Ignored"),
    "duplicate": N_("Duplicates"),
}
MOST = 50  # Mails of one step: as many as a page has.


def keys_of(given: Sequence[str]) -> list[str]:
    """The whole ids of the mails that were named. Raises `NotFound`, `Refused`."""
    idents = list(dict.fromkeys(given))
    if not all(mail_view.KEY.fullmatch(one) for one in idents):
        raise NotFound(mail_view.MISSING)
    if not idents:
        raise Refused(N_("No mail is chosen; tick those that belong together."))
    if len(idents) > MOST:
        raise Refused(N_("{most} mails at once are the most."), most=MOST)
    found = []
    for ident in idents:
        try:
            key = key_of(tracker(), ident)
            mail_view.place_of(tracker(), me(), key)
        except (NotFound, Refused) as error:
            raise NotFound(mail_view.MISSING) from error
        found.append(key)
    return found


def senders_of(keys: Sequence[str]) -> list[str]:
    """Whose mails these are."""
    return [sender(mail_view.place_of(tracker(), me(), key).filing) for key in keys]


def number_of(text: str) -> int:
    """The number of an issue that was typed, 0 for none."""
    text = text.strip().lstrip("#")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def aim_of(number: int) -> Aim:
    """The issue, and as what the mails are to go into it."""
    match request.values.get("way", "email"):
        case "reference":
            return Aim(number, "reference")
        case "note":
            return Aim(number, "note")
    return Aim(number, "email")


def list_of() -> str:
    """The list in which the mails are."""
    given = request.form.get("list", "")
    return given if given in LISTS else "unassociated"


def nonce_of() -> str:
    """The nonce of the form, "" for none."""
    given = request.form.get("nonce", "")
    return given if NONCE.fullmatch(given) else ""


def chosen(name: str) -> str | None:
    """A field of which the first choice means: as the account has it."""
    given = request.form.get(name, "-")
    return None if given == "-" else given
