"""What `flask demo` prints: what came in and what became of it, the issues, what was sent, what to try.

Flows in: a demo that was played. Flows out: text on stdout, in colour on a terminal. Nothing is decided here.
"""

import shutil
import textwrap
from typing import TYPE_CHECKING

import click

from eventum.commands import printing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventum.demo.play import Fate, Sending
    from eventum.demo.stage import Stage

WIDEST = 100  # Columns: longer lines are hard to read.
SHOWN_LINES = 14  # Of the text of a mail that was sent.
ME = "you@example.org"

OUTCOMES = {
    "new_issue": ("opened issue {issue}", "green"),
    "filed": ("went into issue {issue}", "green"),
    "blocked": ("was kept in issue {issue} as a blocked note, which only staff sees", "red"),
    "unassociated": ("waits in the list of mail that belongs to no issue", "yellow"),
    "duplicate": ("says the same as a mail we have; it was put aside", "yellow"),
    "ignored": ("was put aside", "yellow"),
}


def report(stage: "Stage", flask: str) -> None:
    """All of it, but for how to go on."""
    _heading("Eventum: a team's mailbox becomes an issue tracker")
    _text(
        "Lighthouse Cameras repairs and sells cameras. Mail to help@lighthouse.example opens issues by itself; "
        "mail to orders@lighthouse.example waits until somebody decides. These people work there:"
    )
    _people()
    _heading("What came in, and what became of it")
    for number, (letter, fate) in enumerate(stage.play.fates(), 1):
        if fate is not None:
            _mail(f"{number:2}.", fate, letter.about)
    _heading("The issues now")
    _issues(stage)
    _heading("What was sent")
    _sent(stage)


def invite(stage: "Stage", flask: str) -> None:
    """How to look around and how to write to it."""
    root = stage.place.root.name
    _heading("Open it")
    click.echo()
    click.secho(f"    {stage.url}", fg="cyan", bold=True)
    click.echo()
    _logins(stage)
    _heading("Look around")
    _text("In a second terminal, in this folder; the first line says which data the others work on:")
    click.echo()
    for line in (
        f". {root}/env",
        f"{flask} issues list",
        f"{flask} issues show 1",
        f"{flask} emails list",
        f"{flask} queue list",
        f'{flask} issues reply 2 --text "In spring." --as dana@lighthouse.example',
        f"{flask} process-queue",
        f"less {root}/outside/ana@costa.example/new/*",
    ):
        click.secho(f"    {line}", fg="cyan")
    _heading("Write to it")
    _text(
        f"It takes mail for help@lighthouse.example and orders@lighthouse.example at 127.0.0.1 port {stage.port}, "
        "decides it at once, and shows here what became of it. Either line sends one:"
    )
    message = f"From: You <{ME}>\\nTo: help@lighthouse.example\\nSubject: Does it work?\\n\\nA first try."
    python = (
        f'python3 -c \'import smtplib; smtplib.SMTP("127.0.0.1", {stage.port}).sendmail('
        f'"{ME}", "help@lighthouse.example", "{message}")\''
    )
    curl = (
        f"printf '{message}\\n' | curl -sS --url smtp://127.0.0.1:{stage.port} "
        f"--mail-from {ME} --mail-rcpt help@lighthouse.example -T -"
    )
    for line in (python, curl):
        click.echo()
        click.secho(f"    {line}", fg="cyan")
    click.echo("\nCtrl-C ends it.")


def arrived(stage: "Stage", address: str, raw: bytes) -> None:
    """One mail that came by SMTP."""
    fate = stage.play.fate(address, raw)
    if fate is None:
        click.secho(f"\nA mail to {address} came in and could not be decided yet; it is tried again.", fg="red")
    else:
        _mail(" *.", fate, f"to {address}")


def sent(sendings: "Sequence[Sending]") -> None:
    """What was sent since, because of a mail or of what somebody did on a screen."""
    for sending in sendings:
        click.echo(f"    {sending.status} to {sending.recipient}: {printing.cell(sending.subject)}")


def _logins(stage: "Stage") -> None:
    from eventum.demo.scenery import with_our_password

    people = with_our_password(stage.tracker, stage.place)
    size = max((printing.width(person.email) for person in people), default=0)
    for person in people:
        click.echo(f"    {person.email:{size}}  password {stage.place.password()}  {person.about}")


def _people() -> None:
    from eventum.demo.scenery import PEOPLE

    size = max(printing.width(person.name) for person in PEOPLE)
    click.echo()
    for person in PEOPLE:
        click.echo(f"    {person.name:{size}}  {person.about}")


def _mail(number: str, fate: "Fate", about: str) -> None:
    said, colour = OUTCOMES.get(fate.outcome, (fate.outcome, "yellow"))
    click.echo(f"\n{number} {printing.cell(fate.sender)}  ", nl=False)
    click.secho(f"({about})", dim=True)
    click.secho(f"    {printing.cell(fate.mail.subject)}", bold=True)
    click.secho(f"    -> {said.format(issue=fate.issue)}", fg=colour)
    if fate.reasons:
        _text(fate.reasons, "       ")


def _issues(stage: "Stage") -> None:
    rows = stage.play.issues()
    click.echo()
    printing.print_table(rows, tuple(rows[0]) if rows else ())


def _sent(stage: "Stage") -> None:
    sendings = stage.play.sendings()
    _text(f"Each lies in {stage.place.root.name}/outside/<address>/new, as its recipient's mail program would get it.")
    click.echo()
    rows = [
        {"to": one.recipient, "what": one.notice.replace("_", " "), "subject": one.subject, "state": one.status}
        for one in sendings
    ]
    printing.print_table(rows, ("to", "what", "subject", "state"))
    _text("\nOne of each kind:")
    for kind in dict.fromkeys(one.notice for one in sendings):
        _letter(next(one for one in sendings if one.notice == kind))


def _letter(sending: "Sending") -> None:
    sender, text = sending.read()
    click.echo()
    for name, value in (("From", sender), ("To", sending.recipient), ("Subject", sending.subject)):
        click.echo("    | ", nl=False)
        click.secho(f"{name}: {printing.cell(value)}", bold=True)
    click.echo("    |")
    lines = text.strip().splitlines()
    for line in lines[:SHOWN_LINES]:
        click.echo(f"    | {printing.cell(line) if line.strip() else ''}".rstrip())
    if len(lines) > SHOWN_LINES:
        click.echo("    | [...]")


def _heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)
    click.secho("=" * printing.width(text), bold=True)


def _text(text: str, indent: str = "") -> None:
    width = min(shutil.get_terminal_size().columns, WIDEST)
    for paragraph in text.split("\n"):
        click.echo(textwrap.fill(paragraph, width, initial_indent=indent, subsequent_indent=indent))
