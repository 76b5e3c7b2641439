"""The mails of the demo, in their order, and what should become of each.

Flows in: the Message-IDs of what was sent before, since answers name them. Flows out: raw mails. Their texts lie in
`mails/`, written as the programs write them that people use; names between @@ are filled in. They come in four rounds,
because an answer can only be written when there is something to be answered.
"""

from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

import msgspec

from eventum.demo.scenery import DANA, HELP, ORDERS, YUKI

FOLDER = Path(__file__).parent / "mails"

ANA, MISAKI, BEN = "ana@costa.example", "misaki@sato.example", "ben@howe.example"
SHUTTER, FIRMWARE, SCRATCH = "01-ana-asks", "02-misaki-asks", "03-ben-asks"  # The letters that open issues.


class Mailing(msgspec.Struct, frozen=True):
    """A mail of ours: to whom, which notice, about the issue that which letter opened; "failed" where it came back."""

    recipient: str
    notice: str
    letter: str
    state: str = "sent"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail and its fate; `rule` is the one that decides it, `into` the letter whose issue it comes to."""

    name: str
    round: int
    about: str
    to: str = HELP
    outcome: str = "filed"
    rule: str
    into: str = ""

    def raw(self, sent: Callable[[Mailing], str], now: datetime) -> bytes:
        """The mail as it comes in; `sent` gives the Message-ID of a mail of ours."""
        raw = (FOLDER / f"{self.name}.eml").read_bytes().replace(b"@@now@@", format_datetime(now).encode())
        for mark, mailing in ANSWERED.items():
            if mark in raw:
                raw = raw.replace(mark, sent(mailing).encode())
        return raw.replace(b"\n", b"\r\n")


# What the mails answer.
ANSWERED = {
    b"@@acknowledgement of Ana@@": Mailing(ANA, "acknowledgement", SHUTTER),
    b"@@notice to Dana@@": Mailing(DANA.email, "new_issue_assigned", SHUTTER),
    b"@@answer to Ana@@": Mailing(ANA, "email", SHUTTER),
    b"@@acknowledgement of Ben@@": Mailing(BEN, "acknowledgement", SCRATCH),
}

LETTERS = (
    Letter(name=SHUTTER, round=1, about="a new mail", outcome="new_issue", rule="new", into=SHUTTER),
    Letter(name=FIRMWARE, round=1, about="in Japanese", outcome="new_issue", rule="new", into=FIRMWARE),
    Letter(name=SCRATCH, round=1, about="HTML with a picture in it", outcome="new_issue", rule="new", into=SCRATCH),
    Letter(name="04-newsletter", round=1, about="a newsletter", outcome="unassociated", rule="machine"),
    Letter(name="05-order", round=1, about=f"to {ORDERS}", to=ORDERS, outcome="unassociated", rule="auto_creation"),
    Letter(name="06-ana-adds", round=2, about="answers the acknowledgement, with Gmail", rule="reporter", into=SHUTTER),
    Letter(
        name="07-bounce",
        round=2,
        about="the acknowledgement to Ben comes back",
        outcome="blocked",
        rule="bounce",
        into=SCRATCH,
    ),
    Letter(
        name="08-dana-answers", round=3, about="answers her notice, with Thunderbird", rule="assignee", into=SHUTTER
    ),
    Letter(
        name="09-stranger",
        round=3,
        about="a stranger, who answers Ana's mail",
        outcome="blocked",
        rule="stranger",
        into=SHUTTER,
    ),
    Letter(name="10-ana-agrees", round=4, about="answers Dana, with Outlook", rule="reporter", into=SHUTTER),
)

# What is sent to whom because of them.
MAILINGS = (
    *(Mailing(who, "acknowledgement", letter) for who, letter in ((ANA, SHUTTER), (MISAKI, FIRMWARE))),
    Mailing(BEN, "acknowledgement", SCRATCH, state="failed"),
    *(Mailing(DANA.email, "new_issue_assigned", letter) for letter in (SHUTTER, FIRMWARE, SCRATCH)),
    *(Mailing(YUKI.email, "new_issue", letter) for letter in (SHUTTER, FIRMWARE, SCRATCH)),
    Mailing(DANA.email, "email", SHUTTER),  # what Ana added
    Mailing(ANA, "email", SHUTTER),  # Dana's answer
    Mailing(DANA.email, "blocked", SHUTTER),  # what the stranger wrote
    Mailing(DANA.email, "email", SHUTTER),  # Ana's thanks
)
