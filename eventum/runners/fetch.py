"""How the fetch of one account goes: a value that its thread fills and the run shows.

Flows in: counts, outcomes, an error. Flows out: the account's row of the interface.
"""

from datetime import datetime

import msgspec

from eventum.tracker.disposition import OUTCOMES


class Fetch(msgspec.Struct, kw_only=True):
    """How the fetch of one account went, and what became of its mail."""

    id: str
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    began: bool = False
    finished: bool = False
    waiting: int = -1  # mails there are to be fetched; -1 until that is known
    fetched: int = 0
    skipped: bool = False
    error: str = ""
    next_try: datetime | None = None  # it failed before and was left alone this time
    damaged: bool = False  # the error is a file of ours that cannot be used

    @property
    def is_done(self) -> bool:
        """Whether all that was fetched is decided too."""
        return self.finished and sum(self.outcomes.values()) >= self.fetched

    def row(self) -> dict[str, object]:
        """The account as the interface shows it: `downloaded` is the sum of the outcomes."""
        counts = [(str(outcome), self.outcomes.get(outcome, 0)) for outcome in OUTCOMES]
        row: dict[str, object] = {"id": self.id, "downloaded": sum(count for _, count in counts)}
        row |= dict(counts) | {"skipped": self.skipped, "error": self.error or None}
        return row | ({"next_try": self.next_try} if self.next_try else {})
