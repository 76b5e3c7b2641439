"""Copies of the product that lack something at the far end: the rows must find them out.

Each is a change of what the fork of a trial has imported; they live here and nowhere in the product.
"""

from collections.abc import Callable, Sequence
from typing import Any


def takes_a_cut_mail_for_whole() -> None:
    """As poplib: the lines end with a dot, also with two of them when nothing comes behind."""
    from eventum.transport import pop3, pop3_dialogue

    def block(self: Any, limit: int) -> bytes:
        lines = []
        while line := self.reader.readline():
            if line.rstrip(b"\r\n") == b"." or line == b"..":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b"..") else line)
        raise ConnectionAbortedError("it ended in the middle of an answer")

    pop3_dialogue.Dialogue.block = block  # type: ignore[method-assign]
    # The question after each batch finds it out as well: a second lock on the same door.
    pop3.Pop3Mailbox.check_step = lambda self, uid: None  # type: ignore[method-assign]


def expunges_what_others_marked() -> None:
    """A plain EXPUNGE, whoever marked the mails."""
    from eventum.transport.imap import ImapFolder

    real = ImapFolder.remove

    def remove(self: Any, uids: Sequence[str]) -> None:
        self.uidplus = False
        self.search = lambda doing, *criteria: list(map(int, uids))
        real(self, uids)

    ImapFolder.remove = remove  # type: ignore[method-assign]


def gives_up_at_once() -> None:
    """A temporary refusal is taken for a final one."""
    from eventum.transport import smtp_dialogue
    from eventum.transport.smtp import Deferred, Failed

    real = smtp_dialogue.outcome

    def outcome(reply: Any) -> Any:
        made = real(reply)
        return Failed(made.reply) if isinstance(made, Deferred) else made

    smtp_dialogue.outcome = outcome


def hears_no_refusal() -> None:
    """Whatever was answered, the mail was sent."""
    from eventum.transport import smtp_dialogue
    from eventum.transport.smtp import Delivered, Failed

    real = smtp_dialogue.outcome

    def outcome(reply: Any) -> Any:
        made = real(reply)
        return Delivered(made.reply) if isinstance(made, Failed) else made

    smtp_dialogue.outcome = outcome


BROKEN: dict[str, Callable[[], None]] = {
    "cut": takes_a_cut_mail_for_whole,
    "others": expunges_what_others_marked,
    "temporary": gives_up_at_once,
    "final": hears_no_refusal,
}
