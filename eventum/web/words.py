"""Words for what records keep as names: statuses, and the states of mail on its way out.

Flows in: a name as stored. Flows out: a word in the reader's language; a name that an administrator made is his word.
"""

from eventum.web.l10n import say
from eventum.wording import N_

STATES = {
    "new": N_("New"),
    "open": N_("Open"),
    "waiting": N_("Waiting"),
    "closed": N_("Closed"),
    "pending": N_("Pending"),
    "deferred": N_("Deferred"),
    "held": N_("Held"),
    "sent": N_("Sent"),
    "failed": N_("Failed"),
}


def state_word(name: str) -> str:
    """A status of an issue or of a mail that goes out."""
    return say(STATES[name]) if name in STATES else name
