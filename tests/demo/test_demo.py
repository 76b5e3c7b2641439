"""The demo as somebody meets it who has just fetched the repository."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from click.testing import Result

from app import create_app
from eventum.commands.demo import SMTP
from eventum.config import Config
from eventum.demo.letters import LETTERS
from eventum.demo.place import Place, traced
from eventum.demo.stage import staged
from eventum.demo.visit import visited
from tests.servers.dovecot import free_ports

Run = Callable[..., Result]
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`flask demo ...` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    config = Config(data=tmp_path / "data", secret_file=tmp_path / "instance" / "secret.json")

    def run(*arguments: str) -> Result:
        runner = create_app(config).test_cli_runner()
        return runner.invoke(args=["demo", *arguments], catch_exceptions=False)

    return run


def test_all_is_as_it_should_be(demo: Run, tmp_path: Path) -> None:
    result = demo("--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("All is as it should be.\n")
    assert result.stdout.count("\n    -> ") == len(LETTERS)
    # Nothing but its own folder, and the store of the environment is left alone.
    assert [path.name for path in tmp_path.iterdir()] == ["demo-data"]


def test_again_it_goes_on_with_what_is_there_and_sends_nothing_twice(demo: Run, tmp_path: Path) -> None:
    first = demo("--check")
    sent = sorted((tmp_path / "demo-data" / "outside").rglob("*.demo"))
    again = demo("--check")
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert sorted((tmp_path / "demo-data" / "outside").rglob("*.demo")) == sent
    assert demo("--check", "--fresh").exit_code == 0
    assert not set((tmp_path / "demo-data" / "outside").rglob("*.demo")) & set(sent)


def test_a_demo_that_was_cut_short_goes_on(demo: Run, tmp_path: Path) -> None:
    with staged(tmp_path / "demo-data", port=0, fresh=False) as stage:
        for letter in LETTERS[:2]:
            stage.place.put("help", letter.raw(lambda mailing: "", stage.tracker.clock()), letter.name)
        stage.play.download()
    assert demo("--check").exit_code == 0


def test_what_is_wrong_is_named(demo: Run, tmp_path: Path) -> None:
    assert demo("--check").exit_code == 0
    place = Place(tmp_path / "demo-data")
    raw = place.letter("help", "04-newsletter")
    assert raw is not None
    next((place.mailbox("help") / "new").glob("04*")).write_bytes(raw.replace(b"this week", b"next week"))
    next((place.config.data / "spool" / "sent" / "cur").iterdir()).unlink()
    result = demo("--check")
    assert result.exit_code == 1
    assert "Wrong: The mail 04-newsletter is in no issue and in no list.\n" in result.stderr
    assert " was not sent " in result.stderr


def test_a_folder_of_something_else_is_left_alone(demo: Run, tmp_path: Path) -> None:
    (tmp_path / "demo-data").mkdir()
    (tmp_path / "demo-data" / "thesis.txt").write_text("ten years of work")
    for arguments in (("--check",), ("--check", "--fresh")):
        result = demo(*arguments)
        assert (result.exit_code, "holds something else" in result.stderr) == (1, True)
    assert (tmp_path / "demo-data" / "thesis.txt").read_text() == "ten years of work"


def test_two_demos_exclude_each_other(demo: Run, tmp_path: Path) -> None:
    with staged(tmp_path / "demo-data", port=0, fresh=False):
        for arguments in (("--check",), ("--check", "--fresh")):
            result = demo(*arguments)
            assert (result.exit_code, "Another demo runs" in result.stderr) == (75, True)


def test_a_port_that_is_taken_is_named(demo: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = demo("--port", str(port))
    assert result.exit_code == 75
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use); name another --port." in result.stderr


def test_the_file_of_variables_lets_a_shell_work_on_its_data(demo: Run, tmp_path: Path) -> None:
    assert demo("--check").exit_code == 0
    shell = '. demo-data/env; cd "$1"; exec "$2" -m flask projects list'
    told = subprocess.run(
        ["sh", "-c", shell, "sh", str(ROOT), sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Help desk" in told.stdout and "Orders" in told.stdout


def test_an_address_from_outside_leads_nowhere_else(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for address in ("../../etc@x", "a/b@x", "..", ".", "", "x\0@y"):
        assert place.outside(address).parent == tmp_path / "outside"
        assert place.outside(address).name.strip(".")


def test_the_trace_stands_above_the_mail_as_it_came() -> None:
    assert traced(b"Subject: x\r\n\r\n", "a@b", "c@d", "me").startswith(b"Return-Path: <a@b>\r\nDelivered-To: c@d\r\n")
    assert traced(b"Subject: x\r\n\r\n", "a@b", "c@d", "me").endswith(b"\r\nSubject: x\r\n\r\n")


def read_until(stream: IO[str], words: str) -> list[str]:
    """The lines up to the first that has these words; fails when the stream ends before."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError(f"{words!r} was not said: {''.join(lines[-20:])}")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_mail_can_be_written_to_it_until_it_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    port = free_ports(1)[0]
    environment = {**os.environ, "FLASK_APP": str(ROOT / "app.py"), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    # Tests that were started in the background ignore Ctrl-C, and so would whatever they start.
    called = ["env", "--default-signal=INT", sys.executable, "-m", "flask", "demo", "--port", str(port - SMTP)]
    with subprocess.Popen(called, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            invited = read_until(process.stdout, "Ctrl-C ends it.")
            assert any(f"smtp://127.0.0.1:{port} " in line for line in invited)
            (password,) = {line.split()[2] for line in invited if " password " in line}
            url = f"http://127.0.0.1:{port - SMTP}"
            assert f"    {url}\n" in invited
            for email, name in (("ada@lighthouse.example", "Ada Lindqvist"), ("dana@lighthouse.example", "Dana Reyes")):
                assert visited(url, email, password, name) == []
            assert visited(url, "ada@lighthouse.example", "wrong", "Ada Lindqvist") != []
            # What somebody does on a screen, or in a shell, is sent without waiting for cron.
            reply = "issues reply 2 --text Soon --as dana@lighthouse.example"
            line = f". demo-data/env; cd {ROOT}; exec {sys.executable} -m flask {reply}"
            subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True)
            read_until(process.stdout, "sent to misaki@sato.example")
            with smtplib.SMTP("127.0.0.1", port) as client:
                mail = "From: Eve <eve@example.net>\nTo: help@lighthouse.example\nSubject: Hello?\n\nAnybody there?\n"
                client.sendmail("eve@example.net", "help@lighthouse.example", mail)
            assert "    -> opened issue 4\n" in read_until(process.stdout, "sent to yuki@lighthouse.example")
            process.send_signal(ending)
            assert "The demo has ended." in process.stdout.read()
        except BaseException:
            process.kill()  # It would listen for ever.
            raise
    assert process.returncode == 0
