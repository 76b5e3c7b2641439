"""Weeks in which a server is away, lived through in seconds: cron comes, mail comes, the clock is moved.

In flow a seed and what is wrong with the server (cut, refused, over quota, renumbered meanwhile, now well and now not),
out flow trials. The server is one of the tests' own in the trial's process, and counts itself how often it is asked.
After it is well again: all mail that came meanwhile is there once, nobody was hammered, the administrators heard of the
beginning once and of the end once. The rows: `away-fetching`, `away-sending`, and `broken-away`: the faults of broken
copies (an account that gives up, one that hammers, alerts each time) are found.
"""

import contextlib
import random
import shutil
import socketserver
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from tests.faults import record
from tests.faults.given import Given
from tests.faults.mailserver import Box, Imap, Pop3
from tests.faults.record import Result, Trial

WHAT = "weeks away"
MINUTE, HOUR, DAY = 60, 3600, 86400
START = 1_795_348_800  # 2026-11-22 12:00 UTC
# Cron every minute, then, to come through weeks in seconds, only now and then.
PACE = ((6 * HOUR, MINUTE), (DAY, 5 * MINUTE), (30 * DAY, 30 * MINUTE))
# Before the longest pause is reached, a few to spare; a run asks a server that breaks off at each mail five times.
TRIES = {"refused": 6, "sending": 9, "breaks": 45}
AN_HOUR = {
    "refused": 1.4,
    "cut": 1.4,
    "quota": 1.4,
    "renumbered": 1.4,
    "flapping": 1.4,
    "sending": 16.0,
    "breaks": 80.0,
}
FETCHING = ("cut", "refused", "quota", "renumbered", "flapping")
SENDING = ("cut", "refused", "breaks", "puts-off", "flapping")
BROKEN = ("gives-up", "hammers", "tells-each-time")


class Moved:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = float(START)

    def datetime(self) -> datetime:
        """For the tracker."""
        return datetime.fromtimestamp(self.now, UTC)

    @contextlib.contextmanager
    def everywhere(self) -> Iterator[None]:
        """For the queue too, which asks the system."""
        seconds, nanoseconds = (lambda: self.now), (lambda: int(self.now * 1e9))
        with mock.patch("time.time", seconds), mock.patch("time.time_ns", nanoseconds):
            yield


class Server(socketserver.ThreadingTCPServer):
    """A server with a mood: "well", or what is wrong with it; it counts who comes while it is unwell."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[socketserver.StreamRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.mood = "well"
        self.asked: Counter[str] = Counter()
        self.received: list[bytes] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who was cut off is no fault of the server."""


class _Moody:
    server: Any
    disable_nagle_algorithm = True

    def handle(self) -> None:
        mood = self.server.mood
        self.server.asked[mood] += 1
        if mood != "cut":
            super().handle()  # type: ignore[misc]


class MoodyImap(_Moody, Imap):
    """IMAP that may refuse the login, or the folder."""

    def done(self, name: str, rest: str) -> bytes:
        answer = super().done(name, rest)
        if name == "AUTHENTICATE" and self.server.mood == "refused":
            self.box = None
            return b"NO [AUTHENTICATIONFAILED] not with this password"
        if name in ("SELECT", "EXAMINE") and self.server.mood == "quota":
            return b"NO [OVERQUOTA] this mailbox is full"
        return answer


class MoodyPop3(_Moody, Pop3):
    """POP3 that may refuse the login."""

    def say(self, words: bytes) -> None:
        if self.server.mood in ("refused", "quota") and words == b"+OK" and self.user:
            words = b"-ERR [AUTH] not with this password" if self.server.mood == "refused" else b"-ERR [IN-USE] later"
        super().say(words)


class MoodySmtp(_Moody, socketserver.StreamRequestHandler):
    """SMTP that may refuse everybody, break off at each mail, or put each off."""

    def say(self, words: bytes) -> None:
        """A line."""
        self.wfile.write(words + b"\r\n")

    def handle(self) -> None:
        mood = self.server.mood
        self.server.asked[mood] += 1
        if mood == "cut":
            return
        self.say(b"554 go away" if mood == "refused" else b"220 ready")
        while line := self.rfile.readline():
            match line[:4].upper():
                case b"QUIT":
                    self.say(b"221 bye")
                    return
                case b"DATA":
                    self.say(b"354 go on")
                    data = b"".join(iter(self.rfile.readline, b".\r\n"))
                    self.server.received.append(data)
                    self.say(b"250 got it")
                case b"MAIL" if mood == "breaks":
                    return
                case b"RCPT" if mood == "puts-off":
                    self.say(b"451 4.3.0 later")
                case _:
                    self.say(b"250 ok")


