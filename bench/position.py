"""What a full mailbox costs: a run that finds three new mails among twenty thousand that stay on the server.

In flows a Dovecot, out flow rows. The time inside is what the run itself noted (`state/runs/`), so without the start of
Python; what was asked of the server is seen by strace. A server with Maildirs looks through the folder before it says
anything; that time is measured beside ours, and taken off where mailboxes of two sizes are compared.
"""

import json
import statistics
import time
from datetime import datetime
from pathlib import Path

from bench.generate import Mailbox
from bench.measure import spread
from bench.report import Row, at_most, exactly
from bench.servers import fill
from bench.stores import Store
from tests.servers.dovecot import Dovecot

NEW = 3
SLOWER = 1.1  # How much longer a large mailbox may take by IMAP; measured times are never quite equal.


def left_on_server(server: Dovecot, folder: Path, count: int, rounds: int) -> list[Row]:
    """IMAP and POP3 over a small mailbox and a large one."""
    small, large = min(200, count // 10), count
    rows: list[Row] = []
    inside: dict[tuple[str, int], list[float]] = {}
    for protocol in ("imap", "pop3"):
        boxes = {size: _Left(server, folder, protocol, size) for size in (small, large)}
        for _ in range(rounds):
            for size, box in boxes.items():
                inside.setdefault((protocol, size), []).append(box.run())
        rows += [Row(f"{protocol}, {NEW} new of {n}, inside", f"{spread(inside[protocol, n], 3)} s") for n in boxes]
        box = boxes[large]
        rows.append(Row(f"{protocol}, {NEW} new of {large}, whole process", f"{spread(box.whole, 3)} s"))
        rows.append(exactly(f"{protocol}, fetched a run", "/".join(sorted(set(map(str, box.fetched)))), str(NEW)))
        rows.append(_asked(protocol, box))
        medians = {n: statistics.median(inside[protocol, n]) for n in boxes}
        if protocol == "imap":
            alone = {n: statistics.median(box.server) for n, box in boxes.items()}
            rows.append(
                Row(f"imap, of that the server opening {small}, {large}", f"{alone[small]:.3f}, {alone[large]:.3f} s")
            )
            ratio = (medians[large] - alone[large]) / (medians[small] - alone[small])
            rows.append(at_most(f"imap, our time to that at {small}", ratio, SLOWER))
        else:
            rows.append(at_most("pop3, seconds inside", medians[large], 1))
    return rows


def _asked(protocol: str, box: "_Left") -> Row:
    words = "UID SEARCH" if protocol == "imap" else "UIDL"
    lines = box.asked()
    return exactly(f"{protocol}, times {words} was asked", sum(words in line for line in lines), 1)


class _Left:
    """A mailbox that was fetched once, all of it left on the server."""

    def __init__(self, server: Dovecot, folder: Path, protocol: str, count: int) -> None:
        self._server = server
        self._user = f"{protocol}{count}@example.org"
        self._mailbox = Mailbox(3, small=True)
        self._delivered = 0
        self.whole: list[float] = []
        self.fetched: list[int] = []
        self.server: list[float] = []  # Seconds that the server takes to open the mailbox, whoever asks.
        self._deliver(count)
        self._store = Store.made(folder / f"{protocol}-{count}")
        self._store.add_account(server, self._user, protocol)
        self._store.download()

    def _deliver(self, count: int) -> None:
        fill(self._server, self._user, self._mailbox.mails(count), self._delivered)
        self._delivered += count

    def run(self) -> float:
        """One run with new mails; seconds inside."""
        self._deliver(NEW)
        began_opening = time.perf_counter()
        with self._server.session(self._user):
            self.server.append(time.perf_counter() - began_opening)
        usage = self._store.download()
        self.whole.append(usage.seconds)
        self.fetched.append(json.loads(usage.out)["accounts"][0]["downloaded"])
        run = json.loads((self._store.data / "state/runs/download-emails.json").read_bytes())
        began, ended = (datetime.fromisoformat(run[name]) for name in ("started", "ended"))
        return (ended - began).total_seconds()

    def asked(self) -> list[str]:
        """What one more such run says to the server."""
        self._deliver(NEW)
        return self._store.traced("sendto,write", "download-emails")
