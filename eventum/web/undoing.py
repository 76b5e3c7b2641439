"""The line that says what was done with mail, who is told of it, and when, with the button that takes it back.

Flows in: what a verb came to. Flows out: a line for the next page.
"""

from collections.abc import Sequence

from flask import url_for

from eventum.tracker import undo
from eventum.web.l10n import _, ngettext
from eventum.web.page import told
from eventum.web.trackers import tracker


def tell(line: str, step: undo.Step) -> None:
    """Say a line on the next page that takes the step back."""
    values = {"issue": step.number, "since": step.since, "revision": step.revision, "outcome": step.outcome}
    told(line, undo=url_for("emails.take_back"), **values)


def told_soon(addresses: Sequence[str]) -> str:
    """Who is told, and when."""
    if not addresses:
        return _("Nobody is told.")
    people = tracker().people.load_all()
    users = ((address, people.by_address(address)) for address in addresses)
    people_told = names([user.name if user and user.name else address for address, user in users])
    return ngettext(
        "%(people)s is told in %(seconds)s seconds.",
        "%(people)s are told in %(seconds)s seconds.",
        len(addresses),
        people=people_told,
        seconds=undo.DELAY,
    )


def names(given: Sequence[str]) -> str:
    """People in a sentence: all of a few, the first of many."""
    if len(given) > 4:
        return _("%(some)s and %(count)s others", some=", ".join(given[:3]), count=len(given) - 3)
    if len(given) > 1:
        return _("%(some)s and %(last)s", some=", ".join(given[:-1]), last=given[-1])
    return given[0] if given else ""
