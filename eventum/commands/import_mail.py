"""`flask import-mail`: mail from files on this machine, filed quietly; and its undoing, as a whole."""

import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
import msgspec
from flask import Blueprint

from eventum.commands import edge, printing

if TYPE_CHECKING:
    from collections.abc import Callable

    from eventum.runners.imports import Imported
    from eventum.tracker.tracker import Tracker

bp = Blueprint("import_mail", __name__, cli_group=None)

STEP = 1000  # Mails between two lines that say how far a long run is.
OFTEN = 0.2  # Seconds between two looks of a progress bar.
COLUMNS = ("id", "began", "account", "path", "by", "imported", "skipped", "state")


@bp.cli.command("import-mail", cls=edge.Command)
@click.argument("path", required=False)
@click.option("--account", "account_id", metavar="ID", help="The account whose mail it becomes.")
@click.option("--notify", is_flag=True, help="Tell and thank people as of mail that comes in now.  [default: silent]")
@click.option("--recursive", is_flag=True, help="With all folders in the folder, those of a Maildir too.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the first mails; change nothing.")
@click.option("--undo", "undo_id", metavar="IMPORT", help="Undo an import as a whole.")
@click.option("--list", "is_list", is_flag=True, help="List the imports there were.")
@click.option("--by", "who", metavar="EMAIL", help="Who does it.  [default: the first administrator]")
@edge.json_option
def import_mail(path: str | None, **given: Any) -> None:
    """Import the mails of PATH: an mbox, a Maildir, a folder of .eml files, or one .eml file.

    They are decided like mail of that account, in the order of their dates, and nobody is told. What is here already
    is passed over, so an import that was broken off goes on when it is begun again. Undone, the issues it opened are
    closed and empty, and its mails lie among the removed ones; what people changed since stays and is named.

    Exit code 1 when a mail could not be read or handled; everything else was imported.

    \b
    Examples:
        flask import-mail old-tracker.mbox --account 3f9a1c20
        flask import-mail --list
        flask import-mail --undo 5d0c
    """
    wanted = [
        name
        for name, is_there in (("PATH", path), ("--undo", given["undo_id"]), ("--list", given["is_list"]))
        if is_there
    ]
    if len(wanted) != 1:
        raise click.UsageError("Give one of PATH, --undo IMPORT and --list.")
    if path and not given["account_id"]:
        raise click.UsageError("Name the account whose mail it becomes: --account ID.")
    if not path and (given["account_id"] or given["notify"] or given["recursive"] or given["dry_run"]):
        raise click.UsageError(f"{wanted[0]} takes neither --account, --notify, --recursive nor --dry-run.")
    with closing(edge.tracker()) as tracker:
        if given["is_list"]:
            _list(tracker, given["as_json"])
        elif given["undo_id"]:
            _undo(tracker, given)
        elif given["dry_run"]:
            _rehearse(tracker, str(path), given)
        else:
            _import(tracker, str(path), given)


def _import(tracker: "Tracker", path: str, given: dict[str, Any]) -> None:
    from eventum.runners import imports
    from eventum.runners.importing import Plan
    from eventum.runners.runner import running
    from eventum.tracker.acting import acting

    account = tracker.settings.account(given["account_id"])
    plan = Plan(path=path, recursive=given["recursive"], notify=given["notify"], by=acting(tracker, given["who"]).id)
    progress = _Progress(given["as_json"])
    with running(tracker, "import-mail") as problems:
        found = imports.bring(tracker, account, plan, progress.said)
        problems += found.problems
    progress.end()
    _show(tracker, found, given["as_json"])


def _undo(tracker: "Tracker", given: dict[str, Any]) -> None:
    from eventum.runners import imports
    from eventum.runners.runner import running
    from eventum.tracker.acting import acting

    progress = _Progress(given["as_json"])
    user = acting(tracker, given["who"])
    with running(tracker, "import-mail") as problems:
        found = imports.undo(tracker, user, given["undo_id"], progress.said)
        problems += found.problems
    progress.end()
    _show(tracker, found, given["as_json"])


def _rehearse(tracker: "Tracker", path: str, given: dict[str, Any]) -> None:
    from eventum.runners import imports

    account = tracker.settings.account(given["account_id"])
    found = imports.rehearse(tracker, account, path, recursive=given["recursive"])
    if given["as_json"]:
        printing.print_json({"mails": found.mails, "unreadable": found.unreadable, "first": found.first})
        return
    for problem in found.unreadable:
        edge.say(f"Error: {problem}")
    rows = [msgspec.to_builtins(row) for row in found.first]
    printing.print_table(rows, ("outcome", "issue", "sender", "subject"))
    edge.say(f"{found.mails} mails, from {found.since} to {found.until}. Nothing was changed.")


def _list(tracker: "Tracker", as_json: bool) -> None:
    from eventum.tracker import imports

    rows = imports.rows(tracker)
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table(rows, COLUMNS)


def _show(tracker: "Tracker", found: "Imported", as_json: bool) -> None:
    from eventum.tracker import imports

    row = imports.row(tracker, found.one)
    for problem in found.problems:
        edge.say(f"Error: {problem}")
    for problem in (*found.one.unreadable, *found.one.left):
        edge.say(f"Left: {problem}")
    if as_json:
        printing.print_json(row)
    else:
        click.echo(imports.sentence(tracker, found.one))
    if found.problems or found.one.unreadable or found.one.outcomes.get("failed"):
        raise click.exceptions.Exit(edge.FAILED)


class _Progress:
    """Says how far it is: one line that changes on a terminal, else a line every thousand mails."""

    def __init__(self, as_json: bool) -> None:
        self._is_terminal, self._is_quiet = sys.stderr.isatty(), as_json
        self._last, self._line = 0.0, 0

    @property
    def said(self) -> "Callable[[int, int], None]":
        """To be told (mails done, of how many)."""
        return self._bar if self._is_terminal else self._lines

    def _bar(self, done: int, all_: int) -> None:
        now = time.monotonic()
        if now - self._last > OFTEN or done == all_:
            self._last = now
            filled = 30 * done // max(1, all_)
            click.echo(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done} of {all_} mails", err=True, nl=False)

    def _lines(self, done: int, all_: int) -> None:
        if not self._is_quiet and done // STEP > self._line:
            self._line = done // STEP
            click.echo(f"{done} of {all_} mails")

    def end(self) -> None:
        """The line is finished."""
        if self._is_terminal and self._last:
            click.echo("", err=True)
