"""Why a mail is where it is, as a table and one sentence for a screen.

In flow: the rows of a trace. Out flow: words in the reader's language. `explain` has the sentences of single rows.
"""

import re
from types import MappingProxyType
from typing import NamedTuple

from eventum.issues.explain import finding
from eventum.issues.trace import PASS, Row
from eventum.wording import N_, Say

_RULES = MappingProxyType(
    {
        "own_notice": N_("A notice of ours"),
        "list_copy": N_("Came by a mailing list, too"),
        "address": N_("Address"),
        "subject_tag": N_("Subject tag"),
        "headers": N_("In-Reply-To, References"),
        "machine": N_("Written by a program"),
        "own_sender": N_("Sent by one of our addresses"),
        "own_address": N_("One of our addresses"),
        "auto_creation": N_("Auto-Creation"),
        "parent_in_pool": N_("Answers a waiting mail"),
        "new": N_("New mail"),
        "bounce": N_("Bounce"),
        "automatic": N_("Automatic mail"),
        "sender_not_clear": N_("Sender"),
        "inactive": N_("Deactivated user"),
        "note_by_staff": N_("Meant as a note"),
        "reporter": N_("Reporter"),
        "assignee": N_("Assignee"),
        "authorised_replier": N_("Authorised replier"),
        "staff_may_mail": N_("Staff of the project"),
        "stranger": N_("May write here?"),
        "same_bytes": N_("The very same mail"),
        "same_content": N_("The same content"),
        "issue_unusable": N_("Damaged issue"),
        "as_email": N_("Associated by hand"),
        "as_reference": N_("Associated by hand"),
        "as_note": N_("Associated by hand"),
        "new_issue": N_("New issue by hand"),
        "accepted": N_("Accepted by hand"),
        "own_issue": N_("Moved by hand"),
        "opens_too_many": N_("Loop fuse"),
        "storm": N_("Loop fuse"),
        "by_address": N_("Loop fuse"),
        "by_domain": N_("Loop fuse"),
        "by_issue": N_("Loop fuse"),
        "staff": N_("Written here"),
        "note": N_("Written here"),
        "draft": N_("Written here"),
    }
)
_TABLES = MappingProxyType(
    {
        "subscriptions": N_("Notification list"),
        "acknowledgement": N_("Acknowledgement"),
        "recipients": N_("Who is told"),
    }
)
_WORDS = MappingProxyType({"on": N_("On"), "off": N_("Off"), "email": "", "note": ""})
_IN_BRACKETS = re.compile(r"\s*[(\uff08]\{saw\}[)\uff09]")  # As our languages write them.
PLACING = ("association", "receive", "fuse", "person")
"""The tables that say where a mail belongs; the others say what followed from it."""


class Reason(NamedTuple):
    """A row of the table: which rule was asked, what it saw in words, what it found, whether it decided."""

    rule: str
    saw: str
    answer: str
    decided: bool


def reasons(trace: tuple[Row, ...], say: Say = str) -> tuple[Reason, ...]:
    """The rules that decided where a mail belongs, whether it may be there and who is told of it, in their order.

    Before them those that saw something and asked the next one.
    """
    found: list[Reason] = []
    for row in trace:
        seen, decided = _seen(row, say), row.answer != PASS
        if row.table in _TABLES:
            if decided:
                found.append(Reason(say(_TABLES[row.table]), seen, _plainly(row, say), decided=False))
        elif decided or seen:
            name = say(_RULES[row.rule]) if row.rule in _RULES else row.rule.replace("_", " ")
            found.append(Reason(name, seen, _plainly(row, say), decided))
    return tuple(found)


def headline(trace: tuple[Row, ...], say: Say = str) -> str:
    """The one sentence that says why the mail is here; "" when nobody decided anything, as for what we wrote."""
    decided = [row for row in trace if row.table in PLACING and row.answer != PASS]
    # What a person did counts more than what the rules said before.
    by_hand = [row for row in decided if row.table == "person"]
    return _plainly((by_hand or decided)[-1], say) if decided else ""


def _plainly(row: Row, say: Say) -> str:
    """What the rule found without the id or header it looked at: that stands beside it."""
    return finding(row, lambda sentence: _IN_BRACKETS.sub("", say(sentence)))


def _seen(row: Row, say: Say) -> str:
    kind, _, detail = row.saw.partition(":")
    if kind == "asked":  # How many ids were looked for, and none was known.
        return ""
    if kind in ("index", "ours", "batch") and detail:
        return detail
    return say(_WORDS[row.saw]) if row.saw in _WORDS and _WORDS[row.saw] else "" if row.saw in _WORDS else row.saw
