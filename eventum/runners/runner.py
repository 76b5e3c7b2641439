"""What every run has in common: it recovers what dead runs left, and one surprise never stops it.

Flows in: the work of a command. Flows out: its result, and a note of the run for the health checks. The broad except of
the loops stands here and nowhere else.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from eventum.errors import Busy, Damaged, EventumError
from eventum.store.state import Run
from eventum.tracker import alerts
from eventum.tracker.tracker import Tracker

Result = TypeVar("Result")

log = logging.getLogger("eventum.runner")


class Unforeseen(Damaged):
    """A fault of ours that one mail or account brought about; its traceback is in the log."""


def guarded(work: Callable[[], Result]) -> Result | EventumError:
    """What the work returns, or why it failed: `Busy` for a disk that does not work, `Unforeseen` for a fault."""
    try:
        return work()
    except EventumError as error:
        return error
    except OSError as error:
        place = error.filename or "The data folder"
        return Busy(f"{place}: {error.strerror or error}; when the disk is mended it goes on.")
    # Whatever one mail or one account brings about, the others must go on; the traceback is for whoever mends it.
    except Exception as error:
        log.exception("unforeseen")
        return Unforeseen(f"{type(error).__name__}: {error}")


@contextmanager
def running(tracker: Tracker, command: str) -> Iterator[list[str]]:
    """One run of a command: recover before, note how it went after. What is put on the list went wrong."""
    started = tracker.clock()
    problems: list[str] = []
    try:
        recovered = tracker.recover()
        if recovered:
            log.info("%s: took back %d mails of runs that died", command, recovered)
        alerts.tell(tracker)
        yield problems
    except BaseException as error:
        problems.append(str(error) or type(error).__name__)
        raise
    finally:
        run = Run(
            command=command,
            started=started,
            ended=tracker.clock(),
            ok=not problems,
            summary="; ".join(problems)[:1000],
        )
        guarded(lambda: tracker.state.save_run(run))
        guarded(lambda: alerts.tell(tracker))
