"""How the installation is: whether the runs come, whether mail waits too long, whether anything needs a person.

Flows in: a tracker and the cron lines of this place. Flows out: checks with their levels and what to do. Nothing is
changed, and one check that cannot tell does not hide the others.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec

from eventum.errors import EventumError
from eventum.issues.accounts import TYPES, Account
from eventum.tracker.tracker import Tracker

Level = Literal[0, 1, 2, 3]
OK: Final = 0
WARNING: Final = 1
CRITICAL: Final = 2
UNKNOWN: Final = 3
# Minutes after which a thing that should happen every few is late, and too late.
LATE = {"download-emails": (20, 60), "process-queue": (10, 60), "mail": (20, 60)}
FAILURES = 3  # Runs in a row after which a failing account is no passing trouble.
# Below this a disk is nearly full, and full: bytes free, and the part of its files that may still be made.
NEARLY_FULL = (1_000_000_000, 0.05)
FULL = (100_000_000, 0.01)
CLOCKS_DIFFER = timedelta(minutes=5)  # between hosts that share a store


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: its level (0 ok, 1 warning, 2 critical, 3 cannot tell), and what to do."""

    name: str
    level: Level
    value: str
    hint: str = ""


class Health(msgspec.Struct, frozen=True):
    """All checks, and the level of the whole."""

    level: Level
    checks: tuple[Check, ...]


def health(tracker: Tracker, cron: Mapping[str, str]) -> Health:
    """How this installation is; `cron` are the lines for `crontab -e`, by command. Never raises an error of ours."""
    try:
        tracker.open()
    except (EventumError, OSError) as error:
        return Health(UNKNOWN, (Check("store", UNKNOWN, "cannot be used", str(error)),))
    checks = tuple(_Checks(tracker, cron).all())
    levels = {check.level for check in checks}
    # Something that is broken for certain says more than something that cannot be told.
    order: tuple[Level, ...] = (CRITICAL, UNKNOWN, WARNING, OK)
    return Health(next(level for level in order if level in levels), checks)


