"""`flask download-emails`: brings the mail of all accounts, or of one, and decides where each belongs."""

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec
from flask import Blueprint

from eventum.commands import edge, printing

if TYPE_CHECKING:
    from eventum.runners.counting import Counts
    from eventum.runners.fetch import Fetch
    from eventum.runners.fetching import Progress
    from eventum.tracker.disposition import Disposition

bp = Blueprint("download_emails", __name__, cli_group=None)

STEP = 100  # Mails between two lines that say how far a long run is.


@bp.cli.command("download-emails", cls=edge.Command)
@click.argument("username", required=False)
@click.argument("hostname", required=False)
@click.argument("mailbox", required=False)
@click.option("--account", "account_id", metavar="ID", help="Only this account.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most so many mails an account.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the mail; change nothing anywhere.")
@edge.json_option
def download_emails(
    username: str | None, hostname: str | None, mailbox: str | None, account_id: str | None, **given: Any
) -> None:
    """Fetch the mail of all accounts, in parallel, and file it; or that of the account with USERNAME at HOSTNAME.

    Exit code 1 when an account could not be fetched or a mail could not be handled; everything else was done. An
    account that failed again and again is tried less often; --account tries it now.

    \b
    Examples:
        flask download-emails
        flask download-emails help@example.org mail.example.org INBOX --limit 50
    """
    from eventum.runners import turns
    from eventum.runners.fetching import fetchable

    if username and not hostname:
        raise click.UsageError("Name the server too: flask download-emails USERNAME HOSTNAME [MAILBOX].")
    if username and account_id:
        raise click.UsageError("Give USERNAME HOSTNAME or --account, not both.")
    tracker = edge.tracker()
    if account_id:
        accounts = [tracker.settings.account(account_id)]
    elif username:
        accounts = [tracker.settings.account_of(username, str(hostname), mailbox or "")]
    else:
        accounts = list(tracker.settings.usable_accounts())
    limit = given["limit"] or 0
    try:
        if given["dry_run"]:
            from eventum.runners.rehearsal import first_fetches, rehearse

            rows, errors = rehearse(tracker, fetchable(accounts), limit)
            first = first_fetches(tracker, [one for one in fetchable(accounts) if one.id not in errors])
            _show_rehearsal(rows, errors, first, given["as_json"])
            if errors:
                raise click.exceptions.Exit(edge.FAILED)
            return
        if (account_id or username) and not fetchable(accounts):
            why = "it is paused, waits for Start, or its mail is delivered to us"
            edge.say(f"Account {accounts[0].id} is not fetched: {why}.")
        progress = _progress(given["as_json"])
        turn = turns.fetch(tracker, accounts, limit, progress, insist=bool(account_id))
    finally:
        tracker.close()
    for problem in (*turn.damaged, *turn.waiting):
        edge.say(f"Error: {problem}")
    _show(turn.fetches, turn.held_by_another, given["as_json"])
    if turn.problems:
        unusable = turn.damaged or any(fetch.damaged for fetch in turn.fetches)
        raise click.exceptions.Exit(edge.SET_UP if unusable else edge.FAILED)


def _progress(as_json: bool) -> "Progress":
    """Says how far the run is: one line that changes on a terminal, else a line every hundred mails."""
    if sys.stderr.isatty():
        return lambda count: click.echo(f"\r{count} mails", err=True, nl=False)
    if as_json:
        return lambda count: None
    return lambda count: click.echo(f"{count} mails so far") if count % STEP == 0 else None


def _show(fetches: "list[Fetch]", held: bool, as_json: bool) -> None:
    for fetch in fetches:
        if fetch.skipped:
            edge.say(f"Account {fetch.id}: another run holds it; skipped.")
        elif fetch.next_try:
            edge.say(
                f"Account {fetch.id}: not tried before {fetch.next_try:%H:%M} UTC because it failed ({fetch.error}); "
                f"`flask download-emails --account {fetch.id}` tries now."
            )
        elif fetch.error:
            edge.say(f"Account {fetch.id}: {fetch.error}")
    if held:
        edge.say("Another run is deciding mail; what this one fetched is decided there.")
    if as_json:
        printing.print_json({"accounts": [fetch.row() for fetch in fetches]})
        return
    for fetch in fetches:
        counts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in fetch.outcomes.items())
        if not fetch.skipped and (counts or not fetch.error):
            click.echo(f"{fetch.id}: {counts or 'nothing new'}")


def _show_rehearsal(
    rows: "list[Disposition]", errors: dict[str, str], first: "dict[str, Counts]", as_json: bool
) -> None:
    for account, error in errors.items():
        edge.say(f"Account {account}: {error}")
    if as_json:
        counts = [{"account": account, **msgspec.structs.asdict(found)} for account, found in first.items()]
        printing.print_json({"mails": rows, "errors": errors, "first_fetch": counts})
        return
    if first:
        from eventum.runners.counting import sentences

        for account, found in first.items():
            click.echo(f"First fetch of {account}: {' '.join(sentences(found))}")
    printing.print_table(
        [msgspec.to_builtins(row) for row in rows], ("account", "outcome", "issue", "sender", "subject")
    )
    edge.say("Nothing was changed.")
