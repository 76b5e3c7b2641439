"""A test mail: which step towards the outgoing server works, and what it says to a mail that somebody asked for.

Flows in: a server as somebody typed it, a recipient, and the words. Flows out: five steps in their order. The mail goes
past the queue and is not kept: it says nothing but that it came.
"""

import secrets
from datetime import datetime

import msgspec

from eventum.errors import Busy, Refused
from eventum.mail.address import Address, is_address, parse_addresses
from eventum.mail.compose import Draft, compose
from eventum.runners.probing import Say, Step, Words, attempted, reach, report
from eventum.tracker.general import Outgoing
from eventum.tracker.tracker import Tracker
from eventum.transport import smtp
from eventum.transport.mailbox import OnStep, Timeouts
from eventum.transport.smtp import Connection, Deferred, Delivered, Failed, Smtp
from eventum.wording import N_

NAMES = {
    "name": N_("name found"),
    "connection": N_("connected"),
    "certificate": N_("TLS and certificate"),
    "login": N_("logged in"),
    "mail": N_("mail accepted"),
}
# As `probing.PROMPT`; after the whole mail a server may look for viruses before it answers.
PROMPT = Timeouts(connect=5.0, command=5.0, ending=10.0, whole=20.0)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, from whom ("a@b.example" or "Name <a@b.example>"), and to whom."""

    sender: str
    recipient: str
    subject: str
    text: str
    when: datetime


def from_browser(tracker: Tracker, server: Outgoing, letter: tuple[str, str, str], say: Say) -> tuple[Step, ...]:
    """A mail (recipient, subject, text) by the server as somebody typed it; within reach and in a few seconds.

    Raises `Refused` when there is no usable sender or recipient.
    """
    recipient, subject, text = letter
    if not is_address(recipient):
        raise Refused(N_("{recipient!r} is not an e-mail address; write it like ana@example.org."), recipient=recipient)
    senders = parse_addresses(server.sender)
    if len(senders) != 1 or not is_address(senders[0].address):
        raise Refused(N_("There is no sender yet: set one below, or a project's own."))
    smtp_server = Smtp(
        host=server.host,
        port=server.port,
        security=server.security,
        username=server.username,
        password=server.password,
        reach=reach(tracker),
    )
    trial = Trial(sender=server.sender, recipient=recipient, subject=subject, text=text, when=tracker.clock())
    return sent(smtp_server, trial, say=say)


def sent(server: Smtp, trial: Trial, timeouts: Timeouts = PROMPT, say: Say = str) -> tuple[Step, ...]:
    """What works on the way of a mail to this server, as five steps; never raises."""

    def send(on_step: OnStep) -> dict[str, Words]:
        (sender,) = parse_addresses(trial.sender)
        data = composed(trial, sender)
        with smtp.connect(server, timeouts=timeouts, on_step=on_step) as connection:
            on_step("mail", "" if server.username else connection.secured)
            reply = _accepted(connection, sender.address, trial.recipient, data)
            return {"mail": Words("{reply}", {"reply": reply})}

    return report(NAMES, attempted(send, timeouts), server, say)


def composed(trial: Trial, sender: Address) -> bytes:
    """The mail; marked as automatic, so that nothing answers it, an account of ours included."""
    host = sender.address.rpartition("@")[2]
    return compose(
        Draft(
            from_=sender,
            to=(Address("", trial.recipient),),
            subject=trial.subject,
            text=trial.text,
            message_id=f"<test-{secrets.token_hex(12)}@{host}>",
            date=trial.when,
            automatic="auto-generated",
        )
    )


def _accepted(connection: Connection, sender: str, recipient: str, data: bytes) -> str:
    match connection.send(sender, recipient, data):
        case Delivered(reply):
            return reply
        case Deferred(reply):
            raise Busy(N_('The server does not take the mail now: "{reply}".'), reply=reply)
        case Failed(reply):
            raise Refused(N_('The server refused the mail: "{reply}".'), reply=reply)
