"""`flask watch-emails`: stays, fetches mail as soon as it comes, and sends what is due."""

import signal
from types import FrameType

import click
from flask import Blueprint

from eventum.commands import edge

bp = Blueprint("watch_emails", __name__, cli_group=None)


@bp.cli.command("watch-emails", cls=edge.Command)
def watch_emails() -> None:
    """Fetch mail as soon as it comes and send what is due, until it is ended (Ctrl-C, SIGTERM).

    An IMAP server that can (IDLE) says when something comes; every account is asked now and then as well. It may run
    beside cron, and more than once: an account is watched by one of them, and another takes it over.

    \b
    Example:
        flask watch-emails
    """
    from eventum.runners.watching import Watch
    from eventum.tracker.tracker import Tracker

    # A set-up that cannot be used ends it here; what breaks later is tried again.
    config = edge.tracker().config
    watch = Watch(lambda: Tracker(config).open(), click.echo)

    def end(number: int, frame: FrameType | None) -> None:
        # Who asks twice does not want to wait for a server; a run that dies loses nothing.
        signal.signal(number, signal.SIG_DFL)
        watch.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    click.echo("Watching; Ctrl-C ends it.")
    watch.run()
    click.echo("Ended.")
