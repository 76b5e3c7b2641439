"""Canned responses: which there are for a project, and how they are written, changed and deleted.

Flows in: forms, whose projects are ids. Flows out: the responses as saved. Putting one into an answer changes nothing
here.
"""

from collections.abc import Sequence

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.issue import Issue
from eventum.issues.people import User
from eventum.issues.responses import PLACES as PLACES  # What a screen says about them.
from eventum.issues.responses import Response as Response
from eventum.issues.responses import filled as _filled
from eventum.issues.responses import unknown_place
from eventum.tracker.membership import NEW_ID
from eventum.tracker.once import check_same
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

MAX_TITLE = 64  # Characters, as Eventum's (9.12).
MAX_TEXT = 20_000


class ResponseForm(msgspec.Struct, frozen=True, kw_only=True):
    """A response as somebody wrote it; `id` is that of a new one, `revision` that of the one it was made from."""

    id: str = ""
    revision: int | None = None
    title: str
    text: str
    projects: tuple[str, ...] = ()


def all_responses(tracker: Tracker) -> tuple[Response, ...]:
    """All canned responses, by title."""
    return tracker.responses.usable()


def response_by_id(tracker: Tracker, response_id: str) -> Response:
    """The response with exactly this id. Raises `NotFound`."""
    for response in tracker.responses.usable():
        if response.id == response_id:
            return response
    raise NotFound(N_("There is no such canned response."))


def responses(tracker: Tracker, project_id: str) -> tuple[Response, ...]:
    """The canned responses for answers in this project, by title."""
    return tuple(one for one in tracker.responses.usable() if not one.projects or project_id in one.projects)


def filled(tracker: Tracker, response: Response, issue: Issue, user: User) -> str:
    """The text of a response as it goes into the user's answer in this issue."""
    return _filled(response.text, issue, tracker.people.load_all(), user)


def save_response(tracker: Tracker, response_id: str | None, form: ResponseForm) -> Response:
    """Change the response with that id, or add one when it is None; the response as saved.

    Raises `Refused` for what cannot be taken, `NotFound` for an unknown response or project, `Conflict`.
    """
    new = Response(id=form.id if NEW_ID.fullmatch(form.id) else "", title="")
    if response_id is None and (made := _known(tracker, new.id)) is not None:
        check_same(made.title, " ".join(form.title.split()))
        return made
    response = new if response_id is None else tracker.responses.response(response_id)
    response = msgspec.structs.replace(
        response,
        revision=response.revision if form.revision is None else form.revision,
        title=" ".join(form.title.split()),
        text=form.text.replace("\r\n", "\n").strip("\n"),
        projects=_projects(tracker, form.projects),
    )
    _check(response)
    try:
        return tracker.responses.save(response)
    except Conflict:
        sent_before = _known(tracker, response.id) if response_id is None else None
        if sent_before is None:
            raise
        return sent_before


def delete_response(tracker: Tracker, response_id: str, is_deleted: bool = True) -> Response:
    """Delete a response, or take that back; the response. Raises `NotFound`, `Refused` for a taken title."""
    response = tracker.responses.response(response_id)
    return tracker.responses.save(msgspec.structs.replace(response, deleted=is_deleted))


def _known(tracker: Tracker, response_id: str) -> Response | None:
    try:
        return tracker.responses.response(response_id) if response_id else None
    except NotFound:
        return None


def _projects(tracker: Tracker, ids: Sequence[str]) -> tuple[str, ...]:
    people = tracker.people.load_all()
    return tuple(dict.fromkeys(people.project(one).id for one in ids))


def _check(response: Response) -> None:
    if not response.title or not response.title.isprintable() or len(response.title) > MAX_TITLE:
        message = N_("The title of a canned response is one line of 1 to {most} characters.")
        raise Refused(message, most=MAX_TITLE, field="title")
    if not response.text.strip() or len(response.text) > MAX_TEXT:
        message = N_("The text of a canned response has 1 to {most} characters.")
        raise Refused(message, most=MAX_TEXT, field="text")
    if name := unknown_place(response.text):
        message = N_("There is no place {name}; there are {places}.")
        raise Refused(message, name=name, places=", ".join(PLACES), field="text")
