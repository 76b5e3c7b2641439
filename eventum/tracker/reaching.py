"""Who would get a letter, or be told of a closing: asked before anything is sent, by the very rules that send it.

Flows in: an issue, who acts, what he would do. Flows out: people, and why each of them. Nothing is changed.
"""

from collections.abc import Collection

import msgspec

from eventum.issues import changes
from eventum.issues.events import Kind
from eventum.issues.issue import Issue
from eventum.issues.people import User
from eventum.issues.recipients import Considered, considered
from eventum.tracker.ground import Ground
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes
from eventum.tracker.writing import Letter, Writing, clean
from eventum.wording import N_

_OF_CLOSING = N_("told of the closing")


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who would get a letter: where, his name, and why, as a marked word or two."""

    address: str
    name: str
    why: str
    staff: bool


def reach(tracker: Tracker, number: int, user: User, letter: Letter, *, kind: Kind) -> tuple[Reach, ...]:
    """Who would get this letter, by the very rules that send it; nothing is changed. The left-out are among them.

    Raises `Refused` for who may not write, or an address that cannot be written to; `NotFound`, `Damaged`.
    """
    changed = Changes(tracker, tracker.clock())
    work = changed.work(number)
    issue = work.issue
    writing = Writing(changed, work, user)
    rows = writing.admitted() if kind == "email" else ()
    # Left out for the dry run is nobody: the one who looks decides that, person by person.
    letter = msgspec.structs.replace(clean(letter, unfinished=True), files=(), left_out=())
    writing.file(kind, writing.addressed(letter) if kind == "email" else letter, rows)
    named = {*letter.to, *letter.cc}
    found = {one.address: _reach(one, issue, user, named=named) for one in writing.told() if one.notice}
    for one in writing.told_of_closing():
        if one.notice and one.address not in found:
            found[one.address] = _reach(one, issue, user, named=named, otherwise=_OF_CLOSING)
    return tuple(found.values())


def reach_of_closing(tracker: Tracker, issue: Issue, user: User) -> tuple[Reach, ...]:
    """Who would be told when the user closes the issue, by the very rules that tell them; nothing is changed."""
    ground = Ground(tracker, Changes(tracker, tracker.clock()))
    status = ground.people.project(issue.project).closed_status
    closed = changes.closed(issue, status, ground.changes.now, who=user.id)
    if closed == issue:
        return ()
    told = considered(closed.events[-1], closed, ground.people, ground.own)
    return tuple(_reach(one, issue, user, otherwise=_OF_CLOSING) for one in told if one.notice)


def _reach(
    one: Considered,
    issue: Issue,
    user: User,
    *,
    named: Collection[str] = (),
    otherwise: str = N_("notification list"),
) -> Reach:
    if one.user == user.id:
        why = N_("your own copy")
    elif one.address == issue.reporter:
        why = N_("reporter")
    elif one.user and one.user in issue.assignees:
        why = N_("assignee")
    elif one.address in named:
        why = N_("named here")
    else:
        why = otherwise
    return Reach(address=one.address, name=one.name or one.address, why=why, staff=bool(one.user))
