"""`python -m tests.faults.table`: the numbers of all rows, as the table of docs/reliability.md.

In flow the result files of `record`, out flows the part of the page between its two marks. A row whose program is not
the one that lies here is marked: its numbers are of an earlier one.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.faults import record  # noqa: E402
from tests.faults.record import KINDS, Result  # noqa: E402

PAGE = record.ROOT / "docs/reliability.md"
BEGIN, END = "<!-- trials -->", "<!-- /trials -->"
HEAD = ("row", "what", "trials", "disturbed", *KINDS, "twice in the window", "commit", "seconds")


def results() -> list[Result]:
    """What the rows came to, by name."""
    return [Result(**json.loads(path.read_bytes())) for path in sorted(record.RESULTS.glob("*.json"))]


def line(cells: Iterable[object]) -> str:
    """One line of the table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def cells(result: Result, program: str) -> list[object]:
    """A row's line; a star stands at the commit of another program."""
    commit = result.commit + ("" if result.program == program else "\\*")
    faults = [result.faults[kind] for kind in KINDS]
    numbers = [result.trials, result.disturbed, *faults, result.twice]
    return [f"`{result.row}`", result.what, *(f"{number:,}" for number in numbers), commit, f"{result.seconds:,.0f}"]


def totals(found: Sequence[Result]) -> list[list[object]]:
    """A line for each kind of trial."""
    rows: list[list[object]] = []
    for what in sorted({result.what for result in found}):
        same = [result for result in found if result.what == what]
        faults = [sum(result.faults[kind] for result in same) for kind in KINDS]
        numbers = [sum(one.trials for one in same), sum(one.disturbed for one in same), *faults]
        numbers.append(sum(one.twice for one in same))
        texts = [f"**{number:,}**" for number in numbers]
        rows.append([f"**{len(same)} rows**", f"**{what}**", *texts, "", f"{sum(one.seconds for one in same):,.0f}"])
    return rows


def table(found: Sequence[Result], program: str) -> str:
    """The whole table, totals last."""
    aligned = ["---:" if at >= 2 and HEAD[at] != "commit" else "---" for at in range(len(HEAD))]
    rows = [cells(result, program) for result in sorted(found, key=lambda one: (one.what, one.row))]
    said = [line(HEAD), line(aligned), *map(line, rows), *map(line, totals(found))]
    if any(result.program != program for result in found):
        said += ["", "\\* made with an earlier state of the program."]
    return "\n".join(said)


def main() -> int:
    """Write the table into the page, or print it when there is no page with the marks."""
    made = table(results(), record.program())
    page = PAGE.read_text() if PAGE.exists() else ""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        print(made)
        print(f"{PAGE} has no place for it: {BEGIN} and {END}.", file=sys.stderr)
        return 1
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
