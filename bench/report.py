"""The table of a benchmark: what was measured, what it should be, and whether it is.

A figure is either a count, which is the same on any machine and must be right, or a rate, which depends on the machine
and is only told.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One line: `reached` is None for what has no target; `must` for what makes the benchmark fail."""

    what: str
    measured: str
    target: str = ""
    reached: bool | None = None
    must: bool = False


def at_least(what: str, value: float, target: float, note: str = "") -> Row:
    """A rate or ratio that should not be lower."""
    return Row(what, f"{value:.2f}{note}", f">= {target:g}", value >= target)


def at_most(what: str, value: float, target: float, *, note: str = "", must: bool = False) -> Row:
    """A figure that should not be higher."""
    return Row(what, f"{value:.2f}{note}", f"<= {target:g}", value <= target, must)


def exactly(what: str, value: object, expected: object) -> Row:
    """A count that is right or wrong."""
    return Row(what, str(value), str(expected), value == expected, True)


def shown(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    verdicts = {True: "yes", False: "NO", None: ""}
    lines = [("what", "measured", "target", "reached"), *((r[0], r[1], r[2], verdicts[r.reached]) for r in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {padded[0]} |", f"|{rule}|", *(f"| {line} |" for line in padded[1:])])
