"""Who has to be told of what changed, and the mails that tell it.

Flows in: changes that are about to be committed. Flows out: their notices, composed, one a recipient, for the commit to
queue. Every event of a changed issue that was not announced is looked at once; the commit that stores it says that it
was. Nothing is sent here.
"""

import socket
from functools import cached_property

import msgspec

from eventum.issues import notices
from eventum.issues.events import Event, Filed
from eventum.issues.issue import Issue
from eventum.issues.people import People
from eventum.issues.recipients import Recipient, recipients
from eventum.issues.routing import OwnAddresses, own_addresses
from eventum.issues.settings import General
from eventum.mail import threading
from eventum.mail.address import Address, is_address
from eventum.mail.compose import Draft, compose
from eventum.mail.envelope import Posting
from eventum.mail.forward import forward
from eventum.store.outbox import key_of
from eventum.tracker.reading import raw_bytes
from eventum.tracker.render import rendered
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


def announce(changes: Changes) -> None:
    """Give every changed issue the notices it owes."""
    announcer = _Announcer(changes.tracker)
    for work in changes.works.values():
        if work.is_changed:
            for event in work.issue.unannounced:
                announcer.tell(work, event)


class _Announcer:
    """The settings and people that the notices of one commit are made from."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    @cached_property
    def _people(self) -> People:
        return self._tracker.people.load_all()

    @cached_property
    def _general(self) -> General:
        general = self._tracker.settings.general()
        return msgspec.structs.replace(general, base_url=self._tracker.config.base_url or general.base_url)

    @cached_property
    def _own(self) -> OwnAddresses:
        return own_addresses(self._general, self._people.projects, self._tracker.settings.usable_accounts())

    def tell(self, work: Work, event: Event) -> None:
        """Compose the notices of one event."""
        if event.quiet:
            return
        for recipient in recipients(event, work.issue, self._people, self._own):
            work.notices.append(self._notice(work, event, recipient))

    def _notice(self, work: Work, event: Event, recipient: Recipient) -> tuple[Posting, bytes]:
        notice, issue = notices.NOTICES[recipient.notice], work.issue
        message = event.what.message if isinstance(event.what, Filed) else None
        sender = self._sender(recipient.notice, issue, event)
        host = sender.address.rpartition("@")[2]
        message_id = threading.our_id(
            threading.OurId(issue.number, event.number, threading.recipient_tag(recipient.address)),
            self._tracker.secrets.ids_key,
            host,
        )
        parent = message.parent if message else ""
        earlier = (parent, message.message_id) if message else ()
        draft = Draft(
            from_=sender,
            to=(Address(recipient.name, recipient.address),),
            subject=notices.subject(recipient.notice, issue, message.subject if message else ""),
            message_id=message_id,
            date=event.when,
            in_reply_to=parent or issue.root_message_id,
            references=threading.references_for(issue.root_message_id, earlier),
            automatic=notice.origin,
            extra=(("X-Eventum-Issue", str(issue.number)), ("X-Eventum-Type", recipient.notice)),
            charset=self._people.project(issue.project).mail_charset,
        )
        posting = Posting(
            key=key_of(issue.number, event.number, recipient.address),
            recipient=recipient.address,
            # Nobody answers an automatic answer's failure (RFC 3834 section 3.3).
            sender="" if notice.origin == "auto-replied" else sender.address,
            type=recipient.notice,
            issue=issue.number,
            event=event.number,
            message_id=message_id,
            subject=draft.subject,
            queued=event.when,
            hold=work.holds.get(event.number, ""),
        )
        return posting, self._bytes(work, event, recipient, draft)

    def _bytes(self, work: Work, event: Event, recipient: Recipient, draft: Draft) -> bytes:
        message = event.what.message if isinstance(event.what, Filed) else None
        template = notices.NOTICES[recipient.notice].template
        if message is not None and not template:
            return forward(self._raw(work, message.key), draft)
        context = notices.context(
            recipient,
            event,
            work.issue,
            self._people,
            general=self._general,
            text=work.texts.get(message.key, "") if message else "",
        )
        text = rendered(self._tracker.layout.templates, template, context)
        return compose(msgspec.structs.replace(draft, text=text))

    def _raw(self, work: Work, key: str) -> bytes:
        for written, data in work.written:
            if written == key:
                return data
        for linked, path in work.mails:
            if linked == key:
                return raw_bytes(self._tracker.layout.root / path)
        return raw_bytes(self._tracker.issues.mail_path(work.number, key))  # It is in the issue already.

    def _sender(self, notice: str, issue: Issue, event: Event) -> Address:
        """The From; when nobody set one, the address mail comes to, so that an answer arrives."""
        project = self._people.project(issue.project)
        sender = notices.sender(notice, issue, project, self._general, author=notices.author(event, self._people))
        if is_address(sender.address):
            return sender
        for account in self._tracker.settings.usable_accounts():
            if account.project == issue.project:
                for address in (*account.addresses, account.username):
                    if is_address(address):
                        return Address(sender.name, address.lower())
        return Address(sender.name, f"eventum@{socket.gethostname().lower()}")