class World:
    """One store, its servers, and the clock."""

    def __init__(self, root: Path, seed: int) -> None:
        from eventum.config import Config
        from eventum.issues.settings import KEYS, put
        from eventum.tracker import founding, membership
        from eventum.tracker.membership import ProjectForm, UserForm
        from eventum.tracker.tracker import Tracker

        self.root, self.random, self.clock = root, random.Random(seed), Moved()
        config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(config, clock=self.clock.datetime)
        founding.found(self.tracker, UserForm(email="admin@example.org", name="Ada"))
        self.tracker.open()
        form = ProjectForm(title="Help desk", sender_email="help@example.org")
        # Weeks of mail come within minutes when the server is well again; the fuse has trials of its own.
        general = self.tracker.settings.general()
        for key in (one for one in KEYS if one.startswith("fuse.")):
            general = put(general, key, "0")
        self.tracker.settings.save_general(general)
        self.project = membership.save_project(self.tracker, None, form)
        self.subjects: list[str] = []
        self.faults: list[str] = []
        self.tried = 0

    def account(self, protocol: str, port: int) -> None:
        """The account on this server."""
        from eventum.issues.accounts import Account, AutoCreation, validate

        self.box = Box.fill(self.root / "box", ())
        account = Account(
            id="",
            project=self.project.id,
            type=f"{protocol}/notls",
            host="127.0.0.1",
            port=port,
            username=str(self.box.folder),
            folder="INBOX",
            addresses=("help@example.org",),
            auto_create=AutoCreation(enabled=True),
            quiet_before="never",
            created=self.clock.datetime(),
        )
        self.at = self.tracker.settings.save_account(validate(account), "secret")

    def arrive(self) -> None:
        """A mail comes to the server, or straight to us when there is no account."""
        from eventum.mail.envelope import Envelope

        subject = f"Mail {len(self.subjects)}"
        self.subjects.append(subject)
        raw = (
            f"From: Ana <a{len(self.subjects)}@customer.example>\r\nTo: help@example.org\r\nSubject: {subject}\r\n"
            f"Message-ID: <{len(self.subjects)}@customer.example>\r\n\r\nPlease help.\r\n"
        ).encode()
        if hasattr(self, "at"):
            self.box.add(raw)
        else:
            envelope = Envelope(destination=self.mda.id, received=self.clock.datetime())
            self.tracker.spool.accept([(envelope, raw)])

    def handed_over(self) -> None:
        """An account that mail is delivered to, for what is sent only."""
        from eventum.issues.accounts import Account, AutoCreation, validate

        account = Account(
            id="", project=self.project.id, type="delivered", addresses=("help@example.org",), quiet_before="never",
            auto_create=AutoCreation(enabled=True), created=self.clock.datetime(), folder="INBOX",
        )  # fmt: skip
        self.mda = self.tracker.settings.save_account(validate(account))

    def renumber(self) -> None:
        """The server gives all its mails other numbers."""
        mails = [self.box.raw(uid) for uid in self.box.uids()]
        validity = self.box.validity + 1
        shutil.rmtree(self.box.folder)
        Box.fill(self.box.folder, self.random.sample(mails, len(mails)), validity)

    def cron(self) -> None:
        """What cron starts just now."""
        from eventum.runners import turns

        if hasattr(self, "at"):
            turns.fetch(self.tracker, self.tracker.settings.usable_accounts())
        else:
            turns.send(self.tracker)

    def alerts(self) -> list[str]:
        """What the administrators were told, in its order."""
        entries = [entry for entry in self.tracker.outbox.entries() if entry.posting.type == "alert"]
        return [entry.posting.subject for entry in sorted(entries, key=lambda one: one.posting.queued)]

    def minutes(self, length: int, each: Callable[[], None]) -> None:
        """Live through so many seconds."""
        began = self.clock.now
        while (passed := self.clock.now - began) < length:
            self.clock.now += next(step for until, step in PACE if passed < until)
            each()


