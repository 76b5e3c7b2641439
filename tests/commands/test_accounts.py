import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from eventum.config import Config
from eventum.tracker.tracker import Tracker

Run = Callable[..., Result]
Ask = Callable[..., Any]

SERVER = ("--host", "mail.example.org", "--username", "help", "--password-stdin")
IMAP = ("accounts", "add", "--project", "Help desk", "--type", "imap/ssl", *SERVER)


def test_an_account_is_shown_as_it_was_added(asked: Ask) -> None:
    added = asked(
        *(*IMAP, "--folder", "Support", "--address", "Help@Example.org", "--start", "now", "--quiet-before", "never"),
        *("--auto-create", "--category", "Question", "--priority", "High", "--assign", "dev@example.org"),
        stdin="pass\n",
    )
    assert asked("accounts", "show", added["id"][:8]) == added
    assert asked("accounts", "list") == [added]
    assert (added["project"], added["type"], added["host"], added["port"]) == (
        "Help desk",
        "imap/ssl",
        "mail.example.org",
        993,
    )
    assert (added["addresses"], added["start"], added["quiet_before"]) == (["help@example.org"], "now", "never")
    assert (added["leave_copy"], added["routing"], added["paused"], added["has_password"]) == (True, False, False, True)
    assert added["auto_create"] == {
        "enabled": True,
        "category": "Question",
        "priority": "High",
        "assign": ["dev@example.org"],
    }


@pytest.mark.parametrize(
    ("kind", "port"),
    [
        *((f"imap{rest}", 143) for rest in ("", "/tls", "/tls/novalidate-cert", "/notls")),
        *((f"imap{rest}", 993) for rest in ("/ssl", "/ssl/novalidate-cert")),
        *((f"pop3{rest}", 110) for rest in ("", "/tls", "/tls/novalidate-cert", "/notls")),
        *((f"pop3{rest}", 995) for rest in ("/ssl", "/ssl/novalidate-cert")),
    ],
)
def test_the_port_follows_the_type(asked: Ask, kind: str, port: int) -> None:
    added = asked("accounts", "add", "--project", "Help desk", "--type", kind, *SERVER, stdin="pass\n")
    assert added["port"] == port


def test_a_new_type_brings_its_port_unless_one_is_named(asked: Ask) -> None:
    added = asked(*IMAP, stdin="pass\n")
    assert asked("accounts", "set", added["id"], "--type", "pop3/ssl")["port"] == 995
    assert asked("accounts", "set", added["id"], "--type", "imap", "--port", "1143")["port"] == 1143


def test_routing_leaves_no_copy(asked: Ask, flask: Run) -> None:
    added = asked(*IMAP, "--routing", "--leave-copy", stdin="pass\n")
    assert (added["routing"], added["leave_copy"]) == (True, False)
    assert "not left on the server" in flask("accounts", "set", added["id"], "--leave-copy").stderr


