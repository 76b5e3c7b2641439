"""What a mail server's refusal means, in plain words.

Flows in: what the far end said. Flows out: a marked sentence, "" when its own words have to do. Nothing is decided by
it: whether a mail is tried again the first digit says, see `transport/smtp`.
"""

import re

from eventum.wording import N_

# The enhanced status code behind the reply code (RFC 3463): class, subject, detail.
_CODE = re.compile(r"\A([245])\d\d[ -](?:[245]\.(\d{1,3})\.(\d{1,3})\b)?", re.ASCII)

# By subject and detail, "" for any detail; the first that fits. RFC 3463 section 3, RFC 7505, RFC 7372.
MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("1", "1", N_("The far end knows no such mailbox. Retrying will not help before the address is right.")),
    ("1", "2", N_("There is no such mail domain. Retrying will not help before the address is right.")),
    ("1", "3", N_("The far end cannot read this address. Retrying will not help before the address is right.")),
    ("1", "6", N_("The mailbox has moved, and the far end does not say where to.")),
    ("1", "10", N_("This domain takes no mail at all.")),
    ("1", "7", N_("The far end does not accept the address we send from.")),
    ("1", "8", N_("The far end does not accept the address we send from.")),
    ("2", "1", N_("The mailbox is switched off.")),
    ("2", "2", N_("The mailbox is full.")),
    ("2", "3", N_("The mail is too large for this mailbox.")),
    ("3", "4", N_("The mail is too large for the far end.")),
    ("4", "", N_("The far end could not be reached, or its name was not found.")),
    ("5", "", N_("The two servers did not understand each other.")),
    ("6", "", N_("The far end does not take the content of this mail.")),
    ("7", "8", N_("The server refused our user name or password. They are set in General Setup.")),
    ("7", "9", N_("The server refused our user name or password. They are set in General Setup.")),
    ("7", "", N_("The far end does not take this mail from us: its rules forbid it.")),
)
LATER = N_("The far end asked to be tried again later.")
NEVER = N_("The far end refused this mail for good.")


def meaning(reply: str) -> str:
    """The sentence, to be translated when it is shown."""
    code = _CODE.match(reply)
    if code is None or code[1] == "2":
        return ""
    kind, subject, detail = code[1], code[2] or "", code[3] or ""
    if kind == "4" and subject in ("", "7"):
        return LATER  # Greylisting has many codes, and says no more than this.
    for its_subject, its_detail, sentence in MEANINGS:
        if its_subject == subject and its_detail in ("", detail):
            return sentence
    return LATER if kind == "4" else NEVER
