"""`flask init`: the store, its secret and its first administrator."""

import sys
from typing import TYPE_CHECKING

import click
from flask import Blueprint

from eventum.commands import edge, passwords

if TYPE_CHECKING:
    from eventum.tracker.tracker import Tracker

bp = Blueprint("init", __name__, cli_group=None)


@bp.cli.command("init", cls=edge.Command)
@click.option("--admin-email", metavar="E", help="E-mail address of the first administrator.")
@click.option("--admin-name", metavar="N", help="The administrator's name.  [default: Administrator]")
@passwords.stdin_option()
@click.option("--new-code", is_flag=True, help="Print a new code for the set-up in the browser; older ones end.")
def init(admin_email: str | None, admin_name: str | None, password_stdin: bool, new_code: bool) -> None:
    """Make the store, its key file and its first administrator; again changes nothing.

    Without an administrator who has a password it prints a code: with it the rest is set up in the browser.

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
        if password_stdin and not email:
            raise click.UsageError("Name the first administrator: --admin-email admin@example.org.")
        if email:
            password = passwords.asked(password_stdin, f"Password for {email} (nothing: set it in the browser)")
            form = UserForm(
                email=email,
                name=admin_name or "Administrator",
                password=passwords.hashed(password) if password else "",
            )
    founded = founding.found(tracker, form)
    if founded.made:
        click.echo("Made:")
        for line in founded.made:
            click.echo(f"  {line}")
    else:
        click.echo(f"The store {tracker.config.data} was made already; nothing changed.")
    in_browser = _say_code(tracker, anew=new_code)
    if founded.made:
        _say_next_steps(tracker, form.email if form is not None and not form.password else None, in_browser)


def _asked_email() -> str:
    """Who administers; "" lets the one say it who has the code."""
    if not sys.stdin.isatty():
        return ""
    return str(
        click.prompt("E-mail address of the first administrator (nothing: say it in the browser)", default="", err=True)
    )


def _say_code(tracker: "Tracker", *, anew: bool) -> bool:
    """Print the code while nobody can log in; the one that was printed before stays valid unless asked for anew."""
    from eventum.tracker import first_visit

    if anew or (first_visit.nobody_can_log_in(tracker) and not first_visit.has_code(tracker)):
        code = first_visit.new_code(tracker)
        click.echo(f"\nNobody can log in yet. The set-up in the browser, at /welcome, asks for this code: {code}")
    elif first_visit.nobody_can_log_in(tracker):
        edge.say("Nobody can log in yet; `flask init --new-code` prints a new code for the set-up in the browser.")
    else:
        return False
    return True


def _say_next_steps(tracker: "Tracker", email: str | None, in_browser: bool) -> None:
    from eventum.tracker import lines

    steps = [
        'flask projects add "Help desk" --sender-email help@example.org',
        "flask users add dev@example.org --name Dev --member 'Help desk:developer'",
        "flask settings set smtp.host mail.example.org",
        "flask accounts add --project 'Help desk' --type imap/ssl --host mail.example.org "
        "--username help --auto-create",
        "flask download-emails",
    ]
    if email:
        steps.insert(0, f"flask users set {email} --password-stdin")
    click.echo("\nNext, in the browser or here:" if in_browser else "\nNext:")
    for step in steps:
        click.echo(f"  {step}")
    click.echo("\nCron lines for this user (crontab -e):")
    for line in lines.lines(tracker.config).values():
        click.echo(f"  {line}")
