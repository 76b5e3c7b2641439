"""Which issue a mail belongs to: the one in its addresses, in its subject, the one it answers, a new one or none.

In flow: facts that the verb collected (which numbers and Message-IDs exist is one of them). Out flow: the answer and
its rows. Whether the sender may write there is `admission`. eventum-behaviour 3 and 5, with its faults mended: an
unknown number does not stop the headers (W-R4), a parent in the pool is pulled into the new issue (W-R6), a reply is
a note only when it comes from staff (W-R7, W-D6), machines never open issues (W-R9), and own mail coming back is put
aside (W-R11).
"""

from typing import Literal

import msgspec

from eventum.issues.events import Kind, by_machine
from eventum.issues.routing import Route, Tag
from eventum.issues.trace import Row, Rule, Table

Step = tuple[str, "Answer | None"]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a Message-ID that the mail refers to was found to be.

    `how`: "ours", an id of our own making; "index", a message or the root of an issue; "pool", mail of no issue that
    is still waiting. `internal`: the parent is a note, or a notice for staff only; not so a blocked or converted
    e-mail itself. `staff`: the sender is staff in the project of that issue.
    """

    message_id: str
    how: Literal["ours", "index", "pool"]
    issue: int | None = None
    internal: bool = False
    pool_key: str = ""
    staff: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that association looks at.

    `routes` holds only numbers that exist, in the order of the addresses. `tag` is the subject's, `tag_exists`
    whether there is such an issue, `tag_staff` whether the sender is staff there, `tag_enabled` the setting.
    `candidates` are those found, nearest parent first; the verb leaves them empty for a forwarded mail (`forwarded`).
    `own_id`: its own Message-ID is of our making. `copy_of`: an issue of the account's project that has a mail with its
    own Message-ID, when one of the two came by a list, which changes what it passes on; 0 for none.
    """

    routes: tuple[Route, ...] = ()
    tag: Tag | None = None
    tag_exists: bool = False
    tag_staff: bool = False
    tag_enabled: bool = False
    candidates: tuple[Match, ...] = ()
    asked: int = 0
    forwarded: bool = False
    automatic: str = ""
    sender_is_own: bool = False
    own_id: bool = False
    copy_of: int = 0
    auto_create: bool = False


class ToIssue(msgspec.Struct, frozen=True):
    """File it there; `parent` is the Message-ID it answers, "" when unknown.

    `again`: the issue has another copy of it.
    """

    number: int
    kind: Kind = "email"
    parent: str = ""
    again: bool = False


class NewIssue(msgspec.Struct, frozen=True):
    """Open an issue for it; `pull` are the pool's keys of the mails that belong in front of it."""

    pull: tuple[str, ...] = ()
    parent: str = ""


class ToPool(msgspec.Struct, frozen=True):
    """Keep it with no issue."""

    outcome: Literal["unassociated", "ignored"]


Answer = ToIssue | NewIssue | ToPool


def associate(facts: Facts) -> tuple[Answer, tuple[Row, ...]]:
    """Where the mail belongs, and why."""
    return ASSOCIATION.decide(facts)


def _own_notice(facts: Facts) -> Step:
    # Our mark and our sender: a mail of ours that came back by a forward or a list. Filing it would make new notices.
    if facts.automatic in ("ours", "sent-on") and facts.sender_is_own:
        return facts.automatic, ToPool("ignored")
    # Our own id: a list may have put itself into the From, and a relay may have taken our mark away.
    return ("id", ToPool("ignored")) if facts.own_id else (facts.automatic, None)


def _list_copy(facts: Facts) -> Step:
    return (str(facts.copy_of), ToIssue(facts.copy_of, again=True)) if facts.copy_of else ("", None)


def _address(facts: Facts) -> Step:
    if not facts.routes:
        return "", None
    saw = " ".join(f"{route.kind}:{route.number}" for route in facts.routes)
    route = facts.routes[0]
    parent = _parent_in(facts, route.number)
    kind: Kind = "note" if route.kind == "email" and _answers_staff(parent) else route.kind
    return saw, ToIssue(route.number, kind, parent.message_id if parent else "")


def _subject_tag(facts: Facts) -> Step:
    if not facts.tag_enabled:
        return "off", None
    if facts.tag is None:
        return "", None
    if not facts.tag_exists:
        return f"unknown:{facts.tag.number}", None
    parent = _parent_in(facts, facts.tag.number)
    internal = facts.tag.internal and facts.tag_staff
    kind: Kind = "note" if internal or _answers_staff(parent) else "email"
    return str(facts.tag.number), ToIssue(facts.tag.number, kind, parent.message_id if parent else "")


def _headers(facts: Facts) -> Step:
    if facts.forwarded:
        return "forwarded", None
    for match in facts.candidates:
        if match.issue is not None:
            kind: Kind = "note" if _answers_staff(match) else "email"
            return f"{match.how}:{match.message_id}", ToIssue(match.issue, kind, match.message_id)
    return f"asked:{facts.asked}", None


def _machine(facts: Facts) -> Step:
    return facts.automatic, ToPool("unassociated") if by_machine(facts.automatic) else None


def _own_sender(facts: Facts) -> Step:
    return ("own", ToPool("unassociated")) if facts.sender_is_own else ("", None)


def _auto_creation_off(facts: Facts) -> Step:
    return ("on", None) if facts.auto_create else ("off", ToPool("unassociated"))


def _parent_in_pool(facts: Facts) -> Step:
    waiting = [match for match in facts.candidates if match.how == "pool" and match.pool_key]
    if not waiting or facts.forwarded:
        return "", None
    keys = tuple(dict.fromkeys(match.pool_key for match in waiting))
    return waiting[0].message_id, NewIssue(keys, waiting[0].message_id)


def _claims_nothing(facts: Facts) -> Step:
    return "", NewIssue()


def _parent_in(facts: Facts, number: int) -> Match | None:
    return next((match for match in facts.candidates if match.issue == number), None)


def _answers_staff(parent: Match | None) -> bool:
    # Whoever presses "reply" under a notice for staff means staff, whatever address our From asked him to use.
    return parent is not None and parent.internal and parent.staff


def _say(answer: Answer) -> str:
    match answer:
        case ToIssue(number, kind):
            return f"{kind}:{number}"
        case NewIssue():
            return "new_issue"
        case ToPool(outcome):
            return outcome


ASSOCIATION: Table[Facts, Answer] = Table(
    "association",
    (
        Rule("own_notice", _own_notice),
        Rule("list_copy", _list_copy),
        Rule("address", _address),
        Rule("subject_tag", _subject_tag),
        Rule("headers", _headers),
        Rule("machine", _machine),
        Rule("own_sender", _own_sender),
        Rule("auto_creation", _auto_creation_off),
        Rule("parent_in_pool", _parent_in_pool),
        Rule("new", _claims_nothing),
    ),
    _say,
)
