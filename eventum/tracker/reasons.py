"""Why a mail is where it is, for a screen: one sentence, and under it what every rule saw.

Flows in: the trace of a mail. Flows out: the same in the reader's language; `say` gives a marked sentence in it. The
rules and their sentences are `issues/`.
"""

from types import MappingProxyType

import msgspec

from eventum.issues.explain import finding, sentence
from eventum.issues.trace import PASS, Row
from eventum.wording import N_, Say

QUESTIONS = MappingProxyType(
    {
        "receive": N_("Arrival"),
        "association": N_("Which issue?"),
        "admission": N_("May it be here?"),
        "person": N_("Decided by hand"),
        "subscriptions": N_("Notification list"),
        "acknowledgement": N_("Acknowledgement"),
        "recipients": N_("Who is told"),
    }
)
_DECIDING = ("person", "association", "receive")


class Why(msgspec.Struct, frozen=True):
    """Why a mail is here: the sentence that says it, and rows of (question, what was seen, finding, is it that one)."""

    sentence: str
    rows: tuple[tuple[str, str, str, bool], ...]


def why(trace: tuple[Row, ...], say: Say = str) -> Why:
    """Why the mail with this trace is where it is."""
    answered = [row for row in trace if row.answer != PASS]
    # What a person did counts more than what the rules said before.
    candidates = (row for table in _DECIDING for row in reversed(answered) if row.table == table)
    deciding = next(candidates, answered[-1] if answered else None)
    rows = tuple(
        (
            say(QUESTIONS.get(row.table, row.table)),
            row.saw,
            finding(row, say) if row.answer == PASS else sentence(row, say),
            row is deciding,
        )
        for row in trace
    )
    return Why(_plainly(deciding, say) if deciding else "", rows)


def _plainly(row: Row, say: Say) -> str:
    """What the rule found without the id or header it looked at: that stands in the rows."""
    return finding(row, say).replace(f" ({row.saw})", "") if row.saw else finding(row, say)
