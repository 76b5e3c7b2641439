"""The notices: what one person is told by mail, in which form, under which subject, from whom.

In flow: a recipient, the event, the issue as it will be. Out flow: a subject, a From, and the context of a template.
Nothing here renders or threads: `tracker/render` and `mail/compose` do. The sources are eventum-behaviour 7.1 to
7.11; as in its W-N10 and W-N12 mended, a sender with a display name works, and what a person wrote is not marked as
written by a program.

The templates are `templates/notifications/<notice>.txt`, Jinja2 with `trim_blocks`, `lstrip_blocks` and
`keep_trailing_newline`, plain text without escaping. They see the keys of `Context`. `email` has none: the message
itself is sent on, with its attachments.
"""

from types import MappingProxyType
from typing import Literal, TypedDict

import msgspec

from eventum.issues.access import may_see
from eventum.issues.events import Closed, Event, Filed, Kind
from eventum.issues.issue import Issue
from eventum.issues.people import People, Project
from eventum.issues.recipients import Recipient
from eventum.issues.routing import issue_address, tag, tagged_subject
from eventum.issues.settings import General
from eventum.mail.address import Address, parse_addresses
from eventum.mail.automatic import Origin
from eventum.mail.reading import files
from eventum.wording import N_

LONGEST_SUMMARY = 200
LONGEST_TEXT = 20_000
"""Characters of a summary and of a text in a notice; the whole is on the issue's page."""


class Notice(msgspec.Struct, frozen=True):
    """One row of NOTICES.

    `template` is a file's name under templates/notifications, "" when the message itself is sent on. `origin` says
    who wrote it, for the marks of automatic mail. `internal`: for staff only. `role`: which kind of routing address
    an answer goes to. `voice`: whose name stands in the From, the author's or the project's. `title` stands before
    the summary in the subject.
    """

    template: str
    origin: Origin
    internal: bool
    role: Kind
    voice: Literal["author", "project"]
    title: str


NOTICES = MappingProxyType(
    {
        "new_issue": Notice("new_issue.txt", "auto-generated", False, "email", "author", "New Issue: "),
        "new_issue_assigned": Notice(
            "new_issue_assigned.txt", "auto-generated", False, "email", "author", "New Issue Assigned: "
        ),
        "assignment": Notice("assignment.txt", "auto-generated", False, "email", "author", "New Assignment: "),
        "acknowledgement": Notice("acknowledgement.txt", "auto-replied", False, "email", "project", "Issue Created: "),
        "email": Notice("", "no", False, "email", "author", ""),
        "note": Notice("note.txt", "auto-generated", True, "note", "author", "Note: "),
        "blocked": Notice("blocked.txt", "auto-generated", True, "email", "project", "BLOCKED: "),
        "closed": Notice("closed.txt", "auto-generated", False, "email", "author", "Closed: "),
    }
)

WHY = MappingProxyType(
    {
        "acknowledged": "You get this mail because you opened the issue.",
        "assigned_new": "You get this mail because the issue is assigned to you.",
        "all_new": "You get this mail because you asked to be told of all new issues.",
        "newly_assigned": "You get this mail because the issue is assigned to you.",
        "blocked": "You get this mail because you are told of what is blocked in this issue.",
        "note": "You get this mail because you are on the notification list of the issue.",
        "email": "You get this mail because you are on the notification list of the issue.",
        "closed": "You get this mail because you are on the notification list of the issue.",
    }
)
"""Why somebody is told, said to himself, by the deciding rule of `recipients`."""

BLOCKED = MappingProxyType(
    {
        "not_entitled": N_("the sender may not mail this issue"),
        "automatic": N_("it was written by a program"),
        "bounce": N_("it reports that a mail could not be delivered"),
        "sender_not_clear": N_("it is not clear who sent it"),
    }
)
"""Why a mail was blocked, by the reason of `admission`."""


class Context(TypedDict):
    """What a template sees. Every text is one or more clean lines; what does not apply is empty."""

    caption: str  # the name of the installation
    project: str  # the project's title
    number: int
    tag: str  # [#42]
    summary: str
    description: str
    status: str
    priority: str
    category: str
    reporter: str  # a name, or an address
    assignees: list[str]  # names
    link: str  # the issue's page; "" without a base URL, and for people who cannot log in or see it
    name: str  # the recipient's
    who: str  # who did what is told: a name, or an address
    sender: str  # who sent the message that is told, with his address
    subject: str  # of the message
    text: str  # of the message
    attachments: list[str]  # names of the message's files
    blocked: str  # why the message was blocked, a clause
    reason: str  # why the issue was closed
    why: str  # why the recipient is told, a sentence


