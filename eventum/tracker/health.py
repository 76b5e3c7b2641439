"""How the installation is: whether the runs come, whether mail waits too long, whether anything needs a person.

Flows in: a tracker and the cron lines of this place. Flows out: checks with their levels and what to do, in the
reader's language. Nothing is changed, and one check that cannot tell does not hide the others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from eventum.errors import Damaged, EventumError
from eventum.issues.accounts import Account
from eventum.tracker import patience
from eventum.tracker.checks import CRITICAL, OK, UNKNOWN, WARNING, Check, Health, Level
from eventum.tracker.looking import Look
from eventum.tracker.patience import TROUBLE
from eventum.tracker.room import short
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

FAILURES = 3  # Runs in a row after which a failing account is no passing trouble.
# Below this a disk is nearly full, and full: bytes free, and the part of its files that may still be made.
NEARLY_FULL = (1_000_000_000, 0.05)
FULL = (100_000_000, 0.01)
CLOCKS_DIFFER = timedelta(minutes=5)  # between hosts that share a store
SHOWN = 5  # Troubles that are said in one check.
SHOWN_ELSEWHERE = ("account-", "smtp", "disk")  # Names of troubles that have a check of their own.
CRON = N_("Is cron running? This line belongs into its table (crontab -e):")
FETCH, SEND = "download-emails", "process-queue"


def health(tracker: Tracker, cron: Mapping[str, str], say: Say = str) -> Health:
    """How this installation is; `cron` are the lines for `crontab -e`, by command. Never raises an error of ours."""
    try:
        tracker.open()
    except (EventumError, OSError) as error:
        return Health(UNKNOWN, (Check("store", UNKNOWN, say(N_("cannot be used")), words=text_of(error, say)),))
    checks = tuple(Looks(tracker, cron, say).all())
    levels = {check.level for check in checks}
    # Something that is broken for certain says more than something that cannot be told.
    order: tuple[Level, ...] = (CRITICAL, UNKNOWN, WARNING, OK)
    return Health(next(level for level in order if level in levels), checks)


def text_of(error: Exception, say: Say) -> str:
    """What an error says, in the reader's language as far as it is ours."""
    if isinstance(error, EventumError):
        return say(error.message).format(**error.values) if error.values else say(error.message)
    return str(error)


