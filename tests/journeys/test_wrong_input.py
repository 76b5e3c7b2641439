"""Wrong input and broken set-ups: one clear line naming the thing and the remedy, its exit code, all else goes on."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from app import create_app
from tests.journeys.clients import Answer, answered, gmail, letter
from tests.journeys.team import ANA, DEE, HELP, Team, decided, got
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot, free_ports
from tests.servers.dovecot_settings import PASSWORD
from tests.servers.smtp_sink import Sink

ROOT = Path(__file__).parent.parent.parent
ORIGINAL, LATER = "<original@customer.example>", "<later@customer.example>"


def mail(subject: str = "No picture", message_id: str = ORIGINAL) -> bytes:
    return letter(f"Ana <{ANA}>", HELP, subject, message_id)


def one_line(result: Result, code: int, *said: str) -> None:
    """The exit code, one line on stderr that says all of this, and no traceback."""
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1), result.output
    for words in said:
        assert words in result.stderr


def outcomes(result: Result) -> dict[str, Any]:
    """The accounts of `download-emails --json` by id."""
    return {row["id"]: row for row in msgspec.json.decode(result.stdout)["accounts"]}


# What the second account is like: options of `accounts add`, its password, and what is said of it.
Broken = tuple[dict[str, str], str, tuple[str, ...]]
BROKEN: dict[str, Broken] = {
    "wrong password": ({}, "wrong", ("refused the login of", "check user name and password")),
    "closed port": (
        {"--port": "{closed}"},
        PASSWORD,
        ("localhost:{closed} refuses connections", "check host and port"),
    ),
    "unknown host": ({"--host": "a" * 64 + ".invalid"}, PASSWORD, ("is not found", "check")),
    "certificate of another name": (
        {"--type": "imap/ssl", "--port": "{imaps}", "--host": "127.0.0.2"},
        PASSWORD,
        ("certificate that cannot be trusted", "novalidate-cert"),
    ),
    "STARTTLS with a certificate of another name": (
        {"--type": "pop3/tls", "--port": "{pop3}", "--host": "127.0.0.2"},
        PASSWORD,
        ("certificate that cannot be trusted", "novalidate-cert"),
    ),
    "TLS where none is spoken": (
        {"--type": "imap/ssl", "--port": "{imap}"},
        PASSWORD,
        ("does not speak TLS as expected", "check the type and the port"),
    ),
    "missing folder": ({"--folder": "Nowhere"}, PASSWORD, ('has no folder "Nowhere"', "check")),
    "missing Maildir": ({"--type": "maildir", "--folder": "/nowhere/at/all"}, "", ('no Maildir at "/nowhere', "check")),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_account_that_cannot_be_fetched_is_named_and_the_others_are_fetched(
    team: Team, dovecot: Dovecot, trust: Certificates, kind: str
) -> None:
    options, password, said = BROKEN[kind]
    places = {**dovecot.ports._asdict(), "closed": free_ports(1)[0]}
    given = {
        "--type": "imap/notls",
        "--host": "localhost",
        "--port": str(dovecot.ports.imap),
        "--username": dovecot.user(),
    }
    given |= {name: value.format(**places) for name, value in options.items()}
    arguments = [word for pair in given.items() for word in pair]
    command = ("accounts", "add", "--project", "Help desk", *arguments, "--password-stdin")
    broken = team.ask(*command, stdin=f"{password or 'none'}\n")["id"]
    user = dovecot.user()
    good = team.account(dovecot, user, "--auto-create")
    dovecot.deliver(user, mail())

    result = team.flask("download-emails", "--json")
    one_line(result, 1, f"Account {broken}: ", *(words.format(**places) for words in said))
    rows = outcomes(result)
    assert (rows[good]["new_issue"], rows[good]["error"]) == (1, None)
    assert rows[broken]["downloaded"] == 0
    assert f"Account {broken}: {rows[broken]['error']}\n" == result.stderr
    # Once more, in words, and only the good one when it is asked for.
    one_line(team.flask("download-emails"), 1, f"Account {broken}: ")
    assert team.flask("download-emails", "--account", good).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("download-emails", "--account", "0123456789"), 1, ("no e-mail account '0123456789'", "flask accounts list")),
        (("download-emails", "help", "mail.example.org"), 1, ("'help' on 'mail.example.org'", "flask accounts list")),
        (("download-emails", "help", "mail.example.org", "Sent"), 1, ("mailbox 'Sent'", "flask accounts list")),
        (("accounts", "show", "0123456789"), 1, ("no e-mail account '0123456789'", "flask accounts list")),
        (("settings", "set", "smtp.port", "0"), 1, ("smtp.port", "from 1 to 65535")),
        (("settings", "set", "smtp.security", "tsl"), 1, ("smtp.security", "none, starttls, tls")),
        (("settings", "set", "smtp.prot", "25"), 1, ("'smtp.prot'", "smtp.port")),
        (("issues", "show", "4711"), 1, ("no issue 4711",)),
        (("issues", "assign", "4711", DEE), 1, ("no issue 4711",)),
        (("issues", "list", "--project", "Nowhere"), 1, ("no project 'Nowhere'", "flask projects list")),
        (("emails", "show", "0123456789"), 1, ("no mail 0123456789", "flask emails list")),
        (("queue", "show", "0123456789"), 1, ("0123456789", "flask queue list")),
        (("dead", "show", "0123456789"), 1, ("0123456789", "flask dead list")),
        (("users", "show", "nobody@example.org"), 1, ("no user 'nobody@example.org'", "flask users list")),
    ],
)
def test_what_is_not_there_is_named(team: Team, arguments: tuple[str, ...], code: int, said: tuple[str, ...]) -> None:
    one_line(team.flask(*arguments), code, *said)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "imap"])
def test_a_bad_port_is_wrong_usage(team: Team, port: str) -> None:
    server = ("--type", "imap", "--host", "mail.example.org", "--username", "help", "--password-stdin")
    result = team.flask("accounts", "add", "--project", "Help desk", *server, f"--port={port}", stdin="x\n")
    assert (result.exit_code, "--port" in result.stderr) == (2, True)
    assert team.ask("accounts", "list") == []


@pytest.fixture
def user(team: Team, dovecot: Dovecot) -> str:
    """A mailbox from which issue 1 was opened; its account is the only one."""
    user = dovecot.user()
    team.account(dovecot, user, "--auto-create", "--assign", DEE)
    dovecot.deliver(user, mail())
    assert team.fetch() == {"downloaded": 1, "new_issue": 1}
    return user


def spoil(path: Path) -> Callable[[], object]:
    """Cut a file in the middle, as a full disk or an editor does; what is returned mends it."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return lambda: path.write_bytes(whole)


