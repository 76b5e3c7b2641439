"""`flask verify` and `flask reindex`: whether the store is whole, and its derived index made anew."""

from contextlib import closing

import click
from flask import Blueprint

from eventum.commands import edge, printing

bp = Blueprint("verify", __name__, cli_group=None)


@bp.cli.command("verify", cls=edge.Command)
@click.option("--repair", is_flag=True, help="Remove leftovers of dead runs and make the index anew when it is wrong.")
@edge.json_option
def verify(repair: bool, as_json: bool) -> None:
    """Look over the whole store and name each file that is wrong, with what to do about it.

    Exit code 1 when something is wrong. Nothing is changed without --repair, and no mail and no record with it.

    \b
    Example:
        flask verify --repair
    """
    from eventum.tracker import verifying

    with closing(edge.tracker()) as tracker:
        done = verifying.verify(tracker, repair=repair)
    for finding in done.mended:
        edge.say(f"Mended: {finding.path}: {finding.problem}.")
    if as_json:
        printing.print_json({"checked": done.checked, "findings": done.findings, "mended": done.mended})
    else:
        for finding in done.findings:
            click.echo(f"{finding.path}: {finding.problem}; {finding.repair}.")
        click.echo(f"{done.checked} files looked at, {len(done.findings) or 'nothing'} wrong")
    if done.findings:
        raise click.exceptions.Exit(edge.FAILED)


@bp.cli.command("reindex", cls=edge.Command)
@edge.json_option
def reindex(as_json: bool) -> None:
    """Make the index of this host and user anew; it is derived, so nothing can be lost.

    It is made beside the old one, which goes on being used until it is done.

    \b
    Example:
        flask reindex
    """
    from eventum.tracker import verifying

    with closing(edge.tracker()) as tracker:
        total = sum(1 for _ in tracker.issues.numbers())
        with printing.progress("Reading the issues", total) as told:
            count = verifying.reindex(tracker, told)
        if as_json:
            printing.print_json({"issues": count, "index": str(tracker.index.path)})
        else:
            click.echo(f"The index is made anew: {count} issues")
