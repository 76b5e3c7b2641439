"""What people write in the tracker: notes for staff, and replies that go out by mail.

Flows in: the number of an issue, who writes, his text. Flows out: a mail of our own, composed and kept in the issue,
and its notices. Whoever may not mail the issue is told so, and nothing is kept (eventum-behaviour 6C keeps it as a
note and says that it was sent).
"""

import msgspec

from eventum.errors import Refused
from eventum.issues import admission, changes, subscriptions
from eventum.issues.access import may_read_notes
from eventum.issues.events import Filing, Kind
from eventum.issues.issue import Issue, messages
from eventum.issues.people import User
from eventum.issues.recipients import recipients
from eventum.issues.trace import Row
from eventum.mail import threading
from eventum.mail.address import Address
from eventum.mail.compose import Draft, compose
from eventum.mail.message import parse
from eventum.store.spool import key_of
from eventum.tracker.acting import Done, act, acting, addresses, check_staff, one_line, said
from eventum.tracker.ground import Ground
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes. Without `to` a reply goes to the reporter; without a subject it has the issue's."""

    text: str
    subject: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


def note(tracker: Tracker, number: int, who: str | None, letter: Letter) -> tuple[Done, Filing]:
    """Add a note for staff to an issue; its author is put on the notification list.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown issue or user,
    `Refused` for an empty text or somebody who is not staff; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    user, letter = acting(tracker, who), _clean(letter)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        _Writing(changed, work, user).file("note", letter, (Row("person", "note", user.email, "accepted"),))

    done = act(tracker, number, verb)
    return done, messages(done.issue.events)[-1]


def reply(tracker: Tracker, number: int, who: str | None, letter: Letter) -> tuple[Done, Filing]:
    """Write an e-mail in an issue: to the reporter, or those named, and to who asked for e-mails on its list.

    Staff may, whatever the project says about their mails; others as if they wrote by mail. Raises as `note`, and
    `Refused` for who may not mail the issue, and for a reply that would reach nobody.
    """
    user, letter = acting(tracker, who), _clean(letter)

    def verb(changed: Changes, work: Work) -> None:
        writing = _Writing(changed, work, user)
        writing.file("email", writing.addressed(letter), writing.admitted())
        writing.check_reaches_somebody()

    done = act(tracker, number, verb)
    return done, messages(done.issue.events)[-1]


def _clean(letter: Letter) -> Letter:
    return Letter(
        text=said(letter.text, "The text"),
        subject=one_line(letter.subject, "The subject") if letter.subject else "",
        to=addresses(letter.to),
        cc=addresses(letter.cc),
    )


class _Writing:
    """One mail of our own on its way into one issue."""

    def __init__(self, changed: Changes, work: Work, author: User) -> None:
        self._ground = Ground(changed.tracker, changed)
        self._now, self._work, self._author = changed.now, work, author
        self._staff = may_read_notes(author, work.issue, self._ground.people)

    def admitted(self) -> tuple[Row, ...]:
        """Why the author may mail the issue. Raises `Refused` when he may not."""
        issue, people, author = self._work.issue, self._ground.people, self._author
        if self._staff:
            return (Row("person", "staff", author.email, "accepted"),)
        facts = admission.facts_of(author.email, issue, people, kind="email", automatic="", own=False)
        answer, rows = admission.admit(facts)
        if isinstance(answer, admission.Block):
            title = people.project(issue.project).title
            raise Refused(
                f"{author.email} may not mail issue {issue.number}: only its reporter, assignees and authorised "
                f"repliers may, and the staff of {title!r}."
            )
        return rows

    def addressed(self, letter: Letter) -> Letter:
        """The letter with the reporter as its recipient when nobody is named."""
        for address in (*letter.to, *letter.cc):
            if address in self._ground.own:
                raise Refused(f"{address} is an address of our own; a reply to it would come back as a new mail.")
        reporter = self._work.issue.reporter
        if letter.to or not reporter or reporter in self._author.addresses or reporter in self._ground.own:
            return letter
        return msgspec.structs.replace(letter, to=(reporter,))

    def file(self, kind: Kind, letter: Letter, rows: tuple[Row, ...]) -> None:
        """Compose the mail and put it into the issue; its author, and whom it names anew, are put on the list."""
        issue, people, now = self._work.issue, self._ground.people, self._now
        filing = Filing(
            key="",
            kind=kind,
            message_id="",
            from_=Address(self._author.name, self._author.email),
            verified="user",
            to=self._named(letter.to),
            cc=self._named(letter.cc),
            subject=letter.subject or (_answering(issue.summary) if kind == "email" else issue.summary),
            received=now,
            outgoing=True,
            parent=self._parent(kind),
        )
        # A reporter who left the list is still answered, but not put back on it.
        others = tuple(one for one in filing.to if one.address != issue.reporter)
        asked = msgspec.structs.replace(filing, to=others)
        entries, why = subscriptions.from_message(asked, issue, people, self._ground.own)
        for entry in entries:
            issue = changes.subscribed(issue, entry, now, who=self._author.id)
        filing, data = self._composed(issue, filing, letter.text)
        filing = msgspec.structs.replace(filing, trace=(*rows, *why))
        # Only a customer's mail reopens an issue, also one that he wrote on a screen.
        asking = msgspec.structs.replace(filing, outgoing=False)
        status = changes.reopening(issue, asking, people.project(issue.project), by_staff=self._staff)
        self._work.issue = changes.filed(issue, filing, now, who=self._author.id, reopen_to=status)
        self._work.written.append((filing.key, data))
        self._work.texts[filing.key] = letter.text

    def _composed(self, issue: Issue, filing: Filing, text: str) -> tuple[Filing, bytes]:
        project = self._ground.people.project(issue.project)
        host = (project.sender_email or self._author.email).rpartition("@")[2]
        message_id = threading.our_id(threading.OurId(issue.number, issue.next_event), self._ground.ids_key, host)
        draft = Draft(
            from_=filing.from_,
            to=filing.to,
            cc=filing.cc,
            subject=filing.subject,
            text=text,
            message_id=message_id,
            date=self._now,
            in_reply_to=filing.parent,
            references=threading.references_for(issue.root_message_id, (filing.parent,)),
        )
        data = compose(draft)
        message = parse(data)
        key = key_of(f"issue:{issue.number}", data)
        return msgspec.structs.replace(
            filing, key=key, message_id=message_id, digest=message.digest, date=message.date
        ), data

    def _named(self, given: tuple[str, ...]) -> tuple[Address, ...]:
        users = ((address, self._ground.people.by_address(address)) for address in given)
        return tuple(Address(user.name if user else "", address) for address, user in users)

    def _parent(self, kind: Kind) -> str:
        """What the mail answers: the newest e-mail that came in, which its sender's client knows; else the root."""
        issue = self._work.issue
        came = [one for one in messages(issue.events) if not (one.internal or one.outgoing)]
        return came[-1].message_id if came and kind == "email" else issue.root_message_id

    def check_reaches_somebody(self) -> None:
        """Raises `Refused` when an answer of staff would be told to nobody."""
        issue, ground = self._work.issue, self._ground
        told = [one for event in issue.unannounced for one in recipients(event, issue, ground.people, ground.own)]
        if self._staff and not any(one.user != self._author.id for one in told):
            raise Refused(
                f"Nobody would get this reply: issue {issue.number} has no reporter who can be written to, and nobody "
                "else on its list asked for e-mails. Name somebody to write to, or add a note."
            )


def _answering(summary: str) -> str:
    return summary if summary[:3].lower() == "re:" else f"Re: {summary}".strip()