def file_of(team: Team, folder: str, words: bytes) -> Path:
    return next(path for path in (team.config.data / folder).rglob("*.json") if words in path.read_bytes())


def test_a_damaged_account_is_named_and_the_others_are_fetched(team: Team, dovecot: Dovecot, user: str) -> None:
    other = dovecot.user()
    good = team.account(dovecot, other, "--auto-create")
    path = file_of(team, "settings/accounts", user.encode())
    mend = spoil(path)
    dovecot.deliver(other, mail("Another", LATER))
    result = team.flask("download-emails", "--json")
    one_line(result, 78, str(path), "is not valid JSON", "backup")
    assert outcomes(result)[good]["new_issue"] == 1
    one_line(team.flask("process-queue"), 78, str(path))
    mend()
    assert team.flask("download-emails").exit_code == 0


def test_a_damaged_user_is_named_and_is_a_stranger_until_it_is_mended(team: Team, dovecot: Dovecot, user: str) -> None:
    path = file_of(team, "people/users", DEE.encode())
    mend = spoil(path)
    dovecot.deliver(user, mail("Another", LATER), gmail(answered(mail()), Answer(DEE, "<dee.1@example.org>")))
    result = team.flask("download-emails", "--json")
    one_line(result, 78, str(path), "is not valid JSON", "backup")
    [row] = outcomes(result).values()
    assert (row["new_issue"], row["blocked"]) == (1, 1)
    one_line(team.flask("process-queue"), 78, str(path))
    mend()
    dovecot.deliver(user, gmail(answered(mail()), Answer(DEE, "<dee.2@example.org>")))
    assert team.fetch() == {"downloaded": 1, "filed": 1}


