"""Every mail that came in, under one name that stays for a day: `spool/kept/cur/<key>:2,S`, a second name of its file.

Flows in: accepted mail. Flows out: its path. A mail moves while it is decided, and whoever copies the store with `cp`
or `tar` meanwhile may look into each folder just when the mail is in another. Here it is from before anybody is told
that we have it until a day after its last move, and as long as it lies in the pool or in `dead`, whose mails a person
may move at any time; so each copy has it, in whatever order it was made. `copied` brings such a copy together.
"""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from eventum.store import files
from eventum.store.layout import Layout, maildir
from eventum.store.maildir import entry_of, keys, search

KEPT_FOR = 24 * 3600  # Seconds since the last move; no copy takes that long.


def keep(layout: Layout, path: str, key: str) -> bool:
    """Give a mail that is about to be accepted, or goes to the pool, its second name; False when it has it."""
    return files.link(path, f"{maildir(layout.kept)[2]}/{key}:2,S")


def let_go(layout: Layout, names: Iterable[str]) -> None:
    """Forget mails that a person deleted for good."""
    for key in names:
        path = search(layout.kept, key)
        if path is not None:
            files.remove(path)


def rests_since(item: "os.DirEntry[str]", now: float) -> float:
    """When a mail came to rest, in seconds since 1970. Raises `FileNotFoundError`.

    The time of last change says when the mail came; that of the inode, when it was moved last: every link and unlink
    changes it. One that is to come was written by a clock that was ahead: its day begins now.
    """
    status = item.stat(follow_symlinks=False)
    if status.st_ctime > now + KEPT_FOR:
        os.chmod(item.path, stat.S_IMODE(status.st_mode))
    return status.st_ctime


def prune(layout: Layout, before: float | None, now: float) -> None:
    """Forget those that came to rest in an issue before this moment (seconds since 1970; None: none did)."""
    accounts = [Path(entry.path) for entry in files.listing(layout.pool)]
    elsewhere: set[str] | None = None
    for item in files.listing(maildir(layout.kept)[2]):
        with contextlib.suppress(FileNotFoundError):
            if rests_since(item, now) >= (before or 0.0):
                continue
        if elsewhere is None:
            elsewhere = {*keys(layout.dead), *keys(layout.incoming)}
        key = entry_of(item.path).key
        if key not in elsewhere and not any(files.exists(account / f"{key}.json") for account in accounts):
            files.remove(item.path)
