"""The mailboxes of the trials: the same mails every time, with answers in the same batch and across batches.

In flow a number of mails, out flow their bytes in the order in which they came. Of every 40: 15 new mails, 17 answers
by whoever began or by the one who is assigned, 2 answers by strangers, 2 automatic mails that no issue claims and an
answer by a person to one of them, 2 copies of an earlier mail that took another way, 1 from a sender that is not clear.
Some carry a file.
"""

import base64
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

DEV = "Dee <dev@example.org>"
CUSTOMERS = 12  # So few that some of them write more new mails a day than are acknowledged.
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KINDS = ["new"] * 15 + ["answer"] * 12 + ["staff"] * 5 + ["stranger"] * 2 + ["machine"] * 2 + ["person"] + ["copy"] * 2
KINDS += ["unclear"]


class Mail(NamedTuple):
    """One mail: its bytes, its Message-ID, that of the mail it answers ("" for none), who wrote it, and its kind."""

    raw: bytes
    id: str
    parent: str
    author: str
    kind: str


def mails(count: int, seed: int = 1, kinds: Sequence[str] = KINDS) -> list[Mail]:
    """So many mails, in the order of their arrival, of these kinds at random; the first is a new one."""
    chance = random.Random(seed)
    found: list[Mail] = []
    for at in range(count):
        kind = kinds[chance.randrange(len(kinds))] if at else "new"
        found.append(_mail(chance, found, kind, f"<{at}.{seed}@customer.example>"))
    return found


def _mail(chance: random.Random, before: list[Mail], kind: str, name: str) -> Mail:
    openings = [mail for mail in before if mail.kind == "new"]
    machines = [mail for mail in before if mail.kind == "machine"]
    if kind == "copy":
        again = before[-1 - min(int(chance.expovariate(1 / 30)), len(before) - 1)]
        # The same mail by another way: other bytes, the same content.
        way = f"Received: from elsewhere.example; again {name}\r\n".encode()
        return Mail(way + again.raw, *again[1:4], kind)
    if kind == "person" and not machines:
        kind = "new"
    customer = f"Customer {chance.randrange(CUSTOMERS)} <c{chance.randrange(CUSTOMERS)}@customer.example>"
    headers = {"From": customer, "To": "help@example.org", "Subject": f"Question {name}"}
    parent = ""
    if kind in ("answer", "staff", "stranger"):
        # Mostly the last ones: in the same batch; sometimes far back.
        opening = openings[-1 - min(int(chance.expovariate(1 / 12)), len(openings) - 1)]
        chain = [mail for mail in before if mail.parent == opening.id and mail.kind in ("answer", "staff")]
        answered = chain[-1] if chain and chance.random() < 0.5 else opening
        parent = opening.id
        author = {"answer": opening.author, "staff": DEV, "stranger": f"Eve <eve{name[1:-1]}>"}[kind]
        headers |= {"From": author, "Subject": f"Re: {answered.id}", "In-Reply-To": answered.id}
        headers["References"] = f"{opening.id} {answered.id}"
    elif kind == "person":
        answered = chance.choice(machines)
        parent = answered.id
        headers |= {"Subject": "Re: Automatic", "In-Reply-To": answered.id}
    elif kind == "machine":
        headers |= {"Auto-Submitted": "auto-generated", "Subject": f"Automatic {name}"}
    elif kind == "unclear":
        headers["From"] = "ana@customer.example <other@customer.example>"
    headers["Message-ID"] = name
    headers["Date"] = format_datetime(BEGIN + timedelta(minutes=len(before)))
    head = "".join(f"{field}: {value}\r\n" for field, value in headers.items())
    return Mail((head + _body(chance, name)).encode(), name, parent, headers["From"], kind)


def _body(chance: random.Random, name: str) -> str:
    text = f"This is what {name} says.\r\n" + "And more of it, line after line.\r\n" * chance.randrange(1, 30)
    if chance.random() > 0.08:
        return f"\r\n{text}"
    data = base64.encodebytes(chance.randbytes(chance.randrange(2_000, 40_000))).decode().replace("\n", "\r\n")
    return (
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_cut"\r\n\r\n'
        f"--=_cut\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
        '--=_cut\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="data.bin"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{data}--=_cut--\r\n"
    )


def fill(box: Path, found: list[Mail]) -> None:
    """Lay the mails into a Maildir, each a second later than the one before."""
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    for at, mail in enumerate(found):
        path = box / "new" / f"{at:06d}.mail"
        path.write_bytes(mail.raw)
        os.utime(path, (1_770_000_000 + at, 1_770_000_000 + at))
