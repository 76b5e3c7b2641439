"""`flask demo`: everything at once in a folder of its own, for somebody who wants to see it before reading anything."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from flask import Blueprint

from eventum.commands import demo_report, edge

if TYPE_CHECKING:
    from eventum.demo.stage import Stage

SMTP = 25  # What is added to --port.

bp = Blueprint("demo", __name__, cli_group=None)


@bp.cli.command("demo", cls=edge.Command)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(1024, 65535 - SMTP),
    default=5000,
    show_default=True,
    help="Where the demo is found: mail is taken at N + 25.",
)
@click.option("--fresh", is_flag=True, help="Forget what is in ./demo-data and begin anew.")
@click.option("--check", is_flag=True, help="End after the work: 0 when all is as it should be, 1 with what is not.")
def demo(port: int, fresh: bool, check: bool) -> None:
    """A team, its customers and ten mails: what becomes of each, why, and what is sent; then mail of your own.

    All of it lies in ./demo-data and nothing leaves this machine. Started again it goes on with what is there.

    \b
    Example:
        flask demo --fresh
    """
    from eventum.demo.stage import staged

    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with staged(Path.cwd() / "demo-data", port=0 if check else port + SMTP, fresh=fresh) as stage:
            alone = not list(stage.tracker.issues.numbers())
            problems = stage.play.perform()
            demo_report.report(stage, _flask())
            if check:
                _check([*problems, *stage.play.wrong(alone=alone)])
                return
            for problem in problems:
                edge.say(f"Error: {problem}")
            demo_report.invite(stage, _flask())
            _listen(stage)
    except KeyboardInterrupt:
        click.echo("\nThe demo has ended. Start it again to go on, or delete demo-data.")
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(stage: "Stage") -> NoReturn:
    """Decide and answer what comes in, until somebody ends it."""
    while True:
        address, raw = stage.arrivals.get()
        before = {one.id for one in stage.play.sendings()}
        problems = [fetch.error for fetch in stage.play.download() if fetch.error]
        problems += [error for error in (stage.play.send().error,) if error]
        sendings = [one for one in stage.play.sendings() if one.id not in before]
        demo_report.arrived(stage, address, raw, sendings)
        for problem in problems:
            edge.say(f"Error: {problem}")


def _check(wrong: list[str]) -> None:
    for sentence in wrong:
        edge.say(f"Wrong: {sentence}")
    if wrong:
        raise click.exceptions.Exit(edge.FAILED)
    click.echo("All is as it should be.")


def _terminate(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _flask() -> str:
    """How this program was called, for lines to be copied."""
    called = sys.argv[0]
    if os.path.basename(called) != "flask" or os.sep not in called:
        return "flask"
    return min(called, os.path.relpath(called), key=len)
