"""What a mail server's refusal means, in plain words.

Flows in: what the far end said, and the code a report gave it. Flows out: a marked sentence, or a few words, "" when
its own words have to do. Nothing is decided by it: whether a mail is tried again the first digit says, see
`transport/smtp`.
"""

import re

from eventum.mail.reports.reasons import calls_it_spam, meant
from eventum.wording import N_

# The enhanced status code behind the reply code (RFC 3463): class, subject, detail.
_REPLY = re.compile(r"\A([245])\d\d[ -](?:[245]\.(\d{1,3})\.(\d{1,3})\b)?", re.ASCII)
_CODE = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})", re.ASCII)

# By subject and detail, "" for any detail; the first that fits. A sentence, and a few words for a line among others.
# RFC 3463 section 3, RFC 7505, RFC 7372, and the registry of these codes (RFC 5248).
MEANINGS: tuple[tuple[str, str, str, str], ...] = (
    (
        "1",
        "1",
        N_("The far end knows no such mailbox. Retrying will not help before the address is right."),
        N_("no such mailbox"),
    ),
    (
        "1",
        "2",
        N_("There is no such mail domain. Retrying will not help before the address is right."),
        N_("no such mail domain"),
    ),
    (
        "1",
        "3",
        N_("The far end cannot read this address. Retrying will not help before the address is right."),
        N_("the address cannot be read"),
    ),
    ("1", "4", N_("The address stands for more than one mailbox."), N_("the address is not clear")),
    ("1", "6", N_("The mailbox has moved, and the far end does not say where to."), N_("the mailbox has moved")),
    ("1", "10", N_("This domain takes no mail at all."), N_("the domain takes no mail")),
    ("1", "7", N_("The far end does not accept the address we send from."), N_("our sender address is refused")),
    ("1", "8", N_("The far end does not accept the address we send from."), N_("our sender address is refused")),
    ("2", "1", N_("The mailbox is switched off."), N_("mailbox switched off")),
    ("2", "2", N_("The mailbox is full."), N_("mailbox full")),
    ("2", "3", N_("The mail is too large for this mailbox."), N_("mail too large")),
    ("2", "4", N_("The address is a list that could not be expanded."), N_("a list that cannot be expanded")),
    ("3", "1", N_("The far end has no room for mail just now."), N_("the far end has no room")),
    ("3", "4", N_("The mail is too large for the far end."), N_("mail too large")),
    ("4", "6", N_("The mail went in a circle between servers."), N_("the mail went in a circle")),
    ("4", "7", N_("The far end could not deliver it in time."), N_("tried for too long")),
    (
        "4",
        "",
        N_("The far end could not be reached, or its name was not found."),
        N_("the far end could not be reached"),
    ),
    ("5", "", N_("The two servers did not understand each other."), N_("the servers did not understand each other")),
    ("6", "", N_("The far end does not take the content of this mail."), N_("its content is refused")),
    (
        "7",
        "8",
        N_("The server refused our user name or password. They are set in General Setup."),
        N_("our password is refused"),
    ),
    (
        "7",
        "9",
        N_("The server refused our user name or password. They are set in General Setup."),
        N_("our password is refused"),
    ),
    ("7", "", N_("The far end does not take this mail from us: its rules forbid it."), N_("refused by its rules")),
)
SPAM = (N_("The far end takes this mail for spam."), N_("refused as spam"))
LATER = N_("The far end asked to be tried again later.")
NEVER = N_("The far end refused this mail for good.")


def meaning(reply: str, code: str = "") -> str:
    """The sentence, to be translated when it is shown; `code` is what a report says (RFC 3463), "" for none."""
    return _said(reply, code)[0]


def in_short(reply: str, code: str = "") -> str:
    """The same in a few words, "" where the sentence would say nothing but that it was refused."""
    return _said(reply, code)[1]


def _said(reply: str, code: str) -> tuple[str, str]:
    found = _CODE.fullmatch(code) or _REPLY.match(reply)
    kind, subject, detail = (found[1], found[2] or "", found[3] or "") if found else ("", "", "")
    if kind == "2" or not (kind or code):
        return "", ""
    if kind == "4" and subject in ("", "7") and not code:
        return LATER, ""  # Greylisting has many codes, and says no more than this.
    if subject in ("", "0", "7") and calls_it_spam(reply):
        return SPAM
    if subject in ("", "0") and (sense := meant(reply)):
        # What servers without codes write; a code is believed before it.
        subject, _, detail = sense.partition(".")
    for its_subject, its_detail, sentence, words in MEANINGS:
        if its_subject == subject and its_detail in ("", detail):
            return sentence, words
    return (LATER if kind == "4" else NEVER), ""
