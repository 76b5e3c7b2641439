"""How fast mail goes out: `flask process-queue` beside `smtp-source -s 1`, both to Postfix's smtp-sink, taking turns.

In flows a sink, out flow rows. Ours reads each mail from its queue, and keeps the answer, durable, before the next.
"""

import statistics
from datetime import UTC, datetime
from pathlib import Path

from bench import measure
from bench.measure import spread
from bench.report import Row, at_least, exactly
from bench.servers import program, smtp_sink
from bench.stores import ROOT, Store
from eventum.config import Config
from eventum.mail.envelope import Posting
from eventum.store.flush import Flush
from eventum.store.outbox import key_of
from eventum.tracker.tracker import Tracker

SIZE = 4096  # Bytes of a mail.


def beside_smtp_source(folder: Path, count: int, rounds: int) -> list[Row]:
    """The rate of both for the same number of mails of the same size."""
    theirs: list[float] = []
    ours: list[float] = []
    with smtp_sink() as port:
        source = [program("smtp-source"), "-s", "1", "-m", str(count), "-l", str(SIZE), f"127.0.0.1:{port}"]
        store = Store.made(folder / "outgoing")
        for name, value in (("host", "127.0.0.1"), ("port", str(port)), ("from", "support@example.org")):
            store.flask("settings", "set", f"smtp.{name}", value)
        for number in range(rounds):
            theirs.append(count / measure.run(source, store.environment, folder).seconds)
            queue(store, count, number)
            usage = measure.run(store.command("process-queue"), store.environment, ROOT)
            assert usage.out.startswith(f"{count} sent, 0 deferred, 0 failed, 0 remaining"), usage.out
            ours.append(count / usage.seconds)
    ratio = statistics.median(ours) / statistics.median(theirs)
    pairs = [one / other for one, other in zip(ours, theirs, strict=True)]
    return [
        Row(f"smtp-source -s 1, {count} mails", f"{spread(theirs)} mails/s"),
        Row(f"process-queue, {count} mails", f"{spread(ours)} mails/s"),
        at_least("rate to that of smtp-source", ratio, 0.25, f" ({min(pairs):.2f}-{max(pairs):.2f})"),
        exactly("mails left in the queue", store.queued(), 0),
    ]


def queue(store: Store, count: int, number: int) -> None:
    """Put mails into the queue of a store, as a commit does."""
    config = Config(
        data=store.data, secret_file=Path(store.environment["EVENTUM_SECRET_FILE"]), cache=store.folder / "cache"
    )
    tracker = Tracker(config).open()
    now = datetime.now(UTC)
    prepared = []
    with Flush() as flush:
        for one in range(count):
            recipient = f"person{one}.{number}@example.net"
            posting = Posting(
                key=key_of(0, number * count + one, recipient),
                recipient=recipient,
                sender="support@example.org",
                type="acknowledgement",
                message_id=f"<{number}.{one}@example.org>",
                subject="[#1] Issue Created: a subject",
                queued=now,
            )
            prepared.append(tracker.outbox.prepare(flush, posting, _mail(posting)))
    tracker.outbox.publish(prepared)
    tracker.close()


def _mail(posting: Posting) -> bytes:
    head = (
        f"From: Support <{posting.sender}>\r\nTo: {posting.recipient}\r\nSubject: {posting.subject}\r\n"
        f"Message-ID: {posting.message_id}\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n\r\n"
    ).encode()
    line = b"We have your mail and look at it as soon as we can; answers come by mail too.\r\n"
    return head + (line * (SIZE // len(line)))[: SIZE - len(head) - 2] + b"\r\n"
