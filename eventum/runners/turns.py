"""One turn of fetching and one of sending: what cron starts by command, and `watch-emails` again and again.

Flows in: an open tracker. Flows out: what was done and what went wrong, noted as the run of that command.
"""

from collections.abc import Sequence

import msgspec

from eventum.issues.accounts import Account
from eventum.runners.fetch import Fetch
from eventum.runners.fetching import Download, Progress, fetchable
from eventum.runners.incoming import Incoming
from eventum.runners.outgoing import Outgoing, Sent
from eventum.runners.runner import guarded, running
from eventum.tracker.texts import AFTER_A_RUN, take_in
from eventum.tracker.tracker import Tracker

FETCH, SEND = "download-emails", "process-queue"


class Turn(msgspec.Struct, kw_only=True):
    """How a turn went; `problems` are all that went wrong, `damaged` those that a damaged file is to blame for."""

    fetches: list[Fetch] = msgspec.field(default_factory=list)
    sent: Sent | None = None
    problems: list[str] = msgspec.field(default_factory=list)
    damaged: list[str] = msgspec.field(default_factory=list)
    waiting: list[str] = msgspec.field(default_factory=list)  # why mails wait although they could be decided otherwise
    held_by_another: bool = False


def fetch(
    tracker: Tracker,
    accounts: Sequence[Account],
    limit: int = 0,
    on_progress: Progress = lambda count: None,
    *,
    insist: bool = False,
) -> Turn:
    """Fetch these accounts and decide what came; `insist`: those that failed and wait, too.

    Raises as `recover` does when the store cannot be used.
    """
    turn = Turn()
    with running(tracker, FETCH) as problems:
        download = Download(tracker, limit, on_progress, insist=insist)
        turn.fetches = download.run(fetchable(accounts))
        turn.held_by_another, turn.waiting = download.held_by_another, download.problems
        turn.damaged = _damaged(tracker, download.damaged)
        problems += [*turn.damaged, *turn.waiting]
        problems += [f"{fetch.id}: {fetch.error}" for fetch in turn.fetches if fetch.error]
        problems += [f"{fetch.id}: mail could not be handled" for fetch in turn.fetches if fetch.outcomes.get("failed")]
        turn.problems = problems
    return turn


def send(tracker: Tracker, limit: int = 0, *, insist: bool = False) -> Turn:
    """Send what is due, after deciding what still waits in the spool; `insist`: though the server failed and waits.

    Raises as `fetch`.
    """
    turn = Turn()
    with running(tracker, SEND) as problems:
        incoming = Incoming(tracker)
        incoming.work()
        turn.sent = Outgoing(tracker).work(limit, insist=insist)
        if turn.sent.error:
            problems.append(turn.sent.error)
        # What came in by pipe while this run was sending need not wait for the next one.
        incoming.work()
        turn.damaged, turn.waiting = _damaged(tracker, incoming.damaged), list(incoming.problems)
        problems += [*turn.damaged, *turn.waiting]
        turn.problems = problems
    # Last of all, and what goes wrong with it is no fault of this run: nobody's mail waits for it to be searched.
    guarded(lambda: take_in(tracker, AFTER_A_RUN))
    return turn


def _damaged(tracker: Tracker, more: Sequence[str] | dict[str, None]) -> list[str]:
    return list(dict.fromkeys([*tracker.damaged(), *more]))
