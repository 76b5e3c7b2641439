"""Download now: one account is fetched by a process of its own, which outlives the request that began it.

Flows in: an account, and who asked. Flows out: whether a run was begun, and how far the last one is. The process is the
same command that cron runs, with nothing of the web server's but where the store lies; it notes its progress in the
store, where every host and worker sees it.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from eventum.errors import Refused
from eventum.issues.accounts import Account
from eventum.runners.fetching import fetchable
from eventum.store.downloads import Progress
from eventum.tracker.imports import state_of
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ROOT = Path(__file__).resolve().parent.parent.parent
BEGINS_WITHIN = timedelta(seconds=30)  # A process that notes nothing for so long never began.
# What a process needs of its surroundings; all else, above all what Flask's own server sets, stays behind.
KEPT = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PYTHONPATH",
)

Phase = Literal["none", "starting", "running", "done", "failed", "died"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is shown; `words` is the end of what it said when it died."""

    phase: Phase
    progress: Progress
    words: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it is worth asking again."""
        return self.phase in ("starting", "running")


def seen(tracker: Tracker, account: Account) -> Seen:
    """How far the last run of this account is."""
    progress = tracker.downloads.of(account.id)
    if progress.maker:
        if progress.ended is not None:
            return Seen(phase="failed" if progress.error else "done", progress=progress)
        if tracker.downloads.lives(progress):
            return Seen(phase="running", progress=progress)
        # It may have ended since it was read.
        progress = tracker.downloads.of(account.id)
        if progress.ended is not None:
            return Seen(phase="failed" if progress.error else "done", progress=progress)
    elif progress.asked is None:
        return Seen(phase="none", progress=progress)
    elif abs(tracker.clock() - progress.asked) < BEGINS_WITHIN:
        return Seen(phase="starting", progress=progress)
    return Seen(phase="died", progress=progress, words=tracker.downloads.last_words(account.id))


def begin(tracker: Tracker, account: Account) -> bool:
    """Begin to fetch this account, unless a run of it goes on: then False, and that run is the one to watch.

    Raises `Refused` for an account that nothing is fetched for, `Busy`.
    """
    if not fetchable([account]):
        raise Refused(N_("This account is not fetched: it is paused, or its mail is delivered to us."))
    # Two clicks, on whatever worker or host, come one after the other here.
    with tracker.locks.record("download"):
        if seen(tracker, account).goes_on:
            return False
        tracker.downloads.note(account.id, Progress(asked=tracker.clock()))
        with tracker.downloads.output(account.id) as output:
            _start(tracker, ("download-emails", "--account", account.id), output)
    return True


def begin_undo(tracker: Tracker, ident: str) -> str:
    """Begin to undo an import, unless that goes on or is done; the account it brought mail to.

    Raises `NotFound`, `Refused`, `Damaged`, `Busy`.
    """
    with tracker.locks.record("download"):
        one = tracker.imports.load(ident)
        if state_of(tracker, one) not in ("undoing", "undone"):
            # Whoever looks next sees that it was asked for, and nobody goes on with the import.
            tracker.imports.save(msgspec.structs.replace(one, undoing=tracker.clock()))
            _start(tracker, ("import-mail", "--undo", one.id), subprocess.DEVNULL)
    return one.account


def _start(tracker: Tracker, words: Sequence[str], output: BinaryIO | int) -> None:
    """A command in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", *words],
        cwd=ROOT,
        env=surroundings(tracker),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # Somebody has to hear of its end, or it stays in the table of processes as long as the server runs.
    threading.Thread(target=process.wait, name=f"run-{process.pid}", daemon=True).start()


def surroundings(tracker: Tracker) -> dict[str, str]:
    """The environment of a process that works on the same store."""
    config = tracker.config
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ours = {
        "EVENTUM_DATA": str(config.data),
        "EVENTUM_SECRET_FILE": str(config.secret_file),
        "EVENTUM_CACHE": str(config.cache or ""),
        "EVENTUM_BASE_URL": config.base_url,
        "EVENTUM_LOG_FORMAT": config.log_format,
    }
    return kept | {name: value for name, value in ours.items() if value}