class _Checks:
    """The checks of one look."""

    def __init__(self, tracker: Tracker, cron: Mapping[str, str]) -> None:
        self._tracker = tracker
        self._cron = cron
        self._now = tracker.clock()

    def all(self) -> Iterator[Check]:
        """Each check; one that fails says so and the next goes on."""
        named: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
            ("store", self._store),
            ("download-emails", lambda: self._run("download-emails", is_needed=bool(self._fetched()))),
            ("process-queue", lambda: self._run("process-queue", is_needed=True)),
            ("accounts", self._accounts),
            ("spool", self._spool),
            ("queue", self._queue),
            ("failed", self._failed),
            ("dead", self._dead),
            ("disk", self._disk),
        )
        for name, check in named:
            try:
                yield from check()
            except (EventumError, OSError) as error:
                yield Check(name, UNKNOWN, "cannot tell", str(error))

    def _fetched(self) -> list[Account]:
        """The accounts that a server or folder is asked for."""
        accounts = self._tracker.settings.usable_accounts()
        return [one for one in accounts if not one.paused and TYPES[one.type].protocol != "delivered"]

    def _store(self) -> Iterator[Check]:
        damaged = [*self._tracker.people.damaged(), *self._tracker.settings.damaged_accounts().values()]
        self._tracker.settings.general()
        if damaged:
            yield Check("store", CRITICAL, f"{len(damaged)} files cannot be used", " ".join(damaged))
        else:
            yield Check("store", OK, str(self._tracker.layout.root))

    def _run(self, command: str, *, is_needed: bool) -> Iterator[Check]:
        last = self._tracker.state.run(command)
        cron = f"Is cron running? This line belongs into `crontab -e`: {self._cron.get(command, '')}"
        if last is None:
            yield Check(command, CRITICAL if is_needed else OK, "never ran", cron if is_needed else "")
            return
        level: Level = self._lateness(last.ended, command) if is_needed else OK
        if last.ended > self._now + CLOCKS_DIFFER:
            # Until that time comes, a cron that died meanwhile would look as if it had run just now.
            hint = f"The clock was ahead then. {cron}"
            yield Check(command, WARNING, f"ran at {last.ended.isoformat(timespec='seconds')}, which is to come", hint)
        elif level == OK and not last.ok:
            yield Check(command, WARNING, f"{self._ago(last.ended)}, not all of it done", last.summary)
        else:
            yield Check(command, level, self._ago(last.ended), cron if level else "")

    def _accounts(self) -> Iterator[Check]:
        for account in self._fetched():
            name = f"account {account.id}"
            try:
                yield self._account(name, account)
            except (EventumError, OSError) as error:
                yield Check(name, UNKNOWN, "cannot tell", str(error))

    def _account(self, name: str, account: Account) -> Check:
        state = self._tracker.state.fetch(account.id)
        if state.error:
            since = state.error_since or self._now
            level: Level = CRITICAL if state.failures >= FAILURES else WARNING
            value = f"failing since {self._ago(since)}, {state.failures} times in a row"
            return Check(name, level, value, f"{state.error} `flask accounts test {account.id}` tries it.")
        if state.last_success is None:
            return Check(name, WARNING, "never fetched", "Run `flask download-emails`.")
        if state.passed_over:
            value = f"{len(state.passed_over)} mails could not be fetched and are on the server"
            return Check(name, WARNING, value, state.passed_over[-1])
        return Check(name, OK, f"fetched {self._ago(state.last_success)}")

    def _spool(self) -> Iterator[Check]:
        oldest, count = self._tracker.spool.oldest(), self._tracker.spool.backlog()
        level: Level = self._lateness(oldest, "mail") if oldest else OK
        hint = "Run `flask process-queue`; what it says is why they wait." if level else ""
        yield Check("spool", level, f"{count} mails not decided{self._since(oldest)}", hint)

    def _queue(self) -> Iterator[Check]:
        due = self._tracker.outbox.due()
        oldest = min((self._due_since(entry.not_before, entry.arrival_ns) for entry in due), default=None)
        level: Level = self._lateness(oldest, "mail") if oldest else OK
        last = self._tracker.state.run("process-queue")
        hint = (last.summary if last and not last.ok else "") or "Run `flask process-queue`; what it says is why."
        value = f"{len(due)} mails due{self._since(oldest)}, {self._tracker.outbox.remaining()} wait in all"
        yield Check("queue", level, value, hint if level else "")

    def _due_since(self, not_before: int, arrival_ns: int) -> datetime:
        return datetime.fromtimestamp(not_before or arrival_ns / 1e9, UTC)

    def _failed(self) -> Iterator[Check]:
        count = sum(1 for _ in self._tracker.outbox.entries("failed"))
        hint = "`flask queue list --status failed` shows them; retry or delete them." if count else ""
        yield Check("failed", WARNING if count else OK, f"{count} mails were refused for good", hint)

    def _dead(self) -> Iterator[Check]:
        count = len(self._tracker.spool.dead())
        hint = "`flask dead list` says why; `flask dead retry ID` tries again." if count else ""
        yield Check("dead", CRITICAL if count else OK, f"{count} mails no run could handle", hint)

    def _disk(self) -> Iterator[Check]:
        found = os.statvfs(self._tracker.layout.root)
        free, inodes = found.f_bavail * found.f_frsize, found.f_favail / found.f_files if found.f_files else 1.0
        grades: tuple[tuple[Level, int, float], ...] = ((CRITICAL, *FULL), (WARNING, *NEARLY_FULL))
        level: Level = next((grade for grade, least, part in grades if free < least or inodes < part), OK)
        value = f"{free / 1e9:.1f} GB and {inodes:.0%} of the files free"
        yield Check("disk", level, value, f"Free some space for {self._tracker.layout.root}." if level else "")

    def _lateness(self, since: datetime, kind: str) -> Level:
        late, too_late = (timedelta(minutes=minutes) for minutes in LATE[kind])
        age = self._now - since
        return CRITICAL if age > too_late else WARNING if age > late else OK

    def _since(self, moment: datetime | None) -> str:
        return f", the oldest {self._ago(moment)}" if moment else ""

    def _ago(self, moment: datetime) -> str:
        seconds = max(0, int((self._now - moment).total_seconds()))
        for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if seconds >= 2 * size:
                return f"{seconds // size} {unit} ago"
        return f"{seconds} seconds ago"
