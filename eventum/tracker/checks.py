"""What a look at an installation found: checks with their levels.

Flows in and out: nothing but the values. What is looked at, and what is late, `health` decides.
"""

from typing import Final, Literal

import msgspec

Level = Literal[0, 1, 2, 3]
OK: Final = 0
WARNING: Final = 1
CRITICAL: Final = 2
UNKNOWN: Final = 3


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: its level (0 ok, 1 warning, 2 critical, 3 cannot tell), and what to do.

    `words` are a server's own, or a record's, and stay in their language. `line` is what mends it, or says more, when
    it is typed or copied as it stands: a line for cron or a shell.
    """

    name: str
    level: Level
    value: str
    hint: str = ""
    line: str = ""
    words: str = ""
    account: str = ""  # The id of the account it is about.

    @property
    def advice(self) -> str:
        """Words, hint and line in one, for who has a shell at hand."""
        line = self.line if not self.line or self.hint.endswith(":") else f"`{self.line}`"
        return " ".join(part for part in (self.words, self.hint, line) if part)


class Health(msgspec.Struct, frozen=True):
    """All checks, and the level of the whole."""

    level: Level
    checks: tuple[Check, ...]

    def check(self, name: str) -> Check | None:
        """The check of that name."""
        return next((check for check in self.checks if check.name == name), None)
