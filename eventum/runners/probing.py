"""The test of an account: which step towards its mails works, which does not, and what the far end says.

In flows a Server, out flow six steps in their order, each with its time. It must not fetch, mark or remove a mail,
and not decide what to do about a failure: the sentences say it. `trial_mail` does the same for the outgoing server.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from eventum.errors import Busy, Conflict, EventumError, Refused
from eventum.issues import typed
from eventum.issues.accounts import Account
from eventum.runners.account_server import server_of
from eventum.runners.runner import guarded
from eventum.tracker.tracker import Tracker
from eventum.transport import dialling
from eventum.transport.mailbox import Mailbox, OnStep, Server, Timeouts, open_mailbox
from eventum.transport.reachable import PORTS, OutOfReach, Reach
from eventum.wording import N_

# What the transport calls a step as it begins, and what people read.
NAMES = {
    "name": N_("name found"),
    "connection": N_("connected"),
    "certificate": N_("TLS and certificate"),
    "login": N_("logged in"),
    "folder": N_("folder opened"),
    "mails": N_("mails waiting"),
}
NOT_TRIED = N_("not tried")
NOT_NEEDED = N_("not needed")
PROBING = Timeouts(connect=10.0, command=20.0, whole=120.0)
# Somebody at a browser waits, and his server's answers must not hold one of our threads.
PROMPT = Timeouts(connect=5.0, command=5.0, ending=5.0, whole=15.0)

Say = Callable[[Any], str]  # How an error, or `Words`, is said to who asked.


class Words(msgspec.Struct, frozen=True):
    """A marked sentence and its values, kept apart as an error keeps them."""

    message: str
    values: dict[str, object] = {}

    def __str__(self) -> str:
        return self.message.format(**self.values)


class Step(msgspec.Struct, frozen=True):
    """One step; `ok` is None when it was not tried, and `detail` then says why.

    `beyond` is the host and port that a test may not reach until an administrator allows it.
    """

    name: str
    ok: bool | None
    detail: str
    milliseconds: int
    beyond: tuple[str, int] | None = None


class Attempt(msgspec.Struct, kw_only=True):
    """How far something came: when each step began, when it ended, how it failed, and what it saw on the way."""

    began: dict[str, int] = msgspec.field(default_factory=dict)
    ended: int = 0
    failure: EventumError | None = None
    found: dict[str, str] = msgspec.field(default_factory=dict)
    details: dict[str, Words] = msgspec.field(default_factory=dict)

    def on_step(self, step: str, found: str = "", /) -> None:
        """A step begins, and the one before it was good."""
        if found:
            self.found[next(reversed(self.began))] = found
        self.began[step] = time.monotonic_ns()

    def run(self, work: Callable[[OnStep], dict[str, Words]]) -> None:
        """Do it; what goes wrong is kept."""
        told = guarded(lambda: work(self.on_step))
        self.ended = time.monotonic_ns()
        if isinstance(told, EventumError):
            self.failure = told
        else:
            self.details = told


def probe(server: Server, timeouts: Timeouts = PROBING, say: Say = str) -> tuple[Step, ...]:
    """What works on the way to the mails of this server, as six steps; opens for reading only, and never raises."""

    def look(on_step: OnStep) -> dict[str, Words]:
        with open_mailbox(server, on_step=on_step, timeouts=timeouts) as mailbox:
            on_step("mails")
            return seen(mailbox, server)

    return report(NAMES, attempted(look, timeouts), server, say)


def probe_from_browser(tracker: Tracker, account: Account, password: str, say: Say) -> tuple[Step, ...]:
    """As `probe`, of an account as somebody typed it, with a password in clear; within reach and in a few seconds."""
    server = server_of(tracker, account, password)
    return probe(msgspec.structs.replace(server, reach=reach(tracker)), PROMPT, say)


def reach(tracker: Tracker) -> Reach:
    """Where somebody at a browser may make us connect to."""
    network = tracker.settings.general().network
    return Reach(hosts=network.allowed_hosts, ports=network.allowed_ports)


def allow(tracker: Tracker, host: str, port: int) -> None:
    """Let tests from the browser reach this host at this port. Raises `Refused` for what is none, `Busy`, `Damaged`."""
    try:
        name, number = typed.server(host.strip()), typed.port(str(port))
    except ValueError as error:
        raise Refused(str(error)) from None
    for last in (False, False, True):
        general = tracker.settings.general()
        network = general.network
        hosts = dict.fromkeys((*network.allowed_hosts, *typed.reachable(name)))
        # The ports of mail are in reach without being listed.
        ports = dict.fromkeys((*network.allowed_ports, *(() if number in PORTS else (number,))))
        after = msgspec.structs.replace(network, allowed_hosts=tuple(hosts), allowed_ports=tuple(ports))
        try:
            tracker.settings.save_general(msgspec.structs.replace(general, network=after))
        except Conflict:
            if last:
                raise
        else:
            return


def attempted(work: Callable[[OnStep], dict[str, Words]], timeouts: Timeouts) -> Attempt:
    """The work done; given up when it takes longer than `timeouts.whole`.

    Looking up a name cannot be interrupted and may take a minute, so the work has a thread of its own: it is left to
    itself, and ends when its connection does.
    """
    attempt = Attempt()
    finished = threading.Event()

    def run() -> None:
        attempt.run(work)
        finished.set()

    threading.Thread(target=run, name="attempt", daemon=True).start()
    limits = [timeouts.connect, timeouts.whole - timeouts.connect]
    for seconds in limits:
        # The first limit is that of the name, which no timeout of a socket bounds.
        if finished.wait(seconds):
            return attempt
        if list(attempt.began) == ["name"]:
            break
    left = Attempt(began=dict(attempt.began), found=dict(attempt.found), ended=time.monotonic_ns())
    left.failure = Busy(N_("There was no answer within {seconds:g} seconds; try again later."), seconds=seconds)
    return left


def seen(mailbox: Mailbox, server: Server) -> dict[str, Words]:
    """What an open mailbox tells about itself."""
    is_pop = server.protocol == "pop3"
    return {
        "folder": Words(N_("POP3 knows no folders")) if is_pop else Words("{folder}", {"folder": server.folder}),
        "mails": Words(N_("1 mail") if mailbox.count == 1 else N_("{count} mails"), {"count": mailbox.count}),
    }


class Place(dialling.Place, Protocol):
    """What was tried: a mailbox's server or the one our mail leaves by."""

    @property
    def username(self) -> str:
        """Who logs in."""


