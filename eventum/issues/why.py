"""Why a mail is where it is, as a table and one sentence for a screen.

In flow: the rows of a trace. Out flow: words in the reader's language. `explain` has the sentences of single rows.
"""

from types import MappingProxyType
from typing import NamedTuple

from eventum.issues.explain import finding, result
from eventum.issues.trace import PASS, Row
from eventum.wording import N_, Say

_RULES = MappingProxyType(
    {
        "own_notice": N_("A notice of ours"),
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
    }
)
_ASKED_ON = N_("asked the next rule")
PLACING = ("association", "receive", "person")
"""The tables that say where a mail belongs; the others say what followed from it."""


class Reason(NamedTuple):
    """A row of the table: which rule was asked, what it saw, what it said, whether it decided."""

    rule: str
    saw: str
    answer: str
    decided: bool


def reasons(trace: tuple[Row, ...], say: Say = str) -> tuple[Reason, ...]:
    """The rules that were asked about where a mail belongs and whether it may be there, in their order."""
    asked = [row for row in trace if row.table in (*PLACING, "admission")]
    return tuple(
        Reason(
            say(_RULES[row.rule]) if row.rule in _RULES else row.rule.replace("_", " "),
            row.saw,
            say(_ASKED_ON) if row.answer == PASS else result(row.answer, say),
            row.answer != PASS,
        )
        for row in asked
    )


def headline(trace: tuple[Row, ...], say: Say = str) -> str:
    """The one sentence that says why the mail is here; "" when nobody decided anything, as for what we wrote."""
    decided = [row for row in trace if row.table in PLACING and row.answer != PASS]
    return finding(decided[-1], say) if decided else ""
