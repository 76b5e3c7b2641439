"""The lines of this place: cron and systemd, with everything quoted that they would read otherwise."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from eventum.config import Config
from eventum.tracker import lines, mail_servers
from tests.house import House

ODD = "/srv/50% of it/it's $HOME"


def config(data: Path | str) -> Config:
    return Config(data=Path(data), secret_file=Path(data) / ".." / "secret.json")


def test_what_is_the_default_is_left_out() -> None:
    usual = Config(data=lines.ROOT / "data", secret_file=lines.ROOT / "instance" / "secret.json")
    assert lines.variables(usual) == {}
    more = msgspec.structs.replace(usual, cache=Path("/c"), base_url="https://x.example", log_format="json")
    assert set(lines.variables(more)) == {"EVENTUM_CACHE", "EVENTUM_BASE_URL", "EVENTUM_LOG_FORMAT"}


def test_cron_starts_exactly_this_program_on_exactly_this_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gunicorn"])
    line = lines.lines(config(ODD))["download-emails"]
    times, command = line.split(" cd ", 1)
    assert times == "*/5 * * * *" and "%" not in command.replace("\\%", "")
    words = shlex.split("cd " + command.replace("\\%", "%"))
    assert words[:3] == ["cd", str(lines.ROOT), "&&"] and f"EVENTUM_DATA={ODD}" in words
    assert words[-4:] == ["-m", "flask", "download-emails", ">/dev/null"]


def test_systemd_understands_the_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["gunicorn"])
    for name, text in (lines.units(config(ODD)) | lines.watching(config(ODD))).items():
        (tmp_path / name).write_text(text)
    service = (tmp_path / "eventum-download-emails.service").read_text()
    assert 'Environment="EVENTUM_DATA=/srv/50%% of it/it\'s $HOME"' in service
    if not shutil.which("systemd-analyze"):
        return
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in said.stderr.splitlines() if "eventum-" in line]
    assert not ours, said.stderr


def test_the_ways_in_name_the_maildirs_and_addresses_of_the_accounts(house: House) -> None:
    (box,) = mail_servers.boxes(house.tracker)
    assert (box.address, box.folder, box.is_example) == ("help@example.org", house.account.folder, False)
    for way in mail_servers.ways(house.tracker):
        text = "\n".join(step.text for step in way.steps)
        assert house.account.folder in text and ("help" in text or way.name == "Sendmail")
        assert "-m eventum" not in text and "route-email" not in text, "what is not there yet is not shown"
    house.tracker.settings.delete_account(house.account)
    assert mail_servers.boxes(house.tracker)[0].is_example


def test_an_address_that_other_programs_could_misread_is_left_out(house: House) -> None:
    house.set_account(addresses=("a|b@example.org", "help@example.org"))
    assert [box.address for box in mail_servers.boxes(house.tracker)] == ["help@example.org"]


def test_the_user_is_the_one_who_runs_this() -> None:
    assert lines.user() == subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert os.geteuid() >= 0