def passed(attempt: Attempt, place: Place) -> dict[str, Words]:
    """What is told of the steps that were good, also when a later one failed."""
    address, secured = attempt.found.get("name", ""), attempt.found.get("certificate", "")
    is_named = address not in ("", place.host)
    # What the transport says of a connection: the version of TLS before the comma.
    is_checked = not secured.endswith("not checked")
    tls = N_("{version}, certificate verified") if is_checked else N_("{version}, certificate not checked")
    return {
        "name": Words(N_("{host} is {address}") if is_named else "{address}", {"host": place.host, "address": address}),
        "connection": Words(N_("port {number}"), {"number": place.port}),
        "certificate": Words(tls if secured else "", {"version": secured.partition(",")[0]}),
        "login": Words("{name}", {"name": place.username}),
        **attempt.details,
    }


def report(names: Mapping[str, str], attempt: Attempt, place: Place, say: Say) -> tuple[Step, ...]:
    """The steps in order: those that were left behind are good, the last one begun is where it failed, if it did."""
    began, details = attempt.began, passed(attempt, place)
    order = sorted(began, key=lambda step: began[step])
    ends = dict(zip(order, [*(began[step] for step in order[1:]), attempt.ended], strict=True))
    steps: list[Step] = []
    for step, name in names.items():
        if step not in began:
            # Also a later step may have begun without this one: a Maildir has no name, clear text no certificate.
            later = list(names)[list(names).index(step) + 1 :]
            is_past = attempt.failure is None or any(one in began for one in later)
            steps.append(Step(name, None, say(Words(NOT_NEEDED if is_past else NOT_TRIED)), 0))
            continue
        broken = attempt.failure if step == order[-1] else None
        detail = say(details.get(step, Words("")) if broken is None else broken)
        beyond = (place.host, place.port) if isinstance(broken, OutOfReach) else None
        steps.append(Step(name, broken is None, detail, (ends[step] - began[step]) // 1_000_000, beyond))
    if attempt.failure is not None and not began:
        # Nothing was begun: the password could not be opened, or there is no such protocol.
        steps[0] = Step(steps[0].name, False, say(attempt.failure), 0)
    return tuple(steps)