def test_a_maildir_account_keeps_the_whole_path(asked: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    added = asked("accounts", "add", "--project", "Help desk", "--type", "maildir", "--folder", "mail/in")
    assert added["folder"] == str(tmp_path / "mail" / "in")


def test_the_password_is_sealed_for_its_account_and_never_shown(asked: Ask, flask: Run, config: Config) -> None:
    added = asked(*IMAP, stdin="correct horse\n")
    file = config.data / "settings" / "accounts" / f"{added['id']}.json"
    assert b"correct horse" not in file.read_bytes()
    store = Tracker(config).settings
    account = store.account(added["id"])
    assert store.account_password(account) == "correct horse"
    for command in (("list",), ("show", added["id"]), ("list", "--json"), ("show", added["id"], "--json")):
        out = flask("accounts", *command).stdout
        assert "correct horse" not in out and account.password not in out
    asked("accounts", "set", added["id"], "--password-stdin", stdin="staple\n")
    assert store.account_password(Tracker(config).settings.account(added["id"])) == "staple"


def test_changing_an_account_leaves_what_was_not_named(asked: Ask) -> None:
    before = asked(*IMAP, "--auto-create", "--assign", "dev@example.org", stdin="pass\n")
    after = asked("accounts", "set", before["id"], "--host", "imap.example.org", "--paused", "--assign", "")
    assert after == {
        **before,
        "host": "imap.example.org",
        "paused": True,
        "auto_create": {**before["auto_create"], "assign": []},
    }


def test_a_deleted_account_is_gone(asked: Ask, flask: Run) -> None:
    added = asked(*IMAP, stdin="pass\n")
    assert flask("accounts", "delete", added["id"][:8]).exit_code == 0
    assert asked("accounts", "list") == []
    assert flask("accounts", "show", added["id"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--project", "Nowhere", "--type", "imap", *SERVER), 1, "no project 'Nowhere'"),
        (("--type", "imap", *SERVER), 2, "--project"),
        (("--project", "Help desk", "--type", "imap/tsl", *SERVER), 1, "imap/tls"),
        (("--project", "Help desk", "--type", "imap", "--port", "0", *SERVER), 2, "1<=x<=65535"),
        (("--project", "Help desk", "--type", "imap", "--port", "imap", *SERVER), 2, "not a valid integer"),
        (("--project", "Help desk", "--type", "imap", "--username", "u", "--password-stdin"), 1, "--host"),
        (("--project", "Help desk", "--type", "imap", "--host", "h", "--password-stdin"), 1, "--username"),
        (("--project", "Help desk", "--type", "maildir"), 1, "--folder"),
        (("--project", "Help desk", "--type", "delivered"), 1, "--address"),
        (("--project", "Help desk", "--type", "delivered", "--address", "help"), 1, "not an e-mail address"),
        (("--project", "Help desk", "--type", "imap", *SERVER, "--start", "later"), 2, "unread"),
        (("--project", "Help desk", "--type", "imap", *SERVER, "--quiet-before", "soon"), 1, "--quiet-before"),
        (("--project", "Help desk", "--type", "imap", *SERVER, "--category", "Odd"), 1, "no category 'Odd'"),
        (("--project", "Help desk", "--type", "imap", *SERVER, "--priority", "Odd"), 1, "no priority 'Odd'"),
        (("--project", "Help desk", "--type", "imap", *SERVER, "--assign", "x@y"), 1, "no user 'x@y'"),
    ],
)
def test_wrong_input_is_named(flask: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = flask("accounts", "add", *arguments, stdin="pass\n")
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert code == 2 or result.stderr.count("\n") == 1


def test_only_staff_of_the_project_is_assigned(flask: Run) -> None:
    flask("users", "add", "rep@example.org", "--name", "Rep", "--member", "Help desk:reporter")
    result = flask(*IMAP, "--assign", "rep@example.org", stdin="pass\n")
    assert result.exit_code == 1
    assert "rep@example.org cannot be assigned" in result.stderr


def test_one_mailbox_has_one_account_and_one_address_one_taker(flask: Run) -> None:
    assert flask(*IMAP, stdin="pass\n").exit_code == 0
    again = flask(*IMAP, stdin="pass\n")
    assert (again.exit_code, "reads this mailbox already" in again.stderr) == (1, True)
    assert flask(*IMAP, "--folder", "Other", stdin="pass\n").exit_code == 0
    delivered = ("accounts", "add", "--project", "Help desk", "--type", "delivered", "--address", "in@example.org")
    assert flask(*delivered).exit_code == 0
    assert "is taken by account" in flask(*delivered, "--address", "other@example.org").stderr


@pytest.mark.parametrize("command", ["show", "set", "delete"])
def test_an_unknown_account_is_named(flask: Run, command: str) -> None:
    result = flask("accounts", command, "0123456789")
    assert (result.exit_code, "no e-mail account '0123456789'" in result.stderr) == (1, True)


def test_an_account_is_tried_step_by_step(asked: Ask, flask: Run, tmp_path: Path) -> None:
    for part in ("tmp", "new", "cur"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    maildir = ("accounts", "add", "--project", "Help desk", "--type", "maildir", "--folder", str(tmp_path / "mail"))
    added = asked(*maildir)
    steps = asked("accounts", "test", added["id"])
    assert (steps[-1]["name"], steps[-1]["ok"], steps[-1]["detail"]) == ("mails waiting", True, "0 mails")
    (tmp_path / "mail" / "cur").rmdir()
    failed = flask("accounts", "test", added["id"])
    assert (failed.exit_code, "FAILED" in failed.stdout) == (1, True)


def test_a_closed_port_is_where_the_test_ends(flask: Run, asked: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    local = ("--host", "127.0.0.1", "--port", port, "--username", "u", "--password-stdin")
    added = asked("accounts", "add", "--project", "Help desk", "--type", "imap", *local, stdin="pass\n")
    result = flask("accounts", "test", added["id"])
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.stdout and "pass" not in result.stdout.split()


def test_there_is_nothing_to_try_where_mail_is_delivered(flask: Run, asked: Ask) -> None:
    added = asked("accounts", "add", "--project", "Help desk", "--type", "delivered", "--address", "in@example.org")
    assert "no server to test" in flask("accounts", "test", added["id"]).stderr


def test_an_account_is_compared_with_its_server(asked: Ask, flask: Run, tmp_path: Path) -> None:
    for part in ("tmp", "new", "cur"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1").write_bytes(b"From: a@x.example\r\nSubject: Hello\r\n\r\nHello\r\n")
    maildir = ("accounts", "add", "--project", "Help desk", "--type", "maildir", "--folder", str(tmp_path / "mail"))
    added = asked(*maildir)
    before = flask("accounts", "reconcile", added["id"], "--json")
    assert before.exit_code == 1
    found = json.loads(before.stdout)
    assert (found["on_server"], found["here"], found["even"]) == (1, 0, False)
    assert [(group["kind"], group["count"]) for group in found["groups"]] == [("waiting", 1)]
    assert flask("download-emails", "--account", added["id"]).exit_code == 0
    after = flask("accounts", "reconcile", added["id"])
    assert (after.exit_code, after.stdout.splitlines()[0]) == (0, "1 on the server, 1 here")


def test_before_the_first_fetch_the_mails_are_counted_too(asked: Ask, flask: Run, tmp_path: Path) -> None:
    for part in ("tmp", "new", "cur"):
        (tmp_path / "mail" / part).mkdir(parents=True)
    (tmp_path / "mail/new/1").write_bytes(b"Subject: One\r\n\r\n")
    maildir = ("accounts", "add", "--project", "Help desk", "--type", "maildir", "--folder", str(tmp_path / "mail"))
    added = asked(*maildir)
    counts = asked("accounts", "test", added["id"])[-1]["counts"]
    assert (counts["count"], counts["week"], counts["told"], counts["older"]) == (1, 1, 1, 0)
    said = "1 mails: 1 of the last 7 days, 0 more of this year, 0 older. 1 are unread."
    assert said in flask("accounts", "test", added["id"]).stdout
    assert said in flask("download-emails", "--dry-run").stdout
    assert asked("download-emails", "--dry-run")["first_fetch"][0]["account"] == added["id"]
    asked("download-emails")
    assert "counts" not in asked("accounts", "test", added["id"])[-1]
    assert asked("download-emails", "--dry-run")["first_fetch"] == []
