"""What the environment says about this installation, read once and checked at once.

Flows in: the `EVENTUM_...` variables. Flows out: a `Config`, or `Damaged` with every problem named, not only the first.
What an administrator sets while the program runs is no configuration: it lies in the store (`flask settings`).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from eventum.errors import Damaged

LOG_FORMATS = ("text", "json")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Where things lie and how we speak. All paths are absolute; `base_url` has no slash at its end."""

    data: Path
    secret_file: Path
    cache: Path | None = None  # None: a folder of this user named after the store, see `cache_of`.
    base_url: str = ""  # "": what General Setup says.
    log_format: str = "text"
    trusted_proxies: int = 0  # How many stand before us, each of which adds the address it was asked from.

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Config":
        """The configuration of this process. Raises `Damaged` with all problems in one sentence each."""
        config = cls(
            data=_path(environment.get("EVENTUM_DATA") or "data"),
            secret_file=_path(environment.get("EVENTUM_SECRET_FILE") or "instance/secret.json"),
            cache=_path(environment["EVENTUM_CACHE"]) if environment.get("EVENTUM_CACHE") else None,
            base_url=environment.get("EVENTUM_BASE_URL", "").rstrip("/"),
            log_format=environment.get("EVENTUM_LOG_FORMAT") or "text",
            trusted_proxies=_count(environment.get("EVENTUM_TRUSTED_PROXIES", "")),
        )
        if problems := config.problems():
            raise Damaged(" ".join(problems))
        return config

    def problems(self) -> list[str]:
        """What is wrong, a sentence each; nothing is made or written to find out."""
        found = []
        if self.data.exists() and not self.data.is_dir():
            found.append(f"EVENTUM_DATA is {self.data}, which is not a folder.")
        if self.cache is not None and self.cache.exists() and not self.cache.is_dir():
            found.append(f"EVENTUM_CACHE is {self.cache}, which is not a folder.")
        if self.cache is not None and self.cache.is_relative_to(self.data):
            # Hosts share the data and must not share the cache, nor should a backup hold it.
            found.append(f"EVENTUM_CACHE is {self.cache}, which lies in the data folder; choose a place outside.")
        if self.secret_file.is_dir():
            found.append(f"EVENTUM_SECRET_FILE is {self.secret_file}, which is a folder; name a file.")
        if self.secret_file.is_relative_to(self.data):
            found.append(
                f"EVENTUM_SECRET_FILE is {self.secret_file}, which lies in the data folder; "
                "a copy of the data would hold its key, so choose a place outside."
            )
        if self.base_url and not is_base_url(self.base_url):
            found.append(f"EVENTUM_BASE_URL is {self.base_url!r}; write it like https://issues.example.org.")
        if self.log_format not in LOG_FORMATS:
            found.append(f"EVENTUM_LOG_FORMAT is {self.log_format!r}; choose {' or '.join(LOG_FORMATS)}.")
        if self.trusted_proxies < 0:
            found.append(
                "EVENTUM_TRUSTED_PROXIES is no number; write how many proxies stand before us, like 1, or none."
            )
        return found

    def cache_of(self, store_id: str) -> Path:
        """The folder of the derived index and readings of this store, host and user; safe to delete."""
        return self.cache or Path("~/.cache/eventum").expanduser() / store_id


def is_base_url(text: str) -> bool:
    """Whether links can be made by adding a path to this."""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username) and text.isprintable() and " " not in text
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain and port_is_fine


def _path(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))


def _count(text: str) -> int:
    """The number, 0 for none said; -1 for what is no number, which `problems` names."""
    if text in ("", "none"):
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1