def test_a_damaged_project_is_named_and_its_mail_waits(team: Team, dovecot: Dovecot, user: str) -> None:
    path = file_of(team, "people/projects", b"Help desk")
    mend = spoil(path)
    dovecot.deliver(user, mail("Another", LATER))
    one_line(team.flask("download-emails"), 78, str(path), "is not valid JSON", "backup")
    # What was to be sent before needs no record.
    result = team.flask("process-queue")
    one_line(result, 78, str(path))
    assert result.stdout.startswith("3 sent")
    mend()
    # It is in the spool, accused of nothing, and decided a minute later.
    team.done("download-emails")
    assert team.ask("dead", "list") == []
    assert len(list((team.config.data / "spool" / "in" / "new").iterdir())) == 1


def test_a_damaged_setup_is_named(team: Team, user: str) -> None:
    path = team.config.data / "settings" / "general.json"
    mend = spoil(path)
    one_line(team.flask("settings", "list"), 78, str(path), "is not valid JSON", "backup")
    one_line(team.flask("process-queue"), 78, str(path), "is not valid JSON", "backup")
    mend()
    assert team.send()["sent"] == 3


def test_a_damaged_issue_is_named_and_the_others_go_on(team: Team, dovecot: Dovecot, user: str, sink: Sink) -> None:
    team.send()
    assert len(team.ask("issues", "list")) == 1  # So the index knows the issue's mails.
    path = team.config.data / "issues" / "0" / "1" / "issue.json"
    mend = spoil(path)
    answers = {
        "<original.answer@customer.example>": answered(mail()),
        "<thanks.answer@customer.example>": got(sink)[ANA][0],
    }
    mails = [gmail(parent, Answer(ANA, message_id)) for message_id, parent in answers.items()]
    dovecot.deliver(user, *mails, mail("Another", LATER))
    result = team.flask("download-emails", "--json")
    one_line(result, 78, str(path), "is not valid JSON", "backup")
    [row] = outcomes(result).values()
    assert (row["new_issue"], row["unassociated"]) == (1, 2)
    one_line(team.flask("issues", "show", "1"), 78, str(path), "is not valid JSON", "backup")
    listed = team.flask("issues", "list")
    one_line(listed, 1, str(path))
    assert "Another" in listed.stdout
    mend()
    # The answers wait where a person finds them, with the reason.
    rows = team.ask("emails", "list", "--state", "unassociated")
    assert {row["message_id"] for row in rows} == set(answers)
    for row in rows:
        assert decided(row["trace"], "receive")[0] == "issue_unusable"
        team.done("emails", "associate", row["id"], "1")
    assert set(team.messages(1)) == {ORIGINAL, *answers}


@pytest.mark.parametrize("cache", ["kept", "lost"])
def test_an_issue_that_was_mended_is_listed_and_answered_again(
    team: Team, dovecot: Dovecot, user: str, cache: str
) -> None:
    mend = spoil(team.config.data / "issues" / "0" / "1" / "issue.json")
    if cache == "lost":
        shutil.rmtree(str(team.config.cache))
    one_line(team.flask("issues", "list"), 1, "is not valid JSON")
    mend()
    assert [row["id"] for row in team.ask("issues", "list")] == [1]
    dovecot.deliver(user, gmail(answered(mail()), Answer(ANA, LATER)))
    assert team.fetch() == {"downloaded": 1, "filed": 1}


