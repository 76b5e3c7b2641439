"""`flask process-queue`: sends what is due, after deciding what still waits in the spool."""

from typing import TYPE_CHECKING

import click
from flask import Blueprint

from eventum.commands import edge, printing

if TYPE_CHECKING:
    from eventum.runners.outgoing import Sent

bp = Blueprint("process_queue", __name__, cli_group=None)


@bp.cli.command("process-queue", cls=edge.Command)
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most so many mails.")
@edge.json_option
def process_queue(limit: int | None, as_json: bool) -> None:
    """Send the mail that is due. When the server is away the mail waits, and the exit code is 1.

    \b
    Example:
        flask process-queue --limit 500
    """
    from eventum.runners.incoming import Incoming
    from eventum.runners.outgoing import Outgoing
    from eventum.runners.runner import guarded, running
    from eventum.tracker.texts import AFTER_A_RUN, take_in

    tracker = edge.tracker()
    try:
        with running(tracker, "process-queue") as problems:
            incoming = Incoming(tracker)
            incoming.work()
            sent = Outgoing(tracker).work(limit or 0)
            if sent.error:
                problems.append(sent.error)
            # What came in by pipe while this run was sending need not wait for the next one.
            incoming.work()
            damaged = list(dict.fromkeys([*edge.damaged(tracker), *incoming.damaged]))
            problems += [*damaged, *incoming.problems]
        # Last of all, and what goes wrong with it is no fault of this run: nobody's mail waits for it to be searched.
        guarded(lambda: take_in(tracker, AFTER_A_RUN))
    finally:
        tracker.close()
    for problem in (*damaged, *incoming.problems):
        edge.say(f"Error: {problem}")
    _show(sent, as_json)
    # A recipient who was refused for good is no fault of the run; the issue and `status` tell of him.
    if problems or sent.failed:
        raise click.exceptions.Exit(edge.SET_UP if damaged else edge.FAILED)


def _show(sent: "Sent", as_json: bool) -> None:
    if sent.held_by_another:
        edge.say("Another run is sending; nothing to do for this one.")
    if sent.error:
        edge.say(f"{sent.error} {sent.remaining} mails wait.")
    if as_json:
        printing.print_json(
            {
                "sent": sent.sent,
                "deferred": sent.deferred,
                "failed": sent.failed,
                "remaining": sent.remaining,
                "error": sent.error or None,
            }
        )
    else:
        click.echo(f"{sent.sent} sent, {sent.deferred} deferred, {sent.failed} failed, {sent.remaining} remaining")
