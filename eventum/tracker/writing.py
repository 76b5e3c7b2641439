"""One mail of our own on its way into one issue: a note, a reply, a draft, or the first mail to a customer.

Flows in: the issue as it is in this commit, who writes, his letter. Flows out: the issue with the mail, composed and
ready to be committed, its author and whom it names anew on the notification list. Which verbs there are is
`correspond`; who is told is `issues/recipients`.
"""

from collections.abc import Iterable

import msgspec

from eventum.errors import Refused
from eventum.issues import admission, changes, subscriptions
from eventum.issues.access import may_read_notes
from eventum.issues.events import Closed, Event, Filed, Filing, Kind
from eventum.issues.issue import Issue, messages
from eventum.issues.people import User
from eventum.issues.recipients import Considered, considered
from eventum.issues.trace import Row
from eventum.mail import threading
from eventum.mail.address import Address
from eventum.mail.compose import Draft, compose
from eventum.mail.enclosure import Enclosure, safe_name, safe_type
from eventum.mail.message import parse
from eventum.store.spool import key_of
from eventum.tracker.acting import addresses, clean_text, one_line, said
from eventum.tracker.ground import Ground
from eventum.tracker.work import Changes, Work
from eventum.wording import N_

MOST_FILES = 20
LARGEST_FILES = 20_000_000
"""How many files go with one mail, and how many bytes they have together: what most mail servers still take."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes. Without `to` a reply goes to the reporter; without a subject it has the issue's.

    With `and_reporter` it goes to him too when others are named.
    `left_out` are addresses of people who would get it and shall not. `status` is the one the issue gets with it, ""
    for the one it has. `signed` says as what the author's signature is appended, if he wants it there: one of
    "replies", "notes", "mails"; "" for not at all.
    """

    text: str
    subject: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    files: tuple[Enclosure, ...] = ()
    status: str = ""
    signed: str = ""
    and_reporter: bool = False


def clean(letter: Letter, *, unfinished: bool = False) -> Letter:
    """The letter as it can become part of a record. Raises `Refused` for what cannot; a draft may be empty."""
    text = clean_text(letter.text, N_("The text")) if unfinished else said(letter.text, N_("The text"))
    return msgspec.structs.replace(
        letter,
        text=text,
        subject=one_line(letter.subject, N_("The subject")) if letter.subject.strip() else "",
        to=addresses(letter.to),
        cc=addresses(letter.cc),
        left_out=tuple(dict.fromkeys(one.strip().lower() for one in letter.left_out if one.strip())),
        files=_files(letter.files),
    )


def _files(given: Iterable[Enclosure]) -> tuple[Enclosure, ...]:
    files = tuple(Enclosure(safe_name(one.name), safe_type(one.type), one.data) for one in given)
    if len(files) > MOST_FILES:
        raise Refused(
            N_("These are {count} files, and {most} go with one mail; send the others with a second one."),
            count=len(files),
            most=MOST_FILES,
        )
    size = sum(len(one.data) for one in files)
    if size > LARGEST_FILES:
        raise Refused(
            N_("The files have {size} MB together, and {most} MB go with one mail; make them smaller or send fewer."),
            size=f"{size / 1_000_000:.1f}",
            most=LARGEST_FILES // 1_000_000,
        )
    return files


