"""The forms of the first visit that no other screen has.

Flows in: what somebody typed. Flows out: values, or faults at their fields. The steps themselves are `first_visit`.
"""

from wtforms import PasswordField, StringField

from eventum.errors import Refused
from eventum.tracker import passwords
from eventum.web.forms import Filled, Form
from eventum.web.l10n import _
from eventum.wording import N_


class CodeFields(Form):
    """Who has the code becomes the administrator."""

    code = StringField(N_("Code"), [Filled()])
    name = StringField(N_("Name"))
    email = StringField(N_("E-mail address"))
    password = PasswordField(N_("Password"), [Filled()])
    again = PasswordField(N_("The same again"), [Filled()])

    def checked(self, *, is_named: bool) -> bool:
        """Whether it can be taken so far; what is wrong stands at its field. Who was named by init types no address."""
        self.validate_on_submit()
        if not is_named and not (self.email.data or "").strip():
            self.refused(_("Give the address you log in with."), "email")
        if self.password.data:
            try:
                passwords.check(self.password.data)
            except Refused as error:
                self.refused(error, "password")
            if self.password.data != self.again.data:
                self.refused(_("This is not the same as above; type both again."), "again")
        return not self.is_refused


class ProjectFields(Form):
    """What a first project needs."""

    title = StringField(N_("Title"), [Filled()])
    sender_name = StringField(N_("Sender name"))
    sender_email = StringField(N_("Sender address"))