def test_another_secret_is_named_with_both_keys(team: Team, tmp_path: Path, user: str) -> None:
    own = team.config.secret_file.read_bytes()
    elsewhere = Team(tmp_path / "elsewhere")
    elsewhere.done("init", "--admin-email", "x@example.org", "--admin-name", "X")
    team.config.secret_file.write_bytes(elsewhere.config.secret_file.read_bytes())
    for command in ("download-emails", "process-queue", "init"):
        result = team.flask(command)
        assert result.exit_code == 78 and str(team.config.secret_file) in result.stderr
    ids = [msgspec.json.decode((one.config.data / "state/store.json").read_bytes())["key"] for one in (team, elsewhere)]
    one_line(team.flask("accounts", "list"), 78, *ids)
    team.config.secret_file.unlink()
    one_line(team.flask("download-emails"), 78, str(team.config.secret_file))
    team.config.secret_file.write_bytes(own)
    team.config.secret_file.chmod(0o600)
    assert team.fetch() == {}


def test_a_folder_without_a_store_is_named(tmp_path: Path) -> None:
    one_line(Team(tmp_path).flask("download-emails"), 78, str(tmp_path / "data"), "flask init", "EVENTUM_DATA")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EVENTUM_DATA", "{file}", "which is not a folder"),
        ("EVENTUM_BASE_URL", "issues.example.org", "https://issues.example.org"),
        ("EVENTUM_LOG_FORMAT", "xml", "text or json"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVENTUM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTUM_SECRET_FILE", str(tmp_path / "secret.json"))
    monkeypatch.setenv(name, value.format(file=tmp_path / "file"))
    with pytest.raises(SystemExit) as ended:
        create_app()
    told = capfd.readouterr().err
    assert (ended.value.code, told.count("\n")) == (78, 1)
    assert name in told and said in told


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user of the machine can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="eventum-"))
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    shutil.rmtree(folder)


def as_stranger(team: Team, *arguments: str, **other: str) -> "subprocess.CompletedProcess[str]":
    """A command as nobody when this is root, as ourselves otherwise."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "EVENTUM_DATA": str(team.config.data),
        "EVENTUM_SECRET_FILE": str(team.config.secret_file),
        "EVENTUM_CACHE": str(team.config.cache),
        **other,
    }
    called = [sys.executable, "-m", "tests.journeys.stranger", *arguments]
    return subprocess.run(called, env=environment, capture_output=True, text=True, timeout=60)


def refused(result: "subprocess.CompletedProcess[str]", *said: str) -> None:
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (78, "", 1), result.stderr
    for words in said:
        assert words in result.stderr


def test_the_data_of_another_user_is_left_alone(shared: Path) -> None:
    team = Team(shared)
    team.done("init", "--admin-email", "ada@example.org", "--admin-name", "Ada")
    before = sorted(team.config.data.rglob("*"))
    # Whoever is not root finds folders of root's everywhere.
    foreign = str(team.config.data) if os.geteuid() == 0 else "/usr"
    for command in ("download-emails", "process-queue", "init"):
        refused(as_stranger(team, command, EVENTUM_DATA=foreign), f"{foreign} belongs to user root", "run it as root")
    assert sorted(team.config.data.rglob("*")) == before


def test_a_data_folder_that_cannot_be_written_is_named(shared: Path) -> None:
    team = Team(shared)
    team.done("init", "--admin-email", "ada@example.org", "--admin-name", "Ada")
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody", str(shared)], check=True)
    subprocess.run(["chmod", "-R", "a-w", str(team.config.data)], check=True)
    for command in (("download-emails",), ("process-queue",), ("users", "add", "x@example.org", "--name", "X")):
        said = (str(team.config.data), "Permission denied", "give this user the right")
        refused(as_stranger(team, *command), *said)
    # Reading needs no right to write.
    assert as_stranger(team, "users", "list").returncode == 0


def test_a_place_where_no_store_can_be_made_is_named(shared: Path) -> None:
    (shared / "closed").mkdir(mode=0o555)
    team = Team(shared / "closed")
    refused(
        as_stranger(team, "init", "--admin-email", "ada@example.org"),
        str(shared / "closed"),
        "Permission denied",
    )
