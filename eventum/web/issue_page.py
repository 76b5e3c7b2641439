"""The page of an issue, however it was asked for: opened, or shown again because a form on it was refused.

Flows in: a number, the part of the conversation, what is wrong. Flows out: the page. Its forms are sent to `web/issue`
and `web/writing`.
"""

from functools import lru_cache

from flask import Response, request

from eventum.errors import Damaged
from eventum.tracker import conversation, correspond, history, presence, responses
from eventum.tracker.conversation import Conversation, Part, User
from eventum.tracker.reaching import Reach, reach_of_closing
from eventum.tracker.subscribe import ACTIONS
from eventum.web.access import me
from eventum.web.l10n import say
from eventum.web.letter import LetterForm, prepared
from eventum.web.page import page
from eventum.web.trackers import tracker


def wanted_part() -> Part:
    """Which part of the conversation the address asks for."""
    return Part(before=_number("before"), since=_number("from"))


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def conversation_of(number: int) -> Conversation:
    """The part of the issue that was asked for, as the visitor may see it. Raises `NotFound`, `Damaged`."""
    # The rows of why ten mails are here say the same sentences over and over.
    return conversation.conversation(tracker(), number, me(), wanted_part(), say=lru_cache(maxsize=None)(say))


def _told_of_closing(found: conversation.Conversation, user: User) -> tuple[Reach, ...]:
    """Who would be told; nobody while General Setup cannot be used, for then nothing can be closed either."""
    try:
        return reach_of_closing(tracker(), found.issue, user)
    except Damaged:
        return ()


def issue_page(
    number: int, status: int = 200, *, letter: LetterForm | None = None, clash: object = None, problem: str = ""
) -> Response:
    """The page; `letter` is what was sent and refused, `clash` a field that somebody else set, `problem` the rest."""
    found = conversation_of(number)
    user = me()
    if letter is None:
        letter = prepared(found, user)
    may_close = found.staff and not found.issue.closed
    may_write = found.staff or correspond.may_reply(tracker(), found.issue, user)
    return page(
        "issue/shown.html",
        status,
        c=found,
        issue=found.issue,
        project=found.project,
        letter=letter if may_write and not found.issue.was_taken_back else None,
        workers=conversation.workers(found),
        responses=responses.responses(tracker(), found.project.id) if found.staff else (),
        writers=presence.others(tracker(), number, user) if found.staff else (),
        is_writing=False,
        closing=_told_of_closing(found, user) if may_close else (),
        clash=clash,
        problem=problem,
        actions=ACTIONS,
        action_words=history.ACTIONS,
    )
