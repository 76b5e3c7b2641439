"""The letters: what one person is told by mail about his own account, which belongs to no issue.

In flow: the name of a letter and its context. Out flow: a subject. As with notices, the templates are
`templates/notifications/<letter>.txt`, plain text; nothing here renders or sends. No letter holds a password: Eventum's
do (7.9), and a mail is read by many on its way. What a letter holds instead is a link that can be opened once.
"""

from types import MappingProxyType
from typing import TypedDict

import msgspec

from eventum.issues.notices import one_line


class Letter(msgspec.Struct, frozen=True):
    """One row of LETTERS: a file's name under templates/notifications, and the subject with a place for the caption."""

    template: str
    subject: str


LETTERS = MappingProxyType(
    {
        "invitation": Letter("invitation.txt", "Your account at {caption}"),
        "new_password": Letter("new_password.txt", "Set a new password at {caption}"),
        "confirm_address": Letter("confirm_address.txt", "Confirm your new e-mail address at {caption}"),
        "address_change": Letter("address_change.txt", "Your e-mail address at {caption} is about to change"),
    }
)


class LetterContext(TypedDict):
    """What a template of a letter sees; what does not apply is empty."""

    caption: str  # the name of the installation
    name: str  # the recipient's; "" at an address that is not known to be his
    who: str  # who caused the letter
    link: str  # what is to be opened
    expires: str  # until when the link can be opened
    address: str  # the new address


def subject(letter: str, caption: str) -> str:
    """The subject of a letter."""
    return one_line(LETTERS[letter].subject.format(caption=caption))
