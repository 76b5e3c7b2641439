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
@click.option("--now", is_flag=True, help="Ask the server even if it failed and is not to be asked yet.")
@edge.json_option
def process_queue(limit: int | None, now: bool, as_json: bool) -> None:
    """Send the mail that is due. When the server is away the mail waits, and the exit code is 1.

    \b
    Example:
        flask process-queue --limit 500
    """
    from eventum.runners import turns

    tracker = edge.tracker()
    try:
        turn = turns.send(tracker, limit or 0, insist=now)
    finally:
        tracker.close()
    for problem in (*turn.damaged, *turn.waiting):
        edge.say(f"Error: {problem}")
    assert turn.sent is not None
    _show(turn.sent, as_json)
    # A recipient who was refused for good is no fault of the run; the issue and `status` tell of him.
    if turn.problems or turn.sent.failed:
        raise click.exceptions.Exit(edge.SET_UP if turn.damaged else edge.FAILED)


def _show(sent: "Sent", as_json: bool) -> None:
    if sent.held_by_another:
        edge.say("Another run is sending; nothing to do for this one.")
    if sent.error:
        edge.say(f"{sent.error} {sent.remaining} mails wait.")
    if sent.next_try:
        edge.say(f"The server is not asked before {sent.next_try:%H:%M} UTC; `flask process-queue --now` asks it now.")
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
