"""The lines that keep this installation going: for cron, and the files of systemd's timers.

Flows in: the configuration. Flows out: text to be copied, with this place's paths, user and variables filled in. What
is the default is left out. Nothing is installed here; what hands over mail is in `mail_servers`.
"""

import os
import pwd
import shlex
import sys
from pathlib import Path
from types import MappingProxyType

from eventum.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent
VARIABLES = (
    *("EVENTUM_DATA", "EVENTUM_CACHE", "EVENTUM_SECRET_FILE", "EVENTUM_BASE_URL", "EVENTUM_LOG_FORMAT"),
    "EVENTUM_TRUSTED_PROXIES",
)
TIMES = MappingProxyType({"download-emails": "*/5 * * * *", "process-queue": "* * * * *"})
# The same for systemd (systemd.time(7)), and what it is for, in its journal.
CALENDARS = MappingProxyType({"download-emails": "*:0/5", "process-queue": "*:0/1"})
DESCRIPTIONS = MappingProxyType({"download-emails": "fetch e-mails", "process-queue": "send what is due"})

WATCH = "watch-emails"


def user() -> str:
    """The system user this runs as, who owns the store."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # A container may run as a number.
        return str(os.geteuid())


def variables(config: Config) -> dict[str, str]:
    """What a command has to be told of this place, beside being started in its folder."""
    told = {
        "EVENTUM_DATA": str(config.data) if config.data != ROOT / "data" else "",
        "EVENTUM_CACHE": str(config.cache or ""),
        "EVENTUM_SECRET_FILE": str(config.secret_file) if config.secret_file != ROOT / "instance/secret.json" else "",
        "EVENTUM_BASE_URL": config.base_url,
        "EVENTUM_LOG_FORMAT": config.log_format if config.log_format != "text" else "",
    }
    return {name: value for name, value in told.items() if value}


def lines(config: Config) -> dict[str, str]:
    """A line for `crontab -e` by command; % is a newline to cron."""
    told = [f"{name}={shlex.quote(value)}" for name, value in variables(config).items()]
    start = " ".join([f"cd {shlex.quote(str(ROOT))} &&", *told, shlex.join(program())]).replace("%", "\\%")
    return {command: f"{times} {start} {command} >/dev/null" for command, times in TIMES.items()}


def units(config: Config) -> dict[str, str]:
    """The files of systemd (systemd.service(5), systemd.timer(5)) by name, for /etc/systemd/system."""
    found = {}
    for command, description in DESCRIPTIONS.items():
        found[f"eventum-{command}.service"] = _service(config, command, description, "Type=oneshot")
        found[f"eventum-{command}.timer"] = "\n".join(
            [
                "[Unit]",
                f"Description=Eventum: {description}, again and again",
                "",
                "[Timer]",
                f"OnCalendar={CALENDARS[command]}",
                "",
                "[Install]",
                "WantedBy=timers.target",
                "",
            ]
        )
    return found


def watching(config: Config) -> dict[str, str]:
    """The one service that does what both timers do, at once: by name, for /etc/systemd/system."""
    text = _service(config, WATCH, "fetch e-mails as they come, send what is due", "Restart=always", "RestartSec=10")
    return {f"eventum-{WATCH}.service": f"{text}\n[Install]\nWantedBy=multi-user.target\n"}


def _service(config: Config, command: str, description: str, *kind: str) -> str:
    return "\n".join(
        [
            "[Unit]",
            f"Description=Eventum: {description}",
            "After=network-online.target",
            "",
            "[Service]",
            *kind,
            f"User={user()}",
            f"WorkingDirectory={_unit(str(ROOT))}",
            *(f'Environment="{name}={_quoted(value)}"' for name, value in variables(config).items()),
            f"ExecStart={' '.join(_word(word) for word in (*program(), command))}",
            "",
        ]
    )


def program() -> tuple[str, ...]:
    """How a command is started: the `flask` of the virtual environment, or its Python where that was not how."""
    script = Path(os.path.abspath(sys.argv[0]))
    return (str(script),) if script.name == "flask" else (sys.executable, "-m", "flask")


def _unit(text: str) -> str:
    """A path in a unit file: % begins a specifier there."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """Text inside double quotes of a unit file."""
    return _unit(text).replace("\\", "\\\\").replace('"', '\\"')


def _word(text: str) -> str:
    """A word of ExecStart, where $ begins a variable too."""
    escaped = _quoted(text).replace("$", "$$")
    return f'"{escaped}"' if escaped != text or any(char.isspace() or char in "';" for char in text) else text