def fetching(kind: str, seed: int, days: float) -> Trial:
    """An account whose server is unwell for days."""
    with _world(seed) as world, _server(MoodyPop3 if seed % 3 == 0 and kind != "renumbered" else MoodyImap) as server:
        world.account("pop3" if issubclass(server.RequestHandlerClass, MoodyPop3) else "imap", server.server_address[1])
        world.arrive()
        world.cron()
        spells = _spells(world, server, kind, days)
        for _ in range(4):  # The longest pause is an hour.
            world.minutes(30 * MINUTE, world.cron)
        _look_at_mail(world)
        _look_at_alerts(world, spells, at_once=kind == "refused")
        _look_at_tries(world, server, spells, kind)
        return Trial(sum(server.asked.values()) > server.asked["well"], tuple(world.faults))


def sending(kind: str, seed: int, days: float) -> Trial:
    """The outgoing server is unwell for days."""
    from eventum.issues.settings import put

    with _world(seed) as world, _server(MoodySmtp) as server:
        general = world.tracker.settings.general()
        for key, value in (("smtp.host", "127.0.0.1"), ("smtp.port", str(server.server_address[1]))):
            general = put(general, key, value)
        world.tracker.settings.save_general(general)
        world.handed_over()
        world.arrive()
        world.cron()
        spells = _spells(world, server, kind, days)
        world.minutes(5 * HOUR, world.cron)  # What was put off comes after four hours at the latest.
        _look_at_what_was_sent(world, server, is_put_off=kind in ("puts-off", "breaks") and days > 5)
        if kind != "puts-off":
            _look_at_alerts(world, spells, at_once=kind == "refused")
            _look_at_tries(world, server, spells, "breaks" if kind == "breaks" else "sending")
        return Trial(sum(server.asked.values()) > server.asked["well"], tuple(world.faults))


def _spells(world: World, server: Server, kind: str, days: float) -> list[float]:
    """Live through the days; how long each time was in which the server was unwell, in hours."""
    spells: list[float] = []
    end = world.clock.now + days * DAY
    mood = {"renumbered": "cut", "flapping": "cut"}.get(kind, kind)

    def minute() -> None:
        if world.random.random() < 0.02:
            world.arrive()
        world.cron()

    while world.clock.now < end:
        length = world.random.choice((2, 9, 40, 200, 400)) * MINUTE if kind == "flapping" else int(days * DAY)
        server.mood, began = mood, world.clock.now
        world.arrive()
        world.minutes(length, minute)
        if kind == "renumbered":
            world.renumber()
        server.mood = "well"
        spells.append((world.clock.now - began) / HOUR)
        if kind == "flapping":
            world.minutes(world.random.choice((70, 200)) * MINUTE, minute)
    return spells


def _look_at_mail(world: World) -> None:
    """Each mail that came is one issue."""
    issues = Counter(world.tracker.issues.load(number).summary for number in world.tracker.issues.numbers())
    for subject in world.subjects:
        if not issues[subject]:
            world.faults.append(f"stuck: {subject} is not here two hours after the server is well")
        elif issues[subject] > 1:
            world.faults.append(f"doubled: {subject} is {issues[subject]} issues")


def _look_at_what_was_sent(world: World, server: Server, *, is_put_off: bool) -> None:
    waiting = [entry for entry in world.tracker.outbox.entries() if entry.status in ("pending", "deferred")]
    failed = [entry for entry in world.tracker.outbox.entries() if entry.status == "failed"]
    if waiting:
        world.faults.append(f"stuck: {len(waiting)} mails wait although the server is well")
    if failed and not is_put_off:
        world.faults.append(f"other: {len(failed)} mails failed because the server was away")
    if is_put_off and not failed:
        world.faults.append("silent: no mail failed visibly although its server put it off for more than five days")
    ids = Counter(_id(data) for data in server.received)
    if twice := [one for one, count in ids.items() if count > 1]:
        world.faults.append(f"doubled: {len(twice)} mails were sent twice")
    sent = sum(entry.status == "sent" for entry in world.tracker.outbox.entries())
    if sent != len(ids):
        world.faults.append(f"lost: {sent} mails count as sent and {len(ids)} came")


def _id(data: bytes) -> bytes:
    return next((line for line in data.split(b"\r\n") if line.lower().startswith(b"message-id:")), b"")


