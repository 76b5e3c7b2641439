"""Forms: what all of them have, and how a refusal gets to its field.

Flows in: what somebody sent. Flows out: values, or messages in his language beside what is to be mended. Every form
has a token against forms of other sites, a nonce that is the key of what it makes, and the revision it was made from.
"""

import re
import secrets

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField
from wtforms.i18n import DefaultTranslations
from wtforms.validators import DataRequired, Optional

from eventum.errors import EventumError
from eventum.web.l10n import _, language, said
from eventum.wording import N_

NONCE = re.compile(r"[0-9a-f]{16}", re.ASCII)
EMPTY = N_("Fill this in.")


def new_nonce() -> str:
    """A key for what a form is about to make; nobody can guess it."""
    return secrets.token_hex(8)


class AsGiven(str):
    """A label that somebody gave, as the title of a project: it is the same in every language."""


class Translations:
    """What WTForms says by itself, said from our own catalogue."""

    def gettext(self, string: str) -> str:
        """One sentence."""
        return _(string) if string else ""

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """A sentence about so many things."""
        return _(singular if n == 1 else plural)


class Form(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What every form of ours is."""

    nonce = HiddenField()
    revision = HiddenField()

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # flask-wtf has no types
        """Messages come from our catalogue."""

        def get_translations(self, form: FlaskForm) -> Translations | DefaultTranslations:
            """Whoever says something in a form."""
            return Translations()

        @property
        def locales(self) -> list[str]:
            """The reader's language."""
            return [language()]

    def __init__(self, *arguments: object, **values: object) -> None:
        super().__init__(*arguments, **values)
        if not NONCE.fullmatch(self.nonce.data or ""):
            self.nonce.data = new_nonce()
        self.problems: list[str] = []
        for field in self:
            # Classes are made once, and read in every language.
            if not isinstance(field.label.text, AsGiven):
                field.label.text = _(field.label.text)

    @property
    def was_revision(self) -> int:
        """The revision of the record this form was made from; -1 when it does not say."""
        text = str(self.revision.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1

    def refused(self, error: EventumError | str, field: str = "") -> None:
        """Put what is wrong beside a field, or in the box on top."""
        message = said(error) if isinstance(error, EventumError) else error
        if isinstance(error, EventumError) and "made" in error.values:
            self.nonce.data = new_nonce()  # See `once.check_same`: sent again, it is another form.
        if field and field in self:
            self[field].errors = [*self[field].errors, message]
        else:
            self.problems.append(message)

    @property
    def is_refused(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.problems or self.errors)

    def faults(self) -> list[tuple[Field, str]]:
        """Each field that is to be mended, with the first thing that is wrong."""
        return [(field, field.errors[0]) for field in self if field.errors and field.name != "csrf_token"]


class Filled(DataRequired):
    """The field must hold something; says how to mend it, in the reader's language."""

    def __init__(self, message: str = EMPTY) -> None:
        super().__init__(message)
        self._sentence = message

    def __call__(self, form: FlaskForm, field: Field) -> None:
        """Raises what WTForms puts beside the field."""
        self.message = _(self._sentence)
        super().__call__(form, field)


__all__ = ["AsGiven", "Filled", "Form", "Optional", "new_nonce"]
