"""`flask issues`: the issues, and what people do with them."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint

from eventum.commands import edge, printing, texts
from eventum.commands.edge import Body

if TYPE_CHECKING:
    from eventum.tracker.acting import Done
    from eventum.tracker.tracker import Tracker

bp = Blueprint("issues", __name__, cli_group=None)
MOST = 999_999_999  # No issue has a number of more digits.
COLUMNS = ("id", "status", "priority", "project", "summary", "reporter", "assignees", "updated")


@bp.cli.group("issues", cls=edge.Group)
def issues() -> None:
    """The issues, and what people do with them.

    \b
    Example:
        flask issues list --status open
    """


def _as(body: Body) -> Body:
    """Who acts."""
    return click.option("--as", "who", metavar="EMAIL", help="Who does it.  [default: the first administrator]")(body)


NUMBER = click.argument("number", metavar="N", type=click.IntRange(1, MOST))
TEXT = click.option("--text", metavar="T", required=True, help="What to write; - reads stdin.")


@issues.command("list")
@click.option("--project", metavar="P", default="", help="Only of this project, by title or id.")
@click.option("--status", metavar="S", default="", help="Only with this status.")
@click.option("--search", metavar="Q", default="", help="Only with all these words in summary, reporter or number.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="At most so many.")
@edge.json_option
def list_(project: str, status: str, search: str, limit: int | None, as_json: bool) -> None:
    """The issues, the newest change first.

    Exit code 1 when the file of an issue cannot be used; the others are listed.

    \b
    Example:
        flask issues list --project "Help desk" --search printer --limit 20
    """
    from eventum.tracker import questions

    with closing(edge.tracker()) as tracker:
        wanted = questions.Wanted(project=project, status=status, search=search, limit=limit or 0)
        listed = questions.issues(tracker, wanted)
    printing.print_json(listed.rows) if as_json else printing.print_table(listed.rows, COLUMNS)
    texts.shown_or_failed(listed.damaged)


@issues.command("show")
@NUMBER
@edge.json_option
def show(number: int, as_json: bool) -> None:
    """One issue with its messages, why each is there, who it was sent on to, and the history.

    `flask emails show` says all that was asked about one message.

    \b
    Example:
        flask issues show 42
    """
    from eventum.tracker import mails, questions

    with closing(edge.tracker()) as tracker:
        row: dict[str, Any] = questions.issue(tracker, number)
    if as_json:
        printing.print_json(row)
        return
    details = ("description", "notification_list", "messages", "history")
    printing.print_fields({name: value for name, value in row.items() if name not in details})
    if row["description"]:
        click.echo("\nDescription")
        texts.print_text(row["description"])
    click.echo("\nNotification list")
    texts.print_lines(f"{one['address']}: {', '.join(one['actions'])}" for one in row["notification_list"])
    for message in row["messages"]:
        click.echo(f"\n{message['kind'].upper()} {message['id'][:12]}")
        texts.print_mail(message, mails.why(message, only_answers=True))
    click.echo("\nHistory")
    texts.print_lines(
        f"{printing.cell(one['when'])}  {one['who'] or '-'}: {printing.cell(one['detail'])}" for one in row["history"]
    )


@issues.command("new")
@click.option("--project", metavar="P", required=True, help="Title or id of its project.")
@click.option("--summary", metavar="S", required=True, help="What it is about, on one line.")
@click.option("--description", metavar="T", help="The whole story; - reads stdin.")
@click.option("--category", metavar="C", default="", help="One of the project's categories.")
@click.option("--priority", metavar="P", default="", help="One of the project's priorities.")
@click.option("--assign", metavar="EMAIL", multiple=True, help="Who works on it, as often as needed.")
@click.option("--reporter", metavar="A", default="", help="Whose issue it is, who is thanked.  [default: who opens it]")
@_as
@edge.json_option
def new(project: str, summary: str, who: str | None, as_json: bool, **given: Any) -> None:
    """Open an issue.

    \b
    Example:
        flask issues new --project "Help desk" --summary "The printer is on fire" --assign dev@example.org
    """
    from eventum.tracker import opening

    form = opening.NewIssue(
        project=project,
        summary=summary,
        description=texts.typed(given["description"]),
        category=given["category"],
        priority=given["priority"],
        assign=given["assign"],
        reporter=given["reporter"],
    )
    with closing(edge.tracker()) as tracker:
        done = opening.open_issue(tracker, who, form)
        _done(tracker, done, as_json, f"Issue {done.issue.number} is opened.")


@issues.command("assign")
@NUMBER
@click.argument("emails", metavar="EMAIL...", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Take them off instead.")
@_as
@edge.json_option
def assign(number: int, emails: tuple[str, ...], remove: bool, who: str | None, as_json: bool) -> None:
    """Assign an issue to users of its project, beside those it has; they are told.

    \b
    Example:
        flask issues assign 42 dev@example.org
    """
    from eventum.tracker import change

    with closing(edge.tracker()) as tracker:
        done = (change.unassign if remove else change.assign)(tracker, number, who, emails)
        names = [user.email for user in map(tracker.people.load_all().user, done.issue.assignees) if user]
        text = f"assigned to {', '.join(names) or 'nobody'}"
        _done(tracker, done, as_json, f"Issue {number} is {text}{'' if done.changed else ' already'}.")


@issues.command("close")
@NUMBER
@click.option("--reason", metavar="T", help="Why, for everybody who is told; - reads stdin.")
@_as
@edge.json_option
def close(number: int, reason: str | None, who: str | None, as_json: bool) -> None:
    """Close an issue. Those on its notification list who asked for it are told, with the reason.

    \b
    Example:
        flask issues close 42 --reason "The printer was replaced."
    """
    from eventum.tracker import change

    with closing(edge.tracker()) as tracker:
        done = change.close(tracker, number, who, texts.typed(reason))
        _done(tracker, done, as_json, f"Issue {number} is {'closed' if done.changed else 'closed already'}.")


@issues.command("note")
@NUMBER
@TEXT
@_as
@edge.json_option
def note(number: int, text: str, who: str | None, as_json: bool) -> None:
    """Add a note for staff to an issue.

    \b
    Example:
        flask issues note 42 --text "The fuser is dead." --as dev@example.org
    """
    from eventum.tracker import correspond

    with closing(edge.tracker()) as tracker:
        done, message = correspond.note(tracker, number, who, correspond.Letter(text=texts.typed(text)))
        _written(tracker, done, message.key, as_json)


@issues.command("reply")
@NUMBER
@TEXT
@click.option("--to", metavar="A", multiple=True, help="Who gets it, as often as needed.  [default: the reporter]")
@click.option("--cc", metavar="A", multiple=True, help="Who gets it too, as often as needed.")
@_as
@edge.json_option
def reply(number: int, text: str, who: str | None, as_json: bool, **given: tuple[str, ...]) -> None:
    """Answer by e-mail: to the reporter, and to who asked for e-mails on the issue's notification list.

    \b
    Example:
        flask issues reply 42 --text - --as dev@example.org < answer.txt
    """
    from eventum.tracker import correspond

    letter = correspond.Letter(text=texts.typed(text), to=given["to"], cc=given["cc"])
    with closing(edge.tracker()) as tracker:
        done, message = correspond.reply(tracker, number, who, letter)
        _written(tracker, done, message.key, as_json)


def _done(tracker: "Tracker", done: "Done", as_json: bool, sentence: str) -> None:
    from eventum.tracker import questions

    if as_json:
        printing.print_json(questions.issue_row(done.issue, tracker.people.load_all()))
    else:
        click.echo(f"{sentence} {texts.told(done.told)}" if done.changed else sentence)


def _written(tracker: "Tracker", done: "Done", key: str, as_json: bool) -> None:
    from eventum.tracker import questions

    if as_json:
        messages: Any = questions.issue(tracker, done.issue.number)["messages"]
        printing.print_json(next(message for message in messages if message["id"] == key))
    else:
        click.echo(f"It is in issue {done.issue.number} ({key[:12]}). {texts.told(done.told)}")