def _look_at_alerts(world: World, spells: Sequence[float], *, at_once: bool) -> None:
    told = ["over" if "Over: " in one else "begin" for one in world.alerts()]
    if told != ["begin", "over"] * (len(told) // 2):
        world.faults.append(f"doubled: the administrators heard {', '.join(told)[:200]}")
    begun, long = told.count("begin"), sum(spell >= (0.2 if at_once else 2) for spell in spells)
    if begun < long:
        world.faults.append(f"silent: the administrators heard of {begun} troubles, and there were {long} long ones")
    if begun > sum(spell >= (0 if at_once else 0.2) for spell in spells):
        world.faults.append(f"other: the administrators heard of {begun} troubles, blips among them")
    if world.tracker.alerts.load().alerts:
        world.faults.append("stuck: a trouble that is over counts as open")


def _look_at_tries(world: World, server: Server, spells: Sequence[float], kind: str) -> None:
    tries = sum(count for mood, count in server.asked.items() if mood != "well")
    most = sum(TRIES.get(kind, 8) + spell * AN_HOUR[kind] for spell in spells)
    if tries > most:
        world.faults.append(f"other: a server that was unwell was asked {tries} times, {most:.0f} at most are fair")


@contextlib.contextmanager
def _world(seed: int) -> Iterator[World]:
    place = Path(tempfile.mkdtemp(prefix="eventum-away-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    world = World(place, seed)
    try:
        with world.clock.everywhere():
            yield world
    finally:
        world.tracker.close()
        shutil.rmtree(place)


@contextlib.contextmanager
def _server(handler: type[socketserver.StreamRequestHandler]) -> Iterator[Server]:
    server = Server(handler)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# Copies that are broken on purpose


@contextlib.contextmanager
def broken(how: str) -> Iterator[None]:
    """The product with one of BROKEN in it."""
    from eventum.tracker import alerts, patience

    raised, waits_until = alerts.raised, patience.waits_until

    def gives_up(state: Any, account: Any, now: datetime) -> Any:
        return now if state.failures >= 10 else waits_until(state, account, now)

    def each_time(tracker: Any, name: str, *said: Any, **more: Any) -> None:
        state = tracker.alerts.load()
        left = tuple(one for one in state.alerts if one.name != name)
        with tracker.alerts.changing():
            tracker.alerts.save(type(state)(alerts=left, letters=state.letters))
        raised(tracker, name, *said, **more)

    patches: dict[str, Any] = {
        "gives-up": lambda: mock.patch.object(patience, "waits_until", gives_up),
        "hammers": lambda: mock.patch.object(patience, "UNREACHED", (0, 0)),
        "tells-each-time": lambda: mock.patch.object(alerts, "raised", each_time),
    }
    with patches[how]():
        yield


def tried(job: str) -> Trial:
    """One trial by its name: which side, what is wrong, its seed, for how many days."""
    side, kind, seed, days = job.split()
    return (fetching if side == "fetching" else sending)(kind, int(seed), float(days))


def found(job: str) -> Trial:
    """As `tried` with a broken copy, which is well when a fault is found."""
    how, _, rest = job.partition(" ")
    with broken(how):
        trial = tried(rest)
    return Trial(trial.disturbed, () if trial.faults else (f"other: {how} was not found",))


def jobs(side: str, kinds: Sequence[str], given: Given) -> list[str]:
    """The trials of a side: each kind for half a day to three weeks."""
    every = [
        f"{side} {kind} {given.seed * 100 + 10 * at + turn} {days}"
        for at, kind in enumerate(kinds)
        # Every spell of a flapping server is lived through minute by minute.
        for turn, days in enumerate((0.5, 1, 2, 3, 4) if kind == "flapping" else (0.5, 2, 7, 14, 21))
    ]
    quick = [f"{side} {kind} {given.seed * 100 + 10 * at} 0.1" for at, kind in enumerate(kinds)]
    return given.some(quick, 2) if given.short else given.some(every)


def row(side: str, kinds: Sequence[str]) -> Callable[[Given], list[Result]]:
    """The row of a side."""
    return lambda given: [record.run(f"away-{side}", WHAT, jobs(side, kinds, given), tried, keep=given.keep)]


def broken_copies(given: Given) -> list[Result]:
    """Each broken copy, with a server that is away for a day and a half."""
    wanted = [f"{how} fetching cut 4 {'1' if how == 'gives-up' else '0.3'}" for how in BROKEN]
    return [record.run("broken-away", "broken copies", given.some(wanted, 1), found, keep=given.keep)]


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "away-fetching": row("fetching", FETCHING),
    "away-sending": row("sending", SENDING),
    "broken-away": broken_copies,
}
