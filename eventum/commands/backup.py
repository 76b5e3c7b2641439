"""`flask backup`: a copy of the store and its key, made while everything runs."""

from contextlib import closing
from pathlib import Path

import click
from flask import Blueprint

from eventum.commands import edge, printing

bp = Blueprint("backup", __name__, cli_group=None)


@bp.cli.command("backup", cls=edge.Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@edge.json_option
def backup(folder: Path, as_json: bool) -> None:
    """Copy the store and its key to DIR while everything runs.

    DIR is new, empty, or an earlier backup, which the new one then replaces all at once. It holds the key of the store:
    keep it where nobody else can read it.

    \b
    Example:
        flask backup /var/backups/eventum
    """
    from eventum.tracker.backup import copy

    with closing(edge.tracker()) as tracker:
        done = copy(tracker, folder, lambda total: printing.progress("Copying the issues", total))
    if as_json:
        printing.print_json(done)
    else:
        click.echo(
            f"Copied to {done.path}: {done.issues} issues, {done.mails} mails and entries of the queue, "
            f"{done.files} files with {done.bytes} bytes, and the key"
        )
