"""The line of docs/running.md that serves the web interface to a team, tried as it stands there."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.house import House
from tests.servers.dovecot import free_ports

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:8000"
PATIENCE = 60.0


def line() -> str:
    """The command, without where the program lies."""
    (found,) = set(re.findall(r"bin/(gunicorn .*)", PAGE + (ROOT / "Makefile").read_text(encoding="utf-8")))
    return found


@pytest.fixture
def served(house: House) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Where it answers, and its process."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    assert ADDRESS in line()
    command = [sys.executable, "-m", *shlex.split(line().replace(ADDRESS, address))]
    variables = {
        "EVENTUM_DATA": str(house.config.data),
        "EVENTUM_SECRET_FILE": str(house.config.secret_file),
        "EVENTUM_CACHE": str(house.config.cache),
    }
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield f"http://{address}", process
        finally:
            process.kill()


def asked(url: str) -> tuple[int, str]:
    """Status and body, once somebody answers."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except urllib.error.URLError:
            assert time.monotonic() < end, "nobody answers"


def test_the_line_serves_many_at_once_and_ends_in_order(served: tuple[str, "subprocess.Popen[str]"]) -> None:
    url, process = served
    assert asked(f"{url}/healthz") == (503, "not ok\n")  # No run was there yet.
    with ThreadPoolExecutor(8) as readers:
        pages = list(readers.map(asked, [f"{url}/login"] * 40))
    assert {status for status, _ in pages} == {200}
    assert all('name="password"' in page for _, page in pages)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in said and "Error" not in said, said


def test_the_unit_is_one_that_systemd_takes() -> None:
    unit = re.search(r"    \[Unit\]\n(?:(?:    .*)?\n)+", PAGE)
    assert unit
    said = dict(part.split("=", 1) for part in unit[0].split("\n    ") if "=" in part)
    assert said["ExecStart"] == f"{said['WorkingDirectory']}/.venv/bin/{line()}"
