"""A team of its own for each test, which sends by the SMTP server of the session."""

import os
from pathlib import Path

import pytest

from tests.journeys.team import Team
from tests.servers.smtp_sink import Sink

# Postfix runs as root only, also a private one; whoever is not is told what he does not see.
collect_ignore = [] if os.geteuid() == 0 else ["test_postfix.py"]


def pytest_report_header() -> list[str]:
    return [] if os.geteuid() == 0 else ["not root: the journey through Postfix is left out"]


@pytest.fixture
def team(tmp_path: Path, sink: Sink) -> Team:
    team = Team(tmp_path)
    team.found(sink)
    return team
