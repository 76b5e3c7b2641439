"""The lines for `crontab -e` that keep this installation going, as `init` and `status` show them.

Flows in: where this runs and how it was started. Flows out: a line a command.
"""

import os
import shlex
import sys
from pathlib import Path

VARIABLES = ("EVENTUM_DATA", "EVENTUM_CACHE", "EVENTUM_SECRET_FILE", "EVENTUM_BASE_URL", "EVENTUM_LOG_FORMAT")
TIMES = {"download-emails": "*/5 * * * *", "process-queue": "* * * * *"}


def lines() -> dict[str, str]:
    """Lines for this place and this user, with the variables this was started with; % is a newline to cron."""
    variables = [f"{name}={shlex.quote(os.environ[name])}" for name in VARIABLES if os.environ.get(name)]
    start = " ".join([f"cd {shlex.quote(str(Path.cwd()))} &&", *variables, _program()])
    start = start.replace("%", "\\%")
    return {command: f"{times} {start} {command} >/dev/null" for command, times in TIMES.items()}


def _program() -> str:
    """How this was started: the `flask` of the virtual environment, or its Python when it was `python -m flask`."""
    script = Path(os.path.abspath(sys.argv[0]))
    if script.name == "flask":
        return shlex.quote(str(script))
    return f"{shlex.quote(sys.executable)} -m flask"
