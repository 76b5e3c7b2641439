"""`flask demo`: everything at once in a folder of its own, for somebody who wants to see it before reading anything."""

import os
import signal
import sys
import time
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, NoReturn

import click
from flask import Blueprint

from eventum.commands import demo_report, edge

if TYPE_CHECKING:
    from eventum.demo.stage import Stage

SMTP = 25  # What is added to --port.
TICK = 1.0  # Seconds between two looks for what the screens want sent.
EVERY = 60.0  # Seconds between two fetches when nothing came, as cron would.

bp = Blueprint("demo", __name__, cli_group=None)


@bp.cli.command("demo", cls=edge.Command)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(1024, 65535 - SMTP),
    default=5000,
    show_default=True,
    help="Where the screens are; mail is taken at N + 25.",
)
@click.option("--fresh", is_flag=True, help="Forget what is in ./demo-data and begin anew.")
@click.option("--check", is_flag=True, help="End after the work: 0 when all is as it should be, 1 with what is not.")
def demo(port: int, fresh: bool, check: bool) -> None:
    """A team, its customers and ten mails: what becomes of each, why, and what is sent; then the screens to look at it
    and to go on with, and mail of your own.

    All of it lies in ./demo-data and nothing leaves this machine. Started again it goes on with what is there.

    \b
    Example:
        flask demo --fresh
    """
    from eventum.commands.demo_site import served
    from eventum.demo.place import Place
    from eventum.demo.stage import staged

    before = signal.signal(signal.SIGTERM, _terminate)
    root = Path.cwd() / "demo-data"
    try:
        with (
            served(Place(root), 0 if check else port) as site,
            staged(root, port=0 if check else port + SMTP, fresh=fresh, url=f"http://127.0.0.1:{port}") as stage,
        ):
            alone = not list(stage.tracker.issues.numbers())
            problems = stage.play.perform()
            demo_report.report(stage, _flask())
            if check:
                _check([*problems, *stage.play.wrong(alone=alone), *_visit(stage, site)])
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
    """Decide and answer what comes in, and send what the screens make, until somebody ends it."""
    fetched = time.monotonic()
    while True:
        arrival = _arrival(stage)
        is_time = arrival is not None or time.monotonic() - fetched > EVERY
        if not is_time and not stage.tracker.outbox.due():
            continue
        before = {one.id for one in stage.play.sendings() if one.status == "sent"}
        problems: list[str] = []
        if is_time:
            problems += [fetch.error for fetch in stage.play.download() if fetch.error]
            fetched = time.monotonic()
        problems += [error for error in (stage.play.send().error,) if error]
        sendings = [one for one in stage.play.sendings() if one.status != "pending" and one.id not in before]
        if arrival is not None:
            demo_report.arrived(stage, *arrival)
        demo_report.sent(sendings)
        for problem in problems:
            edge.say(f"Error: {problem}")


def _arrival(stage: "Stage") -> tuple[str, bytes] | None:
    try:
        return stage.arrivals.get(timeout=TICK)
    except Empty:
        return None


def _visit(stage: "Stage", site: str) -> list[str]:
    from eventum.demo.scenery import with_our_password
    from eventum.demo.visit import visited

    return [
        problem
        for person in with_our_password(stage.tracker, stage.place)[:1]
        for problem in visited(site, person.email, stage.place.password(), person.name)
    ]


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
