"""The test of an account: which step towards its mails works, which does not, and what the far end says.

In flows a Server, out flow six steps in their order, each with its time. It must not fetch, mark or remove a mail,
and not decide what to do about a failure: the sentences say it.
"""

import time

import msgspec

from eventum.errors import EventumError
from eventum.transport.mailbox import Mailbox, Server, Timeouts, open_mailbox

# What the transport calls a step as it begins, and what people read.
NAMES = {
    "name": "name found",
    "connection": "connected",
    "certificate": "TLS and certificate",
    "login": "logged in",
    "folder": "folder opened",
    "mails": "mails waiting",
}
PROBING = Timeouts(connect=10.0, command=20.0)


class Step(msgspec.Struct, frozen=True):
    """One step; `ok` is None when it was not tried, and `detail` then says why."""

    name: str
    ok: bool | None
    detail: str
    milliseconds: int


def probe(server: Server, timeouts: Timeouts = PROBING) -> tuple[Step, ...]:
    """What works on the way to the mails of this server, as six steps; opens for reading only, and never raises."""
    began: dict[str, int] = {}

    def on_step(step: str) -> None:
        began[step] = time.monotonic_ns()

    failure = ""
    details: dict[str, str] = {}
    try:
        with open_mailbox(server, on_step=on_step, timeouts=timeouts) as mailbox:
            on_step("mails")
            details = seen(mailbox, server)
    except EventumError as error:
        failure = str(error)
    return report(began, time.monotonic_ns(), failure, details)


def seen(mailbox: Mailbox, server: Server) -> dict[str, str]:
    """What an open mailbox tells about the steps behind it."""
    kinds = {"imap": server.folder, "pop3": "POP3 knows no folders", "maildir": server.folder}
    return {
        "certificate": mailbox.secured,
        "folder": kinds.get(server.protocol, ""),
        "mails": "1 mail" if mailbox.count == 1 else f"{mailbox.count} mails",
    }


def report(began: dict[str, int], ended: int, failure: str, details: dict[str, str]) -> tuple[Step, ...]:
    """The steps in order: those that were left behind are good, the last one begun is where it failed, if it did."""
    order = sorted(began, key=lambda step: began[step])
    ends = dict(zip(order, [*(began[step] for step in order[1:]), ended], strict=True))
    steps: list[Step] = []
    for step, name in NAMES.items():
        if step not in began:
            # Also a later step may have begun without this one: a Maildir has no name, clear text no certificate.
            passed = not failure or any(later in began for later in list(NAMES)[list(NAMES).index(step) + 1 :])
            steps.append(Step(name, None, "not needed" if passed else "not tried", 0))
            continue
        broken = bool(failure) and step == order[-1]
        detail = failure if broken else details.get(step, "")
        steps.append(Step(name, not broken, detail, (ends[step] - began[step]) // 1_000_000))
    return tuple(steps)
