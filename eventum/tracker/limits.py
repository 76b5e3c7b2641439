"""What the guarded child and its parent agree on: how much reading a mail may take, and what an answer is.

No flow: two values and their defaults.
"""

import msgspec

from eventum.mail.envelope import Envelope
from eventum.mail.message import Message

HELLO = b"EVR1"  # What a child says when it is ready.
END = b"\0"  # Of a question: the one sign that no path holds; a stranger's file may have line ends in its name.


class Limits(msgspec.Struct, frozen=True):
    """What reading one mail may take.

    `work`: seconds of CPU, and one more for every 16 MB of the mail; whoever works for ever is ended by the kernel.
    `wait`: seconds that the parent waits for an answer, of a child that does not even work. `start`: seconds until a
    new child is ready. `memory`: bytes of address space, or 128 MB and six times the mail where that is more. `answer`:
    bytes of what it says; texts and headers are cut long before. Measured: of 2,188 mails of many programs' tests the
    worst takes 9 ms; a mail of 64 MB 0.4 s and 360 MB.
    """

    work: float = 5.0
    wait: float = 20.0
    start: float = 60.0
    memory: int = 512 << 20
    answer: int = 64 << 20


LIMITS = Limits()


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the child answers: the mail, or its cleaned HTML, or why it could not be read.

    `markup` is a `mail.html.markup.Markup` in JSON, or null: who runs by cron has no use for it and does not load it.
    `blameless`: it was the disk or this machine, not the mail. `absent`: the mail has no such mail in it. `number`:
    which question of this child it answers.
    """

    envelope: Envelope | None = None
    message: Message | None = None
    markup: bytes = b""
    error: str = ""
    blameless: bool = False
    absent: bool = False
    number: int = 0