class Looks(Look):
    """The checks of one look."""

    def all(self) -> Iterator[Check]:
        """Each check; one that fails says so and the next goes on."""
        named: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
            ("store", self._store),
            (FETCH, lambda: self._run(FETCH, is_needed=bool(self.fetched()))),
            (SEND, lambda: self._run(SEND, is_needed=True)),
            ("accounts", lambda: self.accounts(self.fetched())),
            ("spool", self._spool),
            ("queue", self._queue),
            ("failed", self._failed),
            ("dead", self._dead),
            ("disk", self._disk),
            ("alerts", self._alerts),
        )
        for name, check in named:
            try:
                yield from check()
            except (EventumError, OSError) as error:
                yield self._unknown(name, error)

    def runs(self) -> Iterator[Check]:
        """Those of the two commands that cron starts."""
        for name in (FETCH, SEND):
            try:
                yield from self._run(name, is_needed=name == SEND or bool(self.fetched()))
            except (EventumError, OSError) as error:
                yield self._unknown(name, error)

    def _unknown(self, name: str, error: Exception, account: str = "") -> Check:
        value = self._say(N_("cannot tell"))
        return Check(name, UNKNOWN, value, words=text_of(error, self._say), account=account)

    def fetched(self) -> list[Account]:
        """The accounts that a server or folder is asked for."""
        return [one for one in self._tracker.settings.usable_accounts() if one.is_fetched]

    def _store(self) -> Iterator[Check]:
        damaged = self._tracker.damaged()
        self._tracker.settings.general()
        if damaged:
            value = self._text(N_("{count} file cannot be used"), len(damaged), N_("{count} files cannot be used"))
            yield Check("store", CRITICAL, value, line="flask verify", words=" ".join(damaged))
        else:
            yield Check("store", OK, str(self._tracker.layout.root))

    def _run(self, command: str, *, is_needed: bool) -> Iterator[Check]:
        last = self._tracker.state.noted_run(command)
        say, line = self._say, self._cron.get(command, "")
        if last is None:
            if is_needed:
                yield Check(command, CRITICAL, say(N_("never ran")), say(CRON), line)
            else:
                yield Check(command, OK, say(N_("not needed: no account is fetched")))
            return
        level: Level = self._lateness(last.ended, command) if is_needed else OK
        if last.ended > self._now + CLOCKS_DIFFER:
            # Until that time comes, a cron that died meanwhile would look as if it had run just now.
            value = self._text(N_("ran at {when}, which is to come"), when=last.ended.isoformat(timespec="seconds"))
            yield Check(command, WARNING, value, f"{say(N_('The clock was ahead then.'))} {say(CRON)}", line)
        elif level == OK and not last.ok:
            value = self._text(N_("{ago}, not all of it done"), ago=self._ago(last.ended))
            yield Check(command, WARNING, value, words=last.summary)
        else:
            yield Check(command, level, self._ago(last.ended), *((say(CRON), line) if level else ("", "")))

    def accounts(self, accounts: list[Account]) -> Iterator[Check]:
        """How fetching goes, of these accounts."""
        for account in accounts:
            try:
                yield self._account(f"account {account.id}", account)
            except (EventumError, OSError) as error:
                yield self._unknown(f"account {account.id}", error, account.id)

    def _account(self, name: str, account: Account) -> Check:
        state = self._tracker.state.fetch(account.id)
        if state.error:
            ago = self._ago(state.error_since or self._now)
            level: Level = CRITICAL if state.failures >= FAILURES else WARNING
            # What the server is not to blame for, as a full disk, counts as no failure.
            value = self._text(
                N_("failing; it began {ago}"),
                max(state.failures, 1),
                N_("failing, {count} times in a row; it began {ago}"),
                ago=ago,
            )
            hint = self._next_try(patience.waits_until(state, account, self._now))
            line = f"flask accounts test {account.id}"
            return Check(name, level, value, hint, line, state.why.by(self._say) or state.error, account.id)
        if state.last_success is None:
            hint = self._say(N_("The next run fetches it."))
            value = self._say(N_("never fetched"))
            return Check(name, WARNING, value, hint, "flask download-emails", account=account.id)
        if left := state.passed_over:
            one = N_("{count} mail could not be fetched and is on the server")
            value = self._text(one, len(left), N_("{count} mails could not be fetched and are on the server"))
            return Check(name, WARNING, value, words=left[-1], account=account.id)
        # Truth is one: when no run comes, no account is well either.
        level = self._lateness(state.last_success, FETCH)
        value = self._text(N_("fetched {ago}"), ago=self._ago(state.last_success))
        hint = self._say(N_("The runs do not come, or skip it.")) if level else ""
        return Check(name, level, value, hint, account=account.id)

    def _spool(self) -> Iterator[Check]:
        oldest, count = self._tracker.spool.oldest(), self._tracker.spool.backlog()
        level: Level = self._lateness(oldest, "mail") if oldest else OK
        value = self._text(N_("{count} mail not decided"), count, N_("{count} mails not decided"))
        hint = self._say(N_("A run decides them, and says why they wait.")) if level else ""
        yield Check("spool", level, f"{value}{self._since(oldest)}", hint, "flask process-queue" if level else "")

    def _queue(self) -> Iterator[Check]:
        due, waiting = self._tracker.outbox.due(), self._tracker.outbox.remaining()
        oldest = min((self._due_since(entry.not_before, entry.arrival_ns) for entry in due), default=None)
        level: Level = self._lateness(oldest, "mail") if oldest else OK
        sending, last = self._tracker.state.sending(), self._tracker.state.run(SEND)
        words = sending.why.by(self._say) or sending.error
        if not words and level and last and not last.ok:
            words = last.summary
        hint = self._say(N_("A run sends them, and says why not.")) if level and not words else ""
        if sending.error:
            # The mail that tells of it waits in this very queue, so this says it at once.
            level = max(level, CRITICAL if self._now - (sending.error_since or self._now) > TROUBLE else WARNING)
            hint = self._next_try(sending.next_try) if sending.next_try and sending.next_try > self._now else hint
        value = self._text(N_("{count} mail due"), len(due), N_("{count} mails due")) + self._since(oldest)
        value += self._text(N_(", {count} waits in all"), waiting, N_(", {count} wait in all"))
        yield Check("queue", level, value, hint, "flask process-queue" if level else "", words)

    def _due_since(self, not_before: int, arrival_ns: int) -> datetime:
        return datetime.fromtimestamp(not_before or arrival_ns / 1e9, UTC)

    def _failed(self) -> Iterator[Check]:
        count = self._tracker.outbox.failures()
        one, many = N_("{count} mail was refused for good"), N_("{count} mails were refused for good")
        hint = self._say(N_("Read why, then retry or delete them.")) if count else ""
        line = "flask queue list --status failed" if count else ""
        yield Check("failed", WARNING if count else OK, self._text(one, count, many), hint, line)

    def _dead(self) -> Iterator[Check]:
        count = self._tracker.spool.buried()
        one, many = N_("{count} mail no run could handle"), N_("{count} mails no run could handle")
        hint = self._say(N_("Read why, then try them again or delete them.")) if count else ""
        yield Check(
            "dead", CRITICAL if count else OK, self._text(one, count, many), hint, "flask dead list" if count else ""
        )

    def _disk(self) -> Iterator[Check]:
        root, found = self._tracker.layout.root, self._tracker.room()
        free, inodes = found.free, found.part_of_files
        grades: tuple[tuple[Level, int, float], ...] = ((CRITICAL, *FULL), (WARNING, *NEARLY_FULL))
        level: Level = next((grade for grade, least, part in grades if free < least or inodes < part), OK)
        value = self._text(N_("{free} GB and {part} of the files free"), free=f"{free / 1e9:.1f}", part=f"{inodes:.0%}")
        hint = self._text(N_("Free some space for {root}."), root=root) if level else ""
        with suppress(Damaged):  # The check of the store names a General Setup that cannot be read.
            if stopped := short(self._tracker):
                level, hint = CRITICAL, text_of(stopped, self._say)
        yield Check("disk", level, value, hint)

    def _alerts(self) -> Iterator[Check]:
        """Troubles that no other check of this list shows; those that one does are in it."""
        found = tuple(self._tracker.alerts.open())
        value = self._text(N_("{count} trouble is there"), len(found), N_("{count} troubles are there"))
        shown = [one for one in found if not one.name.startswith(SHOWN_ELSEWHERE)]
        words = " ".join(one.begun.by(self._say) for one in shown[:SHOWN])
        line = next((one.line for one in shown if one.line), "")
        hint = " ".join(dict.fromkeys(one.hint.by(self._say) for one in shown[:SHOWN] if one.hint.message))
        yield Check(
            "alerts",
            WARNING if found else OK,
            value + self._since(found[0].since if found else None),
            hint,
            line,
            words,
        )
