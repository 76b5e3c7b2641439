"""`flask queue`: the mail on its way out."""

from contextlib import closing
from typing import Any

import click
from flask import Blueprint

from eventum.commands import edge, printing, texts

bp = Blueprint("queue", __name__, cli_group=None)
STATUSES = ("held", "pending", "deferred", "sent", "failed")
COLUMNS = ("id", "status", "type", "issue", "recipient", "subject", "attempts", "next_attempt", "last_reply")
SHOWN_ID = 12  # Characters of an id in the table: a beginning that names the entry.

ID = click.argument("ident", metavar="ID")


@bp.cli.group("queue", cls=edge.Group)
def queue() -> None:
    """The mail on its way out.

    \b
    Example:
        flask queue list --status failed
    """


@queue.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only with this status.")
@edge.json_option
def list_(status: str | None, as_json: bool) -> None:
    """The entries of the queue, the oldest first; what was sent stays until it is truncated.

    \b
    Example:
        flask queue list --status failed
    """
    from eventum.tracker import queues

    with closing(edge.tracker()) as tracker:
        rows = queues.queued(tracker, status or "")
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table([{**row, "id": str(row["id"])[:SHOWN_ID]} for row in rows], COLUMNS)


@queue.command("show")
@ID
@edge.json_option
def show(ident: str, as_json: bool) -> None:
    """One entry with all that the far end said, and its mail.

    \b
    Example:
        flask queue show 55f72c0b
    """
    from eventum.tracker import fuses, queues

    with closing(edge.tracker()) as tracker:
        row: dict[str, Any] = queues.queue_entry(tracker, ident)
    if as_json:
        printing.print_json(row)
        return
    if row["hold"]:
        row = {**row, "hold": f"by the loop fuse: {fuses.cause(row['hold'])}"}
    details = ("log", "headers", "text", "attachments")
    printing.print_fields({name: value for name, value in row.items() if name not in details})
    click.echo("\nLog")
    texts.print_lines(f"{printing.cell(one['when'])}  {one['status']}: {one['reply']}" for one in row["log"])
    click.echo("\nMail")
    texts.print_text(row["headers"])
    click.echo()
    texts.print_text(row["text"])
    texts.print_lines(f"[{one['name']}, {one['type']}, {one['size']} bytes]" for one in row["attachments"])


@queue.command("retry")
@click.argument("ident", metavar="ID", required=False)
@click.option("--all-failed", is_flag=True, help="All entries that failed.")
@click.option("--all-held", is_flag=True, help="All entries that the loop fuse holds.")
@edge.json_option
def retry(ident: str | None, all_failed: bool, all_held: bool, as_json: bool) -> None:
    """Let an entry that failed, is held or waits for its next attempt be sent by the next run.

    \b
    Examples:
        flask queue retry 55f72c0b
        flask queue retry --all-failed
    """
    from eventum.tracker import queues

    if (ident is not None) + all_failed + all_held != 1:
        raise click.UsageError("Give an ID, or --all-failed, or --all-held.")
    every = queues.retry_all_failed if all_failed else queues.send_all_held
    with closing(edge.tracker()) as tracker:
        keys = [queues.retry(tracker, ident)] if ident else every(tracker)
    if as_json:
        printing.print_json({"retried": keys})
    else:
        click.echo(f"{len(keys)} {'waits' if len(keys) == 1 else 'wait'} for the next `flask process-queue`.")


@queue.command("delete")
@ID
@edge.json_option
def delete(ident: str, as_json: bool) -> None:
    """Delete an entry: it is not sent. Of one that was sent, delete what is kept.

    \b
    Example:
        flask queue delete 55f72c0b
    """
    from eventum.tracker import queues

    with closing(edge.tracker()) as tracker:
        key = queues.delete(tracker, ident)
    printing.print_json({"deleted": key}) if as_json else click.echo(f"The entry {key[:SHOWN_ID]} is deleted.")
