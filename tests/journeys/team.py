"""A team that uses Eventum by its commands: a store of its own, people, and accounts on the test servers.

In flow commands, out flow what they print. Nothing here looks into the store.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from click.testing import Result

from app import create_app
from eventum.config import Config
from tests.journeys.clients import Answered, answered
from tests.servers.dovecot import Dovecot
from tests.servers.dovecot_settings import PASSWORD
from tests.servers.smtp_sink import Sink

HELP, DEE, BOSS, ANA = "help@example.org", "dee@example.org", "boss@example.org", "ana@customer.example"


class Team:
    """A help desk: Dee solves, Boss wants to hear of everything new, Ana is a customer."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(data=folder / "data", secret_file=folder / "secret.json", cache=folder / "cache")

    def found(self, sink: Sink) -> None:
        """Make the store, the project, the people, and let mail leave by this server."""
        for line in (
            ("init", "--admin-email", "ada@example.org", "--admin-name", "Ada"),
            ("projects", "add", "Help desk", "--sender-email", HELP, "--category", "Repair"),
            ("users", "add", DEE, "--name", "Dee", "--member", "Help desk:developer"),
            (
                *("users", "add", BOSS, "--name", "Boss", "--member", "Help desk:manager"),
                *("--preference", "Help desk:all_new=on"),
            ),
            ("settings", "set", "smtp.host", sink.host),
            ("settings", "set", "smtp.port", str(sink.port)),
        ):
            self.done(*line)

    def flask(self, *arguments: str, stdin: str = "") -> Result:
        """`flask ...`; each call is an application of its own, as each is a process."""
        runner = create_app(self.config).test_cli_runner()
        return runner.invoke(args=list(arguments), input=stdin, catch_exceptions=False)

    def done(self, *arguments: str, stdin: str = "") -> Result:
        """The same, where nothing may go wrong."""
        result = self.flask(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result

    def ask(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON document that a command prints, where nothing may go wrong."""
        return msgspec.json.decode(self.done(*arguments, "--json", stdin=stdin).stdout)

    def account(
        self, dovecot: Dovecot, user: str, *more: str, type: str = "imap/notls", host: str = "localhost"
    ) -> str:
        """Add an account on a mailbox of the test server; its id."""
        port = getattr(dovecot.ports, type.partition("/")[0] + ("s" if "/ssl" in type else ""))
        server = ("--type", type, "--host", host, "--port", str(port), "--username", user, "--password-stdin")
        command = ("accounts", "add", "--project", "Help desk", "--address", HELP, *server, *more)
        return str(self.ask(*command, stdin=f"{PASSWORD}\n")["id"])

    def fetch(self) -> dict[str, int]:
        """Run `download-emails`; what became of the mail, by outcome, without those that are 0."""
        outcomes: dict[str, int] = {}
        for row in self.ask("download-emails")["accounts"]:
            for name, value in row.items():
                if isinstance(value, int) and value:
                    outcomes[name] = outcomes.get(name, 0) + value
        return outcomes

    def send(self) -> dict[str, Any]:
        """Run `process-queue`; what it says."""
        said: dict[str, Any] = self.ask("process-queue")
        return said

    def issue(self, number: int) -> Any:
        """`issues show`."""
        return self.ask("issues", "show", str(number))

    def messages(self, number: int) -> dict[str, Any]:
        """The messages of an issue by their Message-IDs."""
        return {message["message_id"]: message for message in self.issue(number)["messages"]}


def decided(trace: list[dict[str, str]], table: str) -> tuple[str, str]:
    """Rule and answer of the row that decided a table."""
    row = [row for row in trace if row["table"] == table][-1]
    return row["rule"], row["answer"]


def got(sink: Sink) -> Mapping[str, list[Answered]]:
    """What everybody received, by address; as their programs would take it for an answer."""
    boxes: dict[str, list[Answered]] = {}
    for mail in sink.received:
        for recipient in mail.recipients:
            boxes.setdefault(recipient, []).append(answered(mail.data))
    return boxes