def subject(notice: str, issue: Issue, original: str = "") -> str:
    """The subject of a notice: tag, title, summary. For e-mails, notes, blocked mails `original` is the message's."""
    title = NOTICES[notice].title
    text = one_line(original if notice in ("email", "note", "blocked") else issue.summary)
    if notice == "email":
        # Who answers a notice is read by others, who never saw it: its title tells them nothing.
        for title in (one.title for one in NOTICES.values() if one.title):
            text = text.replace(f"{tag(issue.number)} {title}", f"{tag(issue.number)} ")
        return tagged_subject(issue.number, text)
    # An answer to a notice repeats its whole subject; it must not grow with every answer.
    repeated = f"{tag(issue.number)} {title}"
    if repeated in text:
        text = text.rpartition(repeated)[2]
    return tagged_subject(issue.number, f"{title}{clipped(text, LONGEST_SUMMARY)}")


def sender(notice: str, issue: Issue, project: Project, general: General, *, author: str = "") -> Address:
    """The From of a notice: the issue's routing address, else the project's sender, else `smtp.from`.

    `author` is the display name of who wrote or did what is told. The address is "" when none of the three is set.
    """
    kind = NOTICES[notice].role
    configured = next(iter(parse_addresses(general.smtp.from_)), Address("", ""))
    address = issue_address(issue.number, kind, general) or project.sender_email.lower() or configured.address
    own = project.sender_name or configured.name or project.title
    # An address as a display name looks forged, to people and to filters.
    said = one_line(author) if NOTICES[notice].voice == "author" and "@" not in author else ""
    return Address(said or own, address)


def author(event: Event, people: People) -> str:
    """The display name of who did what an event tells, "" when he has none."""
    user = people.who(event.who)
    message = event.what.message if isinstance(event.what, Filed) else None
    # Who kept another's mail as a note speaks to the staff, not the sender.
    noted = user is not None and message is not None and message.kind == "note" and not message.blocked
    if message is not None and not message.outgoing and not noted:
        return message.from_.name or (user.name if user else "")
    return user.name if user else ""


def context(
    recipient: Recipient, event: Event, issue: Issue, people: People, *, general: General, text: str = ""
) -> Context:
    """What the recipient's template sees; `text` is the readable text of the message, for notes and blocked mails.

    `general.base_url` must be the one in force. An acknowledgement's context holds nothing the sender wrote but the
    summary: whoever forges a From must not be able to send his text by us (reliability T14).
    """
    what = event.what
    message = what.message if isinstance(what, Filed) else None
    thanked = recipient.notice == "acknowledgement"
    user = people.user(recipient.user)
    visible = user is not None and may_see(user, issue, people)
    assignees = [people.user(one) for one in issue.assignees]
    return Context(
        caption=general.tool_caption,
        project=people.project(issue.project).title,
        number=issue.number,
        tag=tag(issue.number),
        summary=clipped(one_line(issue.summary), LONGEST_SUMMARY),
        description="" if thanked else clipped(issue.description.strip(), LONGEST_TEXT),
        status=issue.status,
        priority=issue.priority,
        category=issue.category,
        reporter=_named(issue.reporter, people),
        assignees=[] if thanked and not visible else [one.name for one in assignees if one is not None],
        link=f"{general.base_url.rstrip('/')}/issues/{issue.number}" if general.base_url and visible else "",
        name=recipient.name,
        who=author(event, people) or _named(event.who, people),
        sender=_full(message.from_) if message else "",
        subject=one_line(message.subject) if message else "",
        text=clipped(text.strip(), LONGEST_TEXT) if message else "",
        attachments=[one.name for one in files(message.attachments)] if message else [],
        blocked=BLOCKED.get(message.blocked, message.blocked) if message else "",
        reason=what.reason if isinstance(what, Closed) else "",
        why=WHY[recipient.why.rule],
    )


def clipped(text: str, longest: int) -> str:
    """The text, cut to so many characters and marked when it was."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def one_line(text: str) -> str:
    """The text as one line without control characters, fit for a header."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _named(who: str, people: People) -> str:
    user = people.who(who) if who else None
    return user.name if user else who


def _full(address: Address) -> str:
    return (
        f"{address.name} <{address.address}>" if address.name and address.address else address.address or address.name
    )
