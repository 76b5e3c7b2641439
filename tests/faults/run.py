"""`make faults`: every row of the plan in full, or some of them; numbers for each, and exit code 1 for any fault.

    python tests/faults/run.py [--row NAME]... [--trials 60] [--short] [--seed 1] [--list]

ROW in the environment names rows too ("kill-maildir power-process-queue"); the name of a module is all of its rows. A
row that was stopped goes on where it was; `--trials` and `--short` do a part of each and keep nothing. A module of
HARNESSES has `ROWS`, the work of each row by its name, and says in its docstring what is disturbed.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.faults.given import Given  # noqa: E402
from tests.faults.record import Result  # noqa: E402

HARNESSES = (
    "kills",
    "fails",
    "straced",
    "power",
    "away",
    "watch",
    "imports",
    "poison",
    "far",
    "company",
    "clocks",
    "disks",
    "nfs",
    "damage",
    "copies",
)

Rows = dict[str, Callable[[Given], list[Result]]]


def rows_of(names: tuple[str, ...] = HARNESSES) -> dict[str, Rows]:
    """The rows of each module."""
    return {name: importlib.import_module(f"tests.faults.{name}").ROWS for name in names}


def chosen(wanted: list[str], harnesses: dict[str, Rows]) -> Rows:
    """The rows of these names, and all rows of the modules of these names; all there are for none."""
    every = {name: work for rows in harnesses.values() for name, work in rows.items()}
    if not wanted:
        return every
    found: Rows = {}
    for name in wanted:
        if name not in every and name not in harnesses:
            raise SystemExit(f"There is no row {name}. Rows: {', '.join(every)}; modules: {', '.join(harnesses)}.")
        found |= {name: every[name]} if name in every else harnesses[name]
    return found


def main() -> int:
    """Run the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", default=[])
    parser.add_argument("--trials", type=int)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    rows = chosen(asked.row or os.environ.get("ROW", "").split(), rows_of())
    if asked.list:
        print("\n".join(rows))
        return 0
    given = Given(asked.trials, asked.short, asked.seed)
    results = [result for work in rows.values() for result in work(given)]
    bad = [result.row for result in results if not result.is_well]
    tried = sum(result.trials for result in results)
    print(f"{tried} trials in {len(results)} rows; not well: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
