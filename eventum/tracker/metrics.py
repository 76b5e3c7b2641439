"""What `/metrics` tells: the numbers an operator watches from outside, in the text form of Prometheus.

Flows in: a tracker. Flows out: text. Only names of files in the working folders, and notes of runs, are looked at:
nothing here grows with the mail that is kept. A part that cannot be read is left out, `eventum_unreadable` counts it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import NamedTuple

from eventum.errors import EventumError
from eventum.store.maildir import keys
from eventum.tracker.health import FETCH, SEND, health
from eventum.tracker.mailbox_states import name_of
from eventum.tracker.patience import waits_until
from eventum.tracker.room import MEGA
from eventum.tracker.tracker import Tracker


class Metric(NamedTuple):
    """One name that is told: of which type it is, and what it says."""

    type: str
    help: str


# Names keep their meaning: alert rules are written with them. docs/running.md has the same table.
METRICS = MappingProxyType(
    {
        "eventum_info": Metric("gauge", "Always 1; the label `version` says which version runs."),
        "eventum_health_level": Metric(
            "gauge", "Level of Health as a whole: 0 ok, 1 warning, 2 critical, 3 cannot tell."
        ),
        "eventum_check_level": Metric("gauge", "Level of each check of Health, 0 to 3 as of the whole."),
        "eventum_run_age_seconds": Metric("gauge", "Seconds since the last run of a command ended."),
        "eventum_run_ok": Metric("gauge", "1 when all went well in the last run of a command."),
        "eventum_account_success_age_seconds": Metric(
            "gauge", "Seconds since the account was fetched without an error."
        ),
        "eventum_account_failures": Metric("gauge", "Tries in a row to fetch the account that failed."),
        "eventum_account_failing_seconds": Metric("gauge", "Seconds since the account began to fail, 0 when it works."),
        "eventum_account_next_try_seconds": Metric(
            "gauge", "Seconds until the account is tried again, 0 for the next run."
        ),
        "eventum_account_backlog_mails": Metric("gauge", "Mails the last run left on the server for the next."),
        "eventum_account_passed_over_mails": Metric("gauge", "Mails the server could not give."),
        "eventum_spool_mails": Metric("gauge", "Mails that came in: `in` undecided, `dead`, `done` in the last day."),
        "eventum_spool_oldest_age_seconds": Metric(
            "gauge", "Seconds since the oldest undecided mail came, 0 for none."
        ),
        "eventum_queue_mails": Metric("gauge", "Mails to be sent: `pending`, `deferred`, `held`, `failed`."),
        "eventum_queue_oldest_due_age_seconds": Metric(
            "gauge", "Seconds since the oldest due mail is due, 0 for none."
        ),
        "eventum_mails_sent_total": Metric("counter", "Mails the outgoing server took."),
        "eventum_mails_deferred_total": Metric("counter", "Answers to try again later."),
        "eventum_mails_failed_total": Metric("counter", "Mails that were refused for good."),
        "eventum_smtp_failures": Metric("gauge", "Tries in a row to reach the outgoing server that failed."),
        "eventum_smtp_failing_seconds": Metric(
            "gauge", "Seconds since the outgoing server began to fail, 0 when it works."
        ),
        "eventum_disk_free_bytes": Metric("gauge", "Bytes free on the disk of the data folder."),
        "eventum_disk_free_files": Metric("gauge", "Files that may still be made on that disk."),
        "eventum_disk_limit_bytes": Metric("gauge", "Bytes free below which no mail is fetched, 0 for no limit."),
        "eventum_index_lag_bytes": Metric("gauge", "Bytes of the journal the index of this host did not read yet."),
        "eventum_fuses_blown": Metric("gauge", "Counters of the loop fuse that are over their limit."),
        "eventum_alerts_open": Metric("gauge", "Troubles administrators were told of that are not over."),
        "eventum_unreadable": Metric("gauge", "Parts of this page that could not be read."),
    }
)

Sample = tuple[str, Mapping[str, str], float]


def text(tracker: Tracker) -> str:
    """The whole page. Never raises an error of ours."""
    found: dict[str, list[str]] = {}
    for name, labels, value in _samples(tracker):
        inside = ",".join(f'{label}="{_escaped(said)}"' for label, said in labels.items())
        found.setdefault(name, []).append(f"{name}{{{inside}}} {value:.15g}" if inside else f"{name} {value:.15g}")
    lines: list[str] = []
    for name, samples in found.items():
        lines += [f"# HELP {name} {METRICS[name].help}", f"# TYPE {name} {METRICS[name].type}", *samples]
    return "\n".join(lines) + "\n"


def _samples(tracker: Tracker) -> Iterator[Sample]:
    yield "eventum_info", {"version": release()}, 1
    parts: tuple[Callable[[Tracker], Iterator[Sample]], ...] = (
        *(_health, _runs, _accounts, _spool, _queue, _sending, _disk, _index, _troubles),
    )
    unreadable = 0
    for part in parts:
        try:
            yield from part(tracker)
        except (EventumError, OSError):
            unreadable += 1
    yield "eventum_unreadable", {}, unreadable


def release() -> str:
    """The version of this program, "unknown" when it runs from a folder and was never installed."""
    try:
        return version("eventum")
    except PackageNotFoundError:
        return "unknown"


def _health(tracker: Tracker) -> Iterator[Sample]:
    found = health(tracker, {})
    yield "eventum_health_level", {}, found.level
    for check in found.checks:
        name = "account" if check.account else check.name
        yield (
            "eventum_check_level",
            {"check": name} | ({"account": check.account} if check.account else {}),
            check.level,
        )


def _runs(tracker: Tracker) -> Iterator[Sample]:
    runs = {command: run for command in (FETCH, SEND) if (run := tracker.state.run(command)) is not None}
    for command, run in runs.items():
        yield "eventum_run_age_seconds", {"command": command}, _age(tracker, run.ended)
    for command, run in runs.items():
        yield "eventum_run_ok", {"command": command}, run.ok


def _accounts(tracker: Tracker) -> Iterator[Sample]:
    now = tracker.clock()
    for account in tracker.settings.usable_accounts():
        if not account.is_fetched:
            continue
        try:
            state = tracker.state.fetch(account.id)
        except EventumError:
            continue  # `eventum_check_level` of the account says so.
        labels = {"account": account.id, "name": name_of(account)}
        if state.last_success is not None:
            yield "eventum_account_success_age_seconds", labels, _age(tracker, state.last_success)
        upcoming = waits_until(state, account, now)
        progress = tracker.downloads.of(account.id)
        yield "eventum_account_failures", labels, state.failures
        yield "eventum_account_failing_seconds", labels, _age(tracker, state.error_since)
        yield "eventum_account_next_try_seconds", labels, (upcoming - now).total_seconds() if upcoming else 0
        yield "eventum_account_backlog_mails", labels, max(0, progress.waiting - progress.fetched)
        yield "eventum_account_passed_over_mails", labels, len(state.passed_over)


def _spool(tracker: Tracker) -> Iterator[Sample]:
    yield "eventum_spool_mails", {"state": "in"}, tracker.spool.backlog()
    yield "eventum_spool_mails", {"state": "dead"}, tracker.spool.buried()
    yield "eventum_spool_mails", {"state": "done"}, sum(1 for _ in keys(tracker.layout.done))
    yield "eventum_spool_oldest_age_seconds", {}, _age(tracker, tracker.spool.oldest())


def _queue(tracker: Tracker) -> Iterator[Sample]:
    # Not `sent`: that folder keeps all mail until it is truncated.
    counts = {"pending": 0, "deferred": 0, "held": 0, "failed": 0}
    for _, status in tracker.outbox.names("pending", "deferred"):
        counts[status] += 1
    counts["held"] = sum(1 for _ in keys(tracker.layout.held))
    counts["failed"] = tracker.outbox.failures()
    for state, count in counts.items():
        yield "eventum_queue_mails", {"status": state}, count
    due = [entry.not_before or entry.arrival_ns / 1e9 for entry in tracker.outbox.due()]
    oldest = datetime.fromtimestamp(min(due), UTC) if due else None
    yield "eventum_queue_oldest_due_age_seconds", {}, _age(tracker, oldest)


def _sending(tracker: Tracker) -> Iterator[Sample]:
    state = tracker.state.sending()
    yield "eventum_mails_sent_total", {}, state.sent
    yield "eventum_mails_deferred_total", {}, state.deferred
    yield "eventum_mails_failed_total", {}, state.failed
    yield "eventum_smtp_failures", {}, state.failures
    yield "eventum_smtp_failing_seconds", {}, _age(tracker, state.error_since)


def _disk(tracker: Tracker) -> Iterator[Sample]:
    room = tracker.room()
    yield "eventum_disk_free_bytes", {}, room.free
    if room.files is not None:
        yield "eventum_disk_free_files", {}, room.files
    yield "eventum_disk_limit_bytes", {}, tracker.settings.general().disk.min_free * MEGA


def _index(tracker: Tracker) -> Iterator[Sample]:
    yield "eventum_index_lag_bytes", {}, tracker.index.behind()


def _troubles(tracker: Tracker) -> Iterator[Sample]:
    yield "eventum_fuses_blown", {}, len(tracker.fuses.load().blown)
    yield "eventum_alerts_open", {}, sum(1 for _ in tracker.alerts.open())


def _age(tracker: Tracker, moment: datetime | None) -> float:
    return max(0.0, (tracker.clock() - moment).total_seconds()) if moment else 0.0


def _escaped(said: str) -> str:
    return said.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
