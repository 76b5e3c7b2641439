"""`flask accounts`: the mailboxes and addresses that mail comes from."""

from typing import Any

import click
import msgspec
from flask import Blueprint

from eventum.commands import edge, passwords, printing
from eventum.commands.edge import Body
from eventum.errors import Refused

bp = Blueprint("accounts", __name__, cli_group=None)

# Types that log in to a server and so need a password.
SERVERS = ("imap", "pop3")


@bp.cli.group("accounts", cls=edge.Group)
def accounts() -> None:
    """The mailboxes and addresses that mail comes from.

    \b
    Example:
        flask accounts list
    """


def _options(body: Body) -> Body:
    """What `add` and `set` have in common."""
    for option in reversed(
        (
            click.option("--host", metavar="H", help="The server."),
            click.option("--port", metavar="N", type=click.IntRange(1, 65535), help="Its port.  [default: by type]"),
            click.option("--username", metavar="U", help="Who logs in."),
            passwords.stdin_option(),
            click.option("--folder", metavar="F", help="The mailbox, or the path of a Maildir.  [default: INBOX]"),
            click.option("--address", metavar="A", multiple=True, help="An address of this account, never written to."),
            click.option(
                "--leave-copy/--no-leave-copy", default=None, help="Leave mail on the server.  [default: leave]"
            ),
            click.option("--start", type=click.Choice(["all", "unread", "now"]), help="What the first fetch takes."),
            click.option(
                "--quiet-before", metavar="7d|DATE|never", help="Older mail is filed without telling anybody."
            ),
            click.option("--routing/--no-routing", default=None, help="Also takes issue-N@ mail; leaves no copy then."),
            click.option("--auto-create/--no-auto-create", default=None, help="Mail of no issue opens one."),
            click.option("--category", metavar="C", help="The category of issues opened so."),
            click.option("--priority", metavar="P", help="The priority of issues opened so."),
            click.option("--assign", metavar="EMAIL", multiple=True, help="Who is assigned issues opened so."),
        )
    ):
        body = option(body)
    return body


@accounts.command("add")
@click.option("--project", metavar="P", required=True, help="Title or id of the project its mail belongs to.")
@click.option("--type", "type_", metavar="TYPE", required=True, help="imap/ssl, pop3, maildir, delivered, ...")
@_options
@edge.json_option
def add(project: str, type_: str, as_json: bool, **given: Any) -> None:
    """Add an e-mail account. docs/commands.md lists the types.

    \b
    Example:
        flask accounts add --project "Help desk" --type imap/ssl --host mail.example.org --username help \\
            --password-stdin --auto-create --assign dev@example.org < password.txt
    """
    password = None
    if type_.startswith(SERVERS):
        password = passwords.piped_or_typed(given["password_stdin"], f"Password of {given['username']}")
    _save(None, {**given, "project": project, "type_": type_, "password": password}, as_json)


@accounts.command("set")
@click.argument("account_id", metavar="ID")
@click.option("--project", metavar="P", help="Title or id of the project its mail belongs to.")
@click.option("--type", "type_", metavar="TYPE", help="imap/ssl, pop3, maildir, delivered, ...")
@_options
@click.option("--paused/--no-paused", default=None, help="Whether it is left alone until further notice.")
@edge.json_option
def change(account_id: str, as_json: bool, **given: Any) -> None:
    """Change an account; what is not named stays, a list that is named replaces the one before.

    \b
    Example:
        flask accounts set 3f9a1c20 --no-leave-copy --auto-create --priority High
    """
    password = passwords.asked(True, "") if given["password_stdin"] else None
    _save(account_id, {**given, "password": password}, as_json)


@accounts.command("list")
@edge.json_option
def list_(as_json: bool) -> None:
    """All accounts, never with a password.

    \b
    Example:
        flask accounts list --json
    """
    from eventum.tracker import mailboxes

    tracker = edge.tracker()
    rows = [mailboxes.account_row(tracker, account) for account in tracker.settings.accounts()]
    if as_json:
        printing.print_json(rows)
    else:
        printing.print_table(rows, ("id", "project", "type", "username", "host", "folder", "addresses", "paused"))


@accounts.command("show")
@click.argument("account_id", metavar="ID")
@edge.json_option
def show(account_id: str, as_json: bool) -> None:
    """One account, never with its password.

    \b
    Example:
        flask accounts show 3f9a1c20
    """
    from eventum.tracker import mailboxes

    tracker = edge.tracker()
    row = mailboxes.account_row(tracker, tracker.settings.account(account_id))
    printing.print_json(row) if as_json else printing.print_fields(row)


