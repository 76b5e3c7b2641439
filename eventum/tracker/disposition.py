"""What became of a mail, as one value that screens, commands and logs show.

Flows in and out: nothing but the value. Which outcome it is, `receive` decides.
"""

from typing import Literal, get_args

import msgspec

from eventum.issues.trace import Row

Outcome = Literal["new_issue", "filed", "unassociated", "blocked", "refused", "duplicate", "ignored", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
UNUSABLE = "issue_unusable"  # The rule of a mail that waits because the record of its issue is damaged.


class Disposition(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one mail: issue 0 when it is in none; `account` is where it came to, "" when that is not known."""

    key: str
    account: str
    outcome: Outcome
    issue: int = 0
    message_id: str = ""
    subject: str = ""
    sender: str = ""
    trace: tuple[Row, ...] = ()
