"""Rows as a CSV file that spreadsheets open as they are: RFC 4180, UTF-8 with a mark in front, no cell a formula.

Flows in: rows of plain values. Flows out: bytes. What stands in the cells is not decided here.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

# What a spreadsheet takes for the beginning of a formula, or passes over before one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"  # Without it a spreadsheet reads UTF-8 as the letters of its own country.


def csv_file(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file, its first row the heads of the columns."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_cell(title) for title in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (MARK + out.getvalue()).encode("utf-8", "replace")


def _cell(value: object) -> str | int:
    match value:
        case None:
            return ""
        case int():  # A number we counted ourselves.
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
    text = str(value)
    # The apostrophe is shown by no spreadsheet, and makes the cell a text.
    return f"'{text}" if text.startswith(_FORMULA) else text
