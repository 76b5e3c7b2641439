"""Canned responses: texts that are put into an answer, with places for what differs.

In flow: a text and the issue it is put into. Out flow: the text to be edited before it is sent. A place is
`{{ reporter_name }}` and the like, and is filled by its name alone: nothing in it is computed, and what is no place of
ours stays as it stands, as in Eventum, which has none (eventum-behaviour 9.12).
"""

import re

import msgspec

from eventum.issues.issue import Issue
from eventum.issues.people import People, User
from eventum.wording import N_

PLACES = {
    "reporter_name": N_("the name of who opened the issue"),
    "number": N_("the number of the issue"),
    "summary": N_("the summary of the issue"),
    "project": N_("the title of the project"),
    "my_name": N_("your name"),
}
_PLACE = re.compile(r"\{\{ ?([a-z_]{1,20}) ?\}\}", re.ASCII)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A text for answers in some projects, by id; in all projects when none is named.

    One that is `deleted` is kept, so that this can be undone; nobody sees it.
    """

    schema: int = 1
    revision: int = 0
    id: str
    title: str
    text: str = ""
    projects: tuple[str, ...] = ()
    deleted: bool = False


def unknown_place(text: str) -> str:
    """The first name in the form of a place that is none; "" when there is none such. It would go to a customer."""
    return next((name for name in _PLACE.findall(text) if name not in PLACES), "")


def filled(text: str, issue: Issue, people: People, user: User, *, reporter_name: str = "") -> str:
    """The text with its places filled; `reporter_name` is the name in the mail of a reporter who is no user."""
    reporter = people.by_address(issue.reporter)
    values = {
        "reporter_name": reporter.name if reporter else reporter_name or issue.reporter,
        "number": str(issue.number),
        "summary": issue.summary,
        "project": people.project(issue.project).title,
        "my_name": user.name,
    }
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
