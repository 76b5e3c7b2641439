"""Two people at one record: what the second is told, with all he typed still there.

Flows in: the form as it was sent, and one made of the record as it is now. Flows out: a sentence for each field that
differs, in the reader's language. Who goes on decides: the form is sent again over the newer record, or left.
"""

from typing import Any

from wtforms import BooleanField, Field, HiddenField, PasswordField, SelectField, SelectMultipleField

from eventum.web.forms import Form
from eventum.web.l10n import _

LONGEST = 80  # Characters of a value that are shown.


def differences(mine: Form, theirs: Form) -> list[str]:
    """What the record says by now, where it is not what was typed; the form then goes over the newer record."""
    mine.revision.data = theirs.revision.data
    found = []
    for field in mine:
        if isinstance(field, HiddenField | PasswordField) or field.name not in theirs:
            continue
        now, typed = _shown(theirs[field.name]), _shown(field)
        if now != typed:
            said = {"field": field.label.text, "now": _short(now), "typed": _short(typed)}
            found.append(_("%(field)s: it is “%(now)s” now, you typed “%(typed)s”.", **said))
    return found or [_("It says the same as what you typed.")]


def _shown(field: Field) -> str:
    choices: Any = getattr(field, "choices", None) or ()
    match field:
        case BooleanField():
            return _("Yes") if field.data else _("No")
        case SelectMultipleField():
            return ", ".join(str(label) for value, label in choices if value in (field.data or []))
        case SelectField():
            return next((str(label) for value, label in choices if str(value) == str(field.data)), "")
    return "\n".join(str(field.data or "").split("\r\n")).strip()


def _short(text: str) -> str:
    line = " / ".join(text.splitlines())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
