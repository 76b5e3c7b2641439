"""Texts in and out of commands: what a person typed or piped, and mails shown on a terminal.

Flows in: options and stdin; rows of mails. Flows out: text. Nothing of a mail reaches the terminal as a control
character, and every line of it is indented, so that no mail can pretend to be output of ours.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from eventum.commands import edge, printing

INDENT = "    "


def typed(text: str | None) -> str:
    """The text of an option; "-" reads stdin, "" when there is none."""
    if text != "-":
        return text or ""
    if sys.stdin.isatty():
        edge.say("Write the text; Ctrl-D on a line of its own ends it.")
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def print_text(text: str) -> None:
    """Text from outside, each line indented."""
    for line in text.splitlines():
        click.echo(f"{INDENT}{printing.cell(line.expandtabs()) if line.strip() else ''}".rstrip())


def print_mail(row: Mapping[str, Any], why: Sequence[str]) -> None:
    """A mail of a list, an issue or a pool: its head, its text, and why it is where it is."""
    sender = row["from"]
    if isinstance(sender, Mapping):
        sender = {**sender}
    else:
        sender = {"name": row.get("from_name"), "address": sender, "verified": row.get("verified")}
    named = f"{sender['name']} <{sender['address']}>" if sender["name"] else sender["address"]
    head = {
        "from": f"{named or 'nobody known'} ({sender['verified']})",
        "to": row["to"],
        "cc": row["cc"],
        "subject": row["subject"],
        "date": row["date"],
        "message id": row["message_id"],
        "blocked": str(row["blocked"] or "").replace("_", " "),
        "duplicate of": row["duplicate_of"],
        "files": [f"{one['name']} ({one['type']}, {one['size']} bytes)" for one in row["attachments"]],
        "sent on to": [f"{one['recipient']} ({one['status']})" for one in row.get("delivery", ())],
    }
    always = ("from", "to", "subject", "date", "message id")
    printing.print_fields({name: value for name, value in head.items() if value or name in always})
    click.echo()
    print_text(row["text"])
    if why:
        click.echo()
        click.echo("Why:")
        print_lines(why)


def print_lines(lines: Iterable[str]) -> None:
    """Sentences, one a line, indented."""
    for line in lines:
        click.echo(f"{INDENT}{printing.cell(line)}")


def shown_or_failed(damaged: Sequence[str]) -> None:
    """Say what could not be shown, and end with the code of "some of it failed"."""
    for sentence in damaged:
        edge.say(f"Error: {sentence}")
    if damaged:
        raise click.exceptions.Exit(edge.FAILED)


def told(addresses: Sequence[str]) -> str:
    """Who is told, as the end of a line."""
    return f"{', '.join(addresses)} {'is' if len(addresses) == 1 else 'are'} told." if addresses else "Nobody is told."
