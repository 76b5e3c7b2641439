"""`flask status`: the health of the installation, for people and for monitoring."""

from contextlib import closing

import click
from flask import Blueprint

from eventum.commands import edge, printing

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
    from eventum.tracker import health, lines

    with closing(edge.bare_tracker()) as tracker:
        found = health.health(tracker, lines.lines(tracker.config))
    if as_json:
        checks = [
            {"name": one.name, "level": one.level, "value": one.value, "hint": one.advice} for one in found.checks
        ]
        printing.print_json({"level": found.level, "checks": checks})
    else:
        for check in found.checks:
            click.echo(f"{WORDS[check.level]:9} {check.name:24} {printing.cell(check.value)}")
            if check.advice:
                click.echo(f"{'':9} {printing.cell(check.advice)}")
    if found.level:
        raise click.exceptions.Exit(found.level)
