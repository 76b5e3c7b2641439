"""`flask init`: the store, its secret and its first administrator."""

import sys

import click
from flask import Blueprint

from eventum.commands import cron, edge, passwords

bp = Blueprint("init", __name__, cli_group=None)


@bp.cli.command("init", cls=edge.Command)
@click.option("--admin-email", metavar="E", help="E-mail address of the first administrator.")
@click.option("--admin-name", metavar="N", help="The administrator's name.  [default: Administrator]")
@passwords.stdin_option()
def init(admin_email: str | None, admin_name: str | None, password_stdin: bool) -> None:
    """Make the store, its key file and its first administrator; again changes nothing.

    \b
    Example:
        flask init --admin-email admin@example.org --admin-name "Ada Admin"
    """
    from eventum.tracker import founding
    from eventum.tracker.membership import UserForm

    tracker = edge.bare_tracker()
    form = None
    if not founding.has_administrator(tracker):
        email = admin_email or _asked_email()
        password = passwords.asked(password_stdin, f"Password for {email} (nothing: no login yet)")
        form = UserForm(
            email=email,
            name=admin_name or "Administrator",
            password=passwords.hashed(password) if password else "",
        )
    founded = founding.found(tracker, form)
    if not founded.made:
        click.echo(f"The store {tracker.config.data} was made already; nothing changed.")
        return
    click.echo("Made:")
    for line in founded.made:
        click.echo(f"  {line}")
    _say_next_steps(form is not None and not form.password, form.email if form else None)


def _asked_email() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("Name the first administrator: --admin-email admin@example.org.")
    return str(click.prompt("E-mail address of the first administrator", err=True))


def _say_next_steps(no_password: bool, email: str | None) -> None:
    steps = [
        'flask projects add "Help desk" --sender-email help@example.org',
        "flask users add dev@example.org --name Dev --member 'Help desk:developer'",
        "flask settings set smtp.host mail.example.org",
        "flask accounts add --project 'Help desk' --type imap/ssl --host mail.example.org "
        "--username help --auto-create",
        "flask download-emails",
    ]
    if no_password:
        steps.insert(0, f"flask users set {email} --password-stdin")
    click.echo("\nNext:")
    for step in steps:
        click.echo(f"  {step}")
    click.echo("\nCron lines for this user (crontab -e):")
    for line in cron.lines().values():
        click.echo(f"  {line}")
