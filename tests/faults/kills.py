"""SIGKILL at every call that changes something: of a download, of the sending, of what people do; then all goes on.

The rows: `kill-<mailbox>` and `kill-process-queue` (every place of a small run), `kill-<what somebody does>` (every
place of it; see `posts`), `kill-many` (a mailbox of 200: the first, middle and last place of every kind of call, and
some more at random), `kill-long` (an issue of hundreds of events), `kill-one-of-two` (of two downloads at once), and
`broken-kills`: the faults of broken copies are found.
"""

import random
from collections.abc import Callable, Sequence

from tests.faults import posts, record, rows, trials
from tests.faults.given import Given
from tests.faults.record import Result, Trial
from tests.faults.rows import Download, OneOfTwo, Queue, Run
from tests.faults.trials import Far, scene

WHAT = "kills"
MAILS = 10  # of a scene in which every place is tried
MANY = 200
BROKEN_TRIALS = 12  # in which each broken copy must be found out
FARS = {
    "maildir": Far(),
    "maildir-copy": Far(leaves=True),
    "imap": Far("imap"),
    "imap-copy": Far("imap", leaves=True),
    "pop3": Far("pop3"),
    "pop3-copy": Far("pop3", leaves=True),
}
# Each is there at least once, and most in an order that makes work: an answer in the batch of its question.
KINDS = ("new", "answer", "staff", "stranger", "machine", "person", "copy", "new", "unclear")


def tried(row: str, run: Run, jobs: Sequence[str], given: Given, what: str = WHAT) -> Result:
    """The trials of a row."""
    return record.run(row, what, jobs, run.trial, keep=given.keep)


def everywhere(name: str, far: Far) -> Callable[[Given], list[Result]]:
    """A row: kills at every place of a download."""

    def row(given: Given) -> list[Result]:
        with scene(MAILS, KINDS, far=far) as made:
            run = Download(made)
            return [tried(f"kill-{name}", run, given.some(rows.jobs(run.all, "KILL"), 3), given)]

    return row


def queue(given: Given) -> list[Result]:
    """Kills at every place of sending what is in the queue."""
    with scene(MAILS, KINDS) as made:
        run = Queue(made)
        return [tried("kill-process-queue", run, given.some(rows.jobs(run.all, "KILL"), 5), given)]


def many(given: Given) -> list[Result]:
    """Kills in the run of a large mailbox."""
    with scene(MANY) as made:
        run = Download(made)
        places = random.Random(given.seed).sample(run.all, 60)
        wanted = dict.fromkeys(rows.jobs([*places, *rows.each_kind(run.all)], "KILL"))
        return [tried("kill-many", run, given.some(list(wanted), 4), given)]


def long(given: Given) -> list[Result]:
    """Kills around the commit that moves events of a long issue to its history, just added ones among them."""
    with scene(120 if given.short else MANY, ["answer"]) as made:
        run = Download(made)
        history = [place for place in run.all if "/history" in place.step]
        if not history:
            raise RuntimeError("no event was moved to the history")
        near = run.all[run.all.index(history[0]) :]
        parts = ("history", "issues/.tmp/", "issue.json", "intents", "journal", "spool/out/new")
        some = [place for place in near if any(part in place.step for part in parts)]
        return [tried("kill-long", run, given.some(rows.jobs(some, "KILL"), 3), given)]


def one_of_two(given: Given) -> list[Result]:
    """Kills of one of two downloads that were started together."""
    with scene(40) as made:
        run = OneOfTwo(made)
        places = random.Random(given.seed).sample(run.all, 60)
        return [tried("kill-one-of-two", run, given.some(rows.jobs(places, "KILL"), 3), given)]


def done_by_people(name: str) -> Callable[[Given], list[Result]]:
    """A row: kills at every place of what somebody does."""

    def row(given: Given) -> list[Result]:
        with scene(MAILS, KINDS) as made:
            posts.stored(made)
            run = posts.deed(made, name)
            return [tried(f"kill-{name}", run, given.some(rows.jobs(run.all, "KILL"), 2), given)]

    return row


BROKEN = {
    "filed": "rename data/spool/in/cur/*:*, -> data/spool/done/",
    "untold": "rename data/issues/.tmp/* -> data/issues/",
    "claims": "data/issues/",
    "early": "data/spool/in/tmp/",
    "believes": "fsync data/spool/sent/",
}
"""Where each broken copy is killed, to be found out."""


def broken(given: Given) -> list[Result]:
    """Copies of the program that lack something are found out."""
    with scene(20) as made, scene(20) as sent:
        download, queue = Download(made), Queue(sent)
        runs: dict[str, Run] = {name: download for name in BROKEN} | {"believes": queue}

        def one(name: str) -> Trial:
            run, part = runs[name], BROKEN[name]
            places = [place for place in run.all if part in place.step]
            return found_out(name, run, rows.jobs(places, "KILL"), given)

        return [record.run("broken-kills", "broken copies", list(BROKEN), one, keep=given.keep)]


def found_out(name: str, run: Run, jobs: Sequence[str], given: Given) -> Trial:
    """A trial of the harness: disturbed when it finds a fault of this broken copy, in so many trials at most."""
    run.broken = name
    some = random.Random(given.seed).sample(list(jobs), min(BROKEN_TRIALS, len(jobs)))
    found = (fault for job in some for fault in run.trial(job).faults)
    first = next(found, None)
    print(f"  broken copy {name}: {(first or 'was not found out')[:150]}", flush=True)
    return Trial(first is not None)


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    **{f"kill-{name}": everywhere(name, far) for name, far in FARS.items()},
    "kill-process-queue": queue,
    "kill-many": many,
    "kill-long": long,
    "kill-one-of-two": one_of_two,
    **{f"kill-{name}": done_by_people(name) for name in (*posts.POSTS, *posts.COMMANDS)},
    "broken-kills": broken,
}
trials.warm()
