"""How fast mail comes in: `flask download-emails` beside mbsync, what it asks of the disk, and whether it slows down.

In flows a Dovecot, out flow rows. mbsync only downloads; ours reads each mail, finds its issue or opens one, and writes
the acknowledgement. Both are whole processes from their start to their end, and take turns.
"""

import re
import statistics
from collections import Counter
from pathlib import Path

from bench import generate, measure
from bench.generate import Mailbox
from bench.measure import Usage, spread
from bench.report import Row, at_least, at_most, exactly
from bench.servers import fill, mbsync
from bench.stores import Store
from tests.servers.dovecot import Dovecot

MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)$", re.MULTILINE)
SYNCS = ("fsync", "fdatasync", "syncfs", "sync_file_range", "sync")
CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<arguments>.*)")


def beside_mbsync(server: Dovecot, folder: Path, count: int, rounds: int) -> list[Row]:
    """The rate of both over the same INBOX, and every mail of it found in exactly one place."""
    user, expected = _mailbox(server, count)
    theirs: list[float] = []
    ours: list[Usage] = []
    wrong = 0
    for number in range(rounds):
        place = folder / f"mbsync-{number}"
        theirs.append(count / measure.run(mbsync(server, user, place), {"HOME": str(place)}, place).seconds)
        assert sum(1 for _ in place.glob("INBOX/*/*,U=*")) == count, "mbsync did not download everything"
        store = Store.made(folder / f"intake-{number}")
        store.add_account(server, user)
        ours.append(store.download())
        wrong += missing_or_doubled(store, expected)
    rates = [count / usage.seconds for usage in ours]
    pairs = [mine / other for mine, other in zip(rates, theirs, strict=True)]
    largest, together = max(usage.peaks[0] for usage in ours), max(sum(usage.peaks) for usage in ours)
    return [
        Row(f"mbsync, {count} mails", f"{spread(theirs)} mails/s"),
        Row(f"download-emails, {count} mails", f"{spread(rates)} mails/s"),
        at_least("rate to that of mbsync", statistics.median(rates) / statistics.median(theirs), 0.25, _range(pairs)),
        Row("CPU of all its processes", f"{spread([usage.cpu for usage in ours], 2)} s"),
        at_most("memory of all its processes, MB", together, 150, note=f" (the largest {largest:.0f})"),
        Row("issues, acknowledgements", f"{store.issues()}, {store.queued()}"),
        exactly("mails missing or doubled", wrong, 0),
    ]


def calls(server: Dovecot, folder: Path, count: int) -> list[Row]:
    """The syncs and locks of one run, counted by strace: the same on every machine."""
    user, expected = _mailbox(server, count)
    store = Store.made(folder / "calls")
    store.add_account(server, user)
    found: Counter[str] = Counter()
    for line in store.traced(",".join((*SYNCS, "flock", "fcntl")), "download-emails"):
        call = CALL.match(line)
        if call is None:
            continue
        if call["name"] in SYNCS:
            found["syncs"] += 1
        elif call["name"] == "flock" and "LOCK_EX" in call["arguments"]:
            found["locks"] += 1
        elif "SETLK" in call["arguments"] and "F_UNLCK" not in call["arguments"]:
            found["range locks"] += 1
    return [
        at_most(f"syncs a mail, of {count}", found["syncs"] / count, 5, must=True),
        at_most("locks a mail", found["locks"] / count, 1, must=True),
        Row("locks of the index's SQLite a mail", f"{found['range locks'] / count:.2f}"),
        exactly("mails missing or doubled", missing_or_doubled(store, expected), 0),
    ]


def growth(server: Dovecot, folder: Path, count: int, rounds: int, issues: int) -> list[Row]:
    """The rate for the same mails in an empty store and in one that holds many issues, taking turns."""
    user, _ = _mailbox(server, count)
    full = _full(folder, issues)
    rates: dict[str, list[float]] = {"empty": [], "full": []}
    for number in range(rounds):
        empty = Store.made(folder / f"empty-{number}")
        copy = full.copied(folder / f"full-{number}")
        for name, store in (("empty", empty), ("full", copy)):
            account = store.add_account(server, user)
            rates[name].append(count / store.download("--account", account).seconds)
    ratio = statistics.median(rates["full"]) / statistics.median(rates["empty"])
    pairs = [one / other for one, other in zip(rates["full"], rates["empty"], strict=True)]
    return [
        Row(f"download-emails, {count} mails, no issues yet", f"{spread(rates['empty'])} mails/s"),
        Row(f"the same at {issues} issues", f"{spread(rates['full'])} mails/s"),
        at_least("rate to that at none", ratio, 0.9, _range(pairs)),
    ]


def _full(folder: Path, issues: int) -> Store:
    """A store that holds so many issues, of mails that nobody was told of."""
    box = folder / "many"
    generate.write(box, Mailbox(7, small=True, replies=False).mails(issues))
    store = Store.made(folder / "full")
    store.download("--account", store.add_silent_maildir(box))
    assert store.issues() == issues, f"{store.issues()} issues were made of {issues} mails"
    return store


def missing_or_doubled(store: Store, expected: Counter[str]) -> int:
    """How many mails are not kept exactly once, or still wait."""
    kept = store.kept()
    return sum(abs(kept[one] - expected[one]) for one in kept | expected) + store.waiting()


def _mailbox(server: Dovecot, count: int) -> tuple[str, Counter[str]]:
    """A user with the mix in the INBOX, and how often each Message-ID is there."""
    user = f"mix{count}@example.org"
    mails = list(Mailbox(1).mails(count))
    if not server.maildir(user).exists():
        fill(server, user, mails)
    return user, Counter(found[1].decode() for mail in mails if (found := MESSAGE_ID.search(mail)))


def _range(pairs: list[float]) -> str:
    return f" ({min(pairs):.2f}-{max(pairs):.2f})" if len(pairs) > 1 else ""