class Writing:
    """One mail of our own on its way into one issue."""

    def __init__(self, changed: Changes, work: Work, author: User) -> None:
        self._ground = Ground(changed.tracker, changed)
        self._now, self._work, self._author = changed.now, work, author
        self.is_staff = may_read_notes(author, work.issue, self._ground.people)

    def admitted(self) -> tuple[Row, ...]:
        """Why the author may mail the issue. Raises `Refused` when he may not."""
        issue, people, author = self._work.issue, self._ground.people, self._author
        if self.is_staff:
            return (Row("person", "staff", author.email, "accepted"),)
        facts = admission.facts_of(author.email, issue, people, kind="email", automatic="", own=False)
        answer, rows = admission.admit(facts)
        if isinstance(answer, admission.Block):
            raise Refused(
                N_(
                    "{who} may not mail issue {number}: only its reporter, assignees and authorised repliers may, and "
                    "the staff of {project!r}."
                ),
                who=author.email,
                number=issue.number,
                project=people.project(issue.project).title,
            )
        return rows

    def addressed(self, letter: Letter) -> Letter:
        """The letter with the reporter as its recipient when nobody is named."""
        for address in (*letter.to, *letter.cc):
            if address in self._ground.own:
                raise Refused(
                    N_("{address} is an address of our own; a reply to it would come back as a new mail."),
                    address=address,
                )
        reporter = self._work.issue.reporter
        if (letter.to and not letter.and_reporter) or not reporter or reporter in letter.left_out:
            return letter
        if reporter in self._author.addresses or reporter in self._ground.own:
            return letter
        return msgspec.structs.replace(letter, to=tuple(dict.fromkeys((reporter, *letter.to))))

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
            subject=letter.subject or (issue.summary if kind == "note" else _answering(issue.summary)),
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
        text = signed(letter, self._author)
        filing, data = self._composed(issue, filing, msgspec.structs.replace(letter, text=text))
        filing = msgspec.structs.replace(filing, trace=(*rows, *why))
        # Only a customer's mail reopens an issue, also one that he wrote on a screen.
        asking = msgspec.structs.replace(filing, outgoing=False)
        project = people.project(issue.project)
        status = changes.reopening(issue, asking, project, by_staff=self.is_staff)
        author = self._author.id
        issue = changes.filed(issue, filing, now, who=author, reopen_to=status, left_out=letter.left_out)
        if letter.status and self.is_staff:
            issue = changes.status_set(issue, letter.status, project, now, who=author, left_out=letter.left_out)
        self._work.issue = issue
        self._work.written.append((filing.key, data))
        self._work.texts[filing.key] = text

    def _composed(self, issue: Issue, filing: Filing, letter: Letter) -> tuple[Filing, bytes]:
        project = self._ground.people.project(issue.project)
        host = (project.sender_email or self._author.email).rpartition("@")[2]
        message_id = threading.our_id(threading.OurId(issue.number, issue.next_event), self._ground.ids_key, host)
        draft = Draft(
            from_=filing.from_,
            to=filing.to,
            cc=filing.cc,
            subject=filing.subject,
            text=letter.text,
            message_id=message_id,
            date=self._now,
            in_reply_to=filing.parent,
            references=threading.references_for(issue.root_message_id, (filing.parent,)),
            files=letter.files,
            charset=project.mail_charset,
        )
        data = compose(draft)
        message = parse(data)
        key = key_of(f"issue:{issue.number}", data)
        return msgspec.structs.replace(
            filing,
            key=key,
            message_id=message_id,
            digest=message.digest,
            date=message.date,
            attachments=message.attachments,
        ), data

    def _named(self, given: tuple[str, ...]) -> tuple[Address, ...]:
        users = ((address, self._ground.people.by_address(address)) for address in given)
        return tuple(Address(user.name if user else "", address) for address, user in users)

    def _parent(self, kind: Kind) -> str:
        """What the mail answers: the newest e-mail that came in, which its sender's client knows; else the root."""
        issue = self._work.issue
        came = [one for one in messages(issue.events) if not (one.internal or one.outgoing)]
        return came[-1].message_id if came and kind != "note" else issue.root_message_id

    def told(self) -> tuple[Considered, ...]:
        """Everybody the mail just filed could concern, told or not, and why."""
        return self._newest(Filed)

    def told_of_closing(self) -> tuple[Considered, ...]:
        """Everybody the closing that went with it could concern; nobody when it closed nothing."""
        return self._newest(Closed) if isinstance(self._work.issue.events[-1].what, Closed) else ()

    def _newest(self, kind: type[Filed | Closed]) -> tuple[Considered, ...]:
        events = [one for one in self._work.issue.events if isinstance(one.what, kind)]
        return self._considered(events[-1]) if events else ()

    def _considered(self, event: Event) -> tuple[Considered, ...]:
        return considered(event, self._work.issue, self._ground.people, self._ground.own)

    def check_reaches_somebody(self) -> None:
        """Raises `Refused` when an answer of staff would be told to nobody."""
        if self.is_staff and not any(one.notice and one.user != self._author.id for one in self.told()):
            raise Refused(
                N_(
                    "Nobody would get this reply: issue {number} has no reporter who can be written to, or he is left "
                    "out, and nobody else on its list gets e-mails. Name somebody to write to, or add a note."
                ),
                number=self._work.issue.number,
            )


def _answering(summary: str) -> str:
    return summary if summary[:3].lower() == "re:" else f"Re: {summary}".strip()


def signed(letter: Letter, author: User) -> str:
    """The text with the author's signature, unless it ends with that already."""
    signature = author.signature.strip() if letter.signed in author.signature_in else ""
    if not signature or letter.text.rstrip().endswith(signature):
        return letter.text
    return f"{letter.text}\n\n-- \n{signature}"
