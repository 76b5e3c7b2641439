"""`flask status`: the health of the installation, for people and for monitoring."""

from contextlib import closing

import click
from flask import Blueprint

from eventum.commands import cron, edge, printing

bp = Blueprint("status", __name__, cli_group=None)
WORDS = ("ok", "WARNING", "CRITICAL", "UNKNOWN")


@bp.cli.command("status", cls=edge.Command)
@edge.json_option
def status(as_json: bool) -> None:
    """Whether the runs come, mail flows and nothing needs a person; the exit code is the level.

    0 ok, 1 warning, 2 critical, 3 cannot tell.

    \b
    Example:
        flask status --json
    """
    from eventum.tracker import health

    with closing(edge.bare_tracker()) as tracker:
        found = health.health(tracker, cron.lines())
    if as_json:
        printing.print_json(found)
    else:
        for check in found.checks:
            click.echo(f"{WORDS[check.level]:9} {check.name:24} {printing.cell(check.value)}")
            if check.hint:
                click.echo(f"{'':9} {printing.cell(check.hint)}")
    if found.level:
        raise click.exceptions.Exit(found.level)
