"""Reading a mail for intake beside the standard library's `email.policy.default` doing the same, in one process.

Both say: subject, From, To, Cc, date, ids, the text, and name and type of each attachment. Ours also decodes and hashes
every attachment, since the digest by which a record knows its mail is made of what was sent and not of how; the library
decodes none. In turns, each mail by both, in memory; seconds of CPU, so that other work on the machine counts little.
"""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from bench.generate import Mailbox
from bench.measure import spread
from bench.report import Row, at_least, at_most
from eventum.mail.message import parse
from eventum.tracker.reading import KEEP_MEMORY

SIZES = (5, 10, 20, 50)  # MB
PARSER = BytesParser(policy=policy.default)


def speed(count: int, rounds: int) -> list[Row]:
    """Mails a second of the mix, ours and the library's, and the ratio; by kind of mail, too."""
    mails = list(Mailbox(1).mails(count))
    for raw in mails[:50]:
        _same(raw)
    pairs = [_in_turns(mails) for _ in range(rounds)]
    ratios = [theirs / ours for ours, theirs in pairs]
    plain = [raw for raw in mails if b"multipart/mixed" not in raw]
    files = [raw for raw in mails if b"multipart/mixed" in raw]
    rows = [
        Row(f"email.policy.default, {count} mails", f"{spread([count / theirs for _, theirs in pairs])} mails/s"),
        Row(f"ours, {count} mails", f"{spread([count / ours for ours, _ in pairs])} mails/s"),
        at_least("reading to that of email.policy.default", sorted(ratios)[len(ratios) // 2], 3, _range(ratios)),
    ]
    for what, some in (("without files", plain), ("with files, which ours decodes", files)):
        if some:
            ours, theirs = _in_turns(some)
            rows.append(Row(f"the same, {len(some)} mails {what}", f"{theirs / ours:.2f}"))
    return rows


def growth(sizes: Sequence[int] = SIZES) -> list[Row]:
    """How the time of one mail grows with its size, by kind of mail, each read in a child as intake starts it."""
    rows = []
    for kind in KINDS:
        taken = [statistics.median(_in_a_child(kind, size) for _ in range(3)) for size in sizes]
        note = f" ({', '.join(f'{seconds * 1000:.0f} ms' for seconds in taken)})"
        most = 1.2 * sizes[-1] / sizes[0]
        rows.append(at_most(f"{sizes[-1]} MB to {sizes[0]} MB: {kind}", taken[-1] / taken[0], most, note=note))
    return rows


def _in_a_child(kind: str, size: int) -> float:
    # Of its own, since memory that a large mail has left behind makes the next one cheaper.
    command = [sys.executable, "-m", "bench.reading", kind, str(size)]
    said = subprocess.run(command, env={**os.environ, **KEEP_MEMORY}, capture_output=True, text=True, check=True)
    return float(said.stdout)


def by_library(raw: bytes) -> dict[str, Any]:
    """What intake asks of a mail, asked of the standard library."""
    mail = PARSER.parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain", "html"))
    return {
        "subject": mail["subject"],
        "from": [(each.display_name, each.addr_spec) for each in mail["from"].addresses],
        "to": [(each.display_name, each.addr_spec) for each in mail["to"].addresses],
        "cc": [(each.display_name, each.addr_spec) for each in mail["cc"].addresses] if "cc" in mail else [],
        "date": mail["date"].datetime,
        "ids": [mail["message-id"], *(mail["in-reply-to"] or "").split(), *(mail["references"] or "").split()],
        "text": body.get_content() if body else "",
        "attachments": [(each.get_filename(), each.get_content_type()) for each in mail.iter_attachments()],
    }


def _same(raw: bytes) -> None:
    """Both say the same of a mail: what is compared has to be the same work."""
    ours, theirs = parse(raw), by_library(raw)
    assert ours.subject == theirs["subject"] and ours.date == theirs["date"]
    assert [(each.name, each.address) for each in (*ours.from_, *ours.to)] == [*theirs["from"], *theirs["to"]]
    assert [ours.message_id, *ours.in_reply_to, *ours.references] == theirs["ids"]
    assert ours.text.split() == theirs["text"].split()
    assert [(each.name, each.type) for each in ours.attachments] == theirs["attachments"]


def _in_turns(mails: Sequence[bytes]) -> tuple[float, float]:
    """Seconds that ours and the library took for these mails."""
    ours = theirs = 0.0
    for raw in mails:
        ours += _seconds(parse, raw)
        theirs += _seconds(by_library, raw)
    return ours, theirs


def _seconds(reads: Callable[[bytes], object], raw: bytes) -> float:
    gc.disable()
    began = time.process_time()
    reads(raw)
    taken = time.process_time() - began
    gc.enable()
    return taken


HEAD = b"From: Ada Abel <ada@example.net>\nTo: support@example.org\nSubject: Growth\nMIME-Version: 1.0\n"
LINE = b"The printer on the second floor prints nothing since yesterday, and nobody knows why.\n"
FILE_LINE = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\n"


def _file(size: int) -> bytes:
    head = b"Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
    return HEAD + head + FILE_LINE * (size // len(FILE_LINE))


def _text(size: int) -> bytes:
    return HEAD + b"\n" + LINE * (size // len(LINE))


def _parts(size: int) -> bytes:
    head = b"\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
    part = head + FILE_LINE * (size // 500 // len(FILE_LINE))
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 500 + b"--b--\n"


def _odd(size: int) -> bytes:
    head = b"Content-Type: application/pdf; name=a.pdf\rX-Odd: yes\nContent-Transfer-Encoding: base64\n\n"
    body = b"--b\n\ntext\n--b\n" + head + FILE_LINE * (size // len(FILE_LINE)) + b"\n--b--\n"
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + body


def _html(size: int) -> bytes:
    return HEAD + b"Content-Type: text/html\n\n" + b"<p>" + LINE * (size // len(LINE)) + b"</p>"


KINDS: dict[str, Callable[[int], bytes]] = {
    "a file": _file,
    "a text": _text,
    "HTML": _html,
    "500 parts": _parts,
    "a file, the fast reader gives up": _odd,
}


def _range(ratios: list[float]) -> str:
    return f" ({min(ratios):.2f}-{max(ratios):.2f})" if len(ratios) > 1 else ""


if __name__ == "__main__":
    made = KINDS[sys.argv[1]]
    parse(made(10_000))  # what is loaded with the first mail of a kind is no part of the time
    print(_seconds(parse, made(int(sys.argv[2]) * 1_000_000)))