@accounts.command("test")
@click.argument("account_id", metavar="ID")
@edge.json_option
def test(account_id: str, as_json: bool) -> None:
    """Try an account step by step, from the name of its server to its mails; nothing is fetched or changed.

    Before the first fetch it also counts the mails by age, and says what would become of them. Exit code 1 when a step
    fails.

    \b
    Example:
        flask accounts test 3f9a1c20
    """
    from eventum.runners import account_server, counting, probing

    tracker = edge.tracker()
    account = tracker.settings.account(account_id)
    if account.type == "delivered":
        raise Refused(f"Mail is delivered to account {account.id}; there is no server to test.")
    steps = probing.probe(account_server.server_of(tracker, account))
    rows: list[dict[str, Any]] = [msgspec.structs.asdict(step) for step in steps]
    said: list[str] = []
    if all(step.ok is not False for step in steps) and not tracker.state.fetch(account.id).started:
        found = counting.counts(tracker, account)
        said = counting.sentences(found)
        rows[-1]["counts"] = msgspec.structs.asdict(found)
    if as_json:
        printing.print_json(rows)
    else:
        for step in steps:
            mark = {True: "ok", False: "FAILED", None: "-"}[step.ok]
            click.echo(f"{mark:6}  {step.name:20} {printing.cell(step.detail) if step.detail else ''}".rstrip())
        for sentence in said:
            click.echo(sentence)
    if any(step.ok is False for step in steps):
        raise click.exceptions.Exit(edge.FAILED)


@accounts.command("reconcile")
@click.argument("account_id", metavar="ID")
@edge.json_option
def reconcile(account_id: str, as_json: bool) -> None:
    """Compare an account with its server: how many mails are there and here, and every difference with its reason.

    Nothing is fetched or changed. Exit code 1 when something on the server is neither here nor meant to be left there.

    \b
    Example:
        flask accounts reconcile 3f9a1c20
    """
    from eventum.runners import comparing

    tracker = edge.tracker()
    found = comparing.compare(tracker, tracker.settings.account(account_id))
    if as_json:
        printing.print_json({**msgspec.to_builtins(found), "even": found.is_even})
    else:
        click.echo(f"{found.on_server} on the server, {found.here} here")
        for group in found.groups:
            click.echo(f"{group.count:7}  {group.words}")
            if group.kind not in comparing.FINE:
                more = " ..." if group.count > len(group.ids) else ""
                click.echo(f"{'':9}{printing.cell(', '.join(group.ids))}{more}")
            for said in group.said:
                click.echo(f"{'':9}{printing.cell(said)}")
    if not found.is_even:
        raise click.exceptions.Exit(edge.FAILED)


@accounts.command("delete")
@click.argument("account_id", metavar="ID")
def delete(account_id: str) -> None:
    """Delete an account. Mail that came by it stays, and so does the mailbox.

    \b
    Example:
        flask accounts delete 3f9a1c20
    """
    tracker = edge.tracker()
    account = tracker.settings.account(account_id)
    tracker.settings.delete_account(account)
    click.echo(f"Account {account.id} is deleted; the mail that came by it stays.")


def _save(account_id: str | None, given: dict[str, Any], as_json: bool) -> None:
    from eventum.tracker import mailboxes

    def listed(option: str) -> tuple[str, ...] | None:
        return tuple(value for value in given[option] if value) if given[option] else None

    tracker = edge.tracker()
    form = mailboxes.AccountForm(
        project=given["project"],
        type=given["type_"],
        host=given["host"],
        port=given["port"],
        username=given["username"],
        password=given["password"],
        folder=given["folder"],
        addresses=listed("address"),
        leave_copy=given["leave_copy"],
        start=given["start"],
        quiet_before=given["quiet_before"],
        routing=given["routing"],
        paused=given.get("paused"),
        auto_create=given["auto_create"],
        category=given["category"],
        priority=given["priority"],
        assign=listed("assign"),
    )
    account = mailboxes.save_account(tracker, account_id, form)
    if as_json:
        printing.print_json(mailboxes.account_row(tracker, account))
        return
    click.echo(f"Account {account.id} is {'changed' if account_id else 'added'}.")
    if account.routing and given["leave_copy"]:
        edge.say("Mail is not left on the server, since the account also takes routed mail (--routing).")
