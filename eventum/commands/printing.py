"""What commands print: columns that line up in any script, fields of one thing, or one JSON document.

Flows in: rows of plain values. Flows out: text on stdout. Nothing is asked or decided here.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
import msgspec

SHORT = 1000  # Steps.
MAX_CELL = 60  # Columns; whoever needs all of it takes --json or `show`.


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Tells on stderr how far long work is: a bar on a terminal, else a line for each tenth; the work says how many.

    Work of fewer than `SHORT` steps is done before anybody could read of it.
    """
    if total < SHORT:
        yield lambda count: None
    elif sys.stderr.isatty():
        with click.progressbar(length=total, label=what, file=sys.stderr) as bar:
            yield lambda count: bar.update(count - bar.pos)
    else:
        step = max(1, total // 10)
        yield lambda count: None if count % step else click.echo(f"{what}: {count} of {total}", err=True)


def print_json(value: object) -> None:
    """One JSON document; times as ISO 8601 with offset."""
    plain = msgspec.to_builtins(value, builtin_types=(datetime,))
    click.echo(_safe(json.dumps(plain, ensure_ascii=False, indent=2, default=datetime.isoformat)))


def print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """The named columns of the rows, under their names; a line saying so when there is no row."""
    if not rows:
        click.echo("None.")
        return
    cells = [[_cut(cell(row.get(column))) for column in columns] for row in rows]
    cells.insert(0, [column.replace("_", " ").upper() for column in columns])
    widths = [max(width(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        click.echo("  ".join(_padded(cell, size) for cell, size in zip(line, widths, strict=True)).rstrip())


def print_fields(row: Mapping[str, object]) -> None:
    """One thing, a line a field."""
    size = max((width(name) for name in row), default=0)
    for name, value in row.items():
        click.echo(f"{_padded(name.replace('_', ' '), size)}  {cell(value)}".rstrip())


def print_value(value: object) -> None:
    """A value alone, for scripts: a list on one line with commas, nothing as an empty line."""
    click.echo("" if value in ("", None, (), []) else cell(value))


def width(text: str) -> int:
    """How many columns of a terminal the text takes (Unicode annex 11: wide and full-width characters take two)."""
    if text.isascii():
        return len(text)
    return sum(_width_of(character) for character in text)


def _width_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, size: int) -> str:
    return text + " " * (size - width(text))


def _cut(text: str) -> str:
    if width(text) <= MAX_CELL:
        return text
    kept, size = [], 0
    for character in text:
        size += _width_of(character)
        if size >= MAX_CELL:
            break
        kept.append(character)
    return "".join(kept) + "…"


def cell(value: object) -> str:
    """A value as one line of text that is safe on a terminal; "-" for none."""
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case Mapping():
            return ", ".join(f"{name}: {cell(part)}" for name, part in value.items()) or "-"
        case list() | tuple():
            return ", ".join(cell(part) for part in value) or "-"
    # A name or subject from outside must not reach the terminal as control characters.
    return _safe("".join(char if char.isprintable() else " " for char in str(value)))


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
