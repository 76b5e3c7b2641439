"""Why something was decided: one row for every rule that was asked, the deciding one last.

In flow: an ordered tuple of rules and one frozen value of facts. Out flow: the answer and the rows. A row stores
names and parameters, never a sentence; `explain` makes the sentence when a person asks, so that it can be in the
reader's language.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

PASS = "pass"

Facts = TypeVar("Facts")
Answer = TypeVar("Answer")


class Row(msgspec.Struct, frozen=True):
    """What one rule of one table saw and what it answered; `answer` is "pass" when it left the question to the next."""

    table: str
    rule: str
    saw: str
    answer: str


@dataclass(frozen=True)
class Rule(Generic[Facts, Answer]):
    """A named rule: `look` gives what it saw, in a few words, and its answer, or None to pass."""

    name: str
    look: Callable[[Facts], tuple[str, Answer | None]]


@dataclass(frozen=True)
class Table(Generic[Facts, Answer]):
    """Rules in the order in which they are asked. The last one must always answer. `say` names an answer in a row."""

    name: str
    rules: tuple[Rule[Facts, Answer], ...]
    say: Callable[[Answer], str]

    def decide(self, facts: Facts) -> tuple[Answer, tuple[Row, ...]]:
        """The first answer given, and a row for every rule up to and with the one that gave it."""
        rows: list[Row] = []
        for rule in self.rules:
            saw, answer = rule.look(facts)
            rows.append(Row(self.name, rule.name, saw, PASS if answer is None else self.say(answer)))
            if answer is not None:
                return answer, tuple(rows)
        raise AssertionError(f"no rule of the table {self.name} answered; its last rule must not pass")
