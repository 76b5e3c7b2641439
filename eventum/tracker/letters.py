"""Letters about people's accounts: composed and put into the queue like every mail of ours.

Flows in: the name of a letter, its recipient, and what it says. Flows out: an entry of the queue. A letter owes nothing
to a record: what a crash loses is asked for again. Nothing is sent here.
"""

import hashlib
import socket
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from eventum.issues.letters import LETTERS, LetterContext, subject
from eventum.issues.people import User
from eventum.issues.settings import General
from eventum.mail.address import Address, is_address, parse_addresses
from eventum.mail.compose import Draft, compose
from eventum.mail.envelope import Posting
from eventum.store.flush import Flush
from eventum.tracker.render import rendered
from eventum.tracker.tracker import Tracker


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter says beside the names: to which address it goes, and its link."""

    to: str
    link: str
    expires: datetime
    who: str = ""
    address: str = ""


def base_url(tracker: Tracker) -> str:
    """Where links begin; "" when nobody said."""
    return (tracker.config.base_url or tracker.settings.general().base_url).rstrip("/")


def send_letter(tracker: Tracker, letter: str, user: User, words: Words) -> None:
    """Put a letter into the queue. Raises `Damaged` for a template that cannot be used, `Busy`, `OSError`."""
    general, now = tracker.settings.general(), tracker.clock()
    # Nobody has words of his own sent by us to somebody else: his name is one (reliability T14).
    name = user.name if words.to == user.email else ""
    # Two letters differ in one of these at least; the same one twice at the same instant is one.
    parts = ("letter", letter, words.to, words.link, words.address, now.isoformat())
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
    context = LetterContext(
        caption=general.tool_caption,
        name=name,
        who=words.who,
        link=words.link,
        expires=f"{words.expires.astimezone(ZoneInfo(user.timezone)):%Y-%m-%d %H:%M %Z}",
        address=words.address,
    )
    sender = sender_of(general)
    draft = Draft(
        from_=sender,
        to=(Address(name, words.to),),
        subject=subject(letter, general.tool_caption),
        text=rendered(tracker.layout.templates, LETTERS[letter].template, context),
        message_id=message_id("letter", key, sender),
        date=now,
    )
    queue(tracker, [posted(draft, letter, key)])


def message_id(prefix: str, key: str, sender: Address) -> str:
    """The Message-ID of the letter with a key."""
    return f"<{prefix}.{key}@{sender.address.rpartition('@')[2]}>"


def posted(draft: Draft, kind: str, key: str) -> tuple[Posting, bytes]:
    """A letter of no issue to the draft's one recipient as an entry of the queue, marked as sent by a program."""
    (recipient,) = draft.to
    draft = msgspec.structs.replace(draft, automatic="auto-generated", extra=(("X-Eventum-Type", kind),))
    posting = Posting(
        key=key,
        recipient=recipient.address,
        sender=draft.from_.address,
        type=kind,
        message_id=draft.message_id,
        subject=draft.subject,
        queued=draft.date,
    )
    return posting, compose(draft)


def queue(tracker: Tracker, letters: Iterable[tuple[Posting, bytes]]) -> None:
    """Put letters into the queue, all at once; durable. Raises `OSError`."""
    with Flush() as flush:
        prepared = [tracker.outbox.prepare(flush, posting, data) for posting, data in letters]
    tracker.outbox.publish(prepared)


def sender_of(general: General) -> Address:
    """Whom a letter comes from: what is set, else this program on this machine."""
    configured = next(iter(parse_addresses(general.smtp.from_)), Address("", ""))
    if is_address(configured.address):
        return Address(configured.name or general.tool_caption, configured.address.lower())
    return Address(general.tool_caption, f"eventum@{socket.gethostname().lower()}")
