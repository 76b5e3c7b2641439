"""The lines that say what was done with mail, who is told of it, and when; with the button that takes it back.

Flows in: what a verb came to. Flows out: a line for the next page, and the list of what was done lately.
"""

from collections.abc import Sequence
from typing import NamedTuple

from flask import request, url_for

from eventum.tracker import lately, undo
from eventum.tracker.lately import Recent
from eventum.tracker.undo import Back
from eventum.web.access import me
from eventum.web.l10n import _, ngettext
from eventum.web.page import safe_path, told
from eventum.web.trackers import tracker
from eventum.wording import N_

DONE = {
    "as_email": (
        N_("The mail of %(who)s is now in %(issue)s, as e-mail."),
        N_("%(num)s mails are now in %(issue)s, as e-mails."),
    ),
    "as_reference": (
        N_("The mail of %(who)s is now in %(issue)s, as reference."),
        N_("%(num)s mails are now in %(issue)s, as references."),
    ),
    "as_note": (
        N_("The mail of %(who)s is now in %(issue)s, as internal note."),
        N_("%(num)s mails are now in %(issue)s, as internal notes."),
    ),
    "opened": (
        N_("Issue %(issue)s is opened for the mail of %(who)s."),
        N_("Issue %(issue)s is opened for %(num)s mails."),
    ),
    "accepted": (N_("The mail of %(who)s is accepted in %(issue)s."), ""),
    "allowed": (N_("The mail of %(who)s is accepted in %(issue)s, and those that follow will be."), ""),
    "ignored": (N_("The mail of %(who)s is ignored; it stays in %(issue)s for staff to read."), ""),
}
"""What is said of a step (`handling.step_name`): of one mail, and of several."""


class Line(NamedTuple):
    """A step that can be taken back, in words, and the hidden values of the form that does it."""

    text: str
    values: dict[str, object]


def done(name: str, senders: Sequence[str], number: int) -> str:
    """What was done with the mails of these senders."""
    one, many = DONE[name]
    if len(senders) == 1 or not many:
        return _(one, who=senders[0], issue=f"#{number}")
    return ngettext(one, many, len(senders), who=senders[0], issue=f"#{number}")


def sender(mail: lately.Filing) -> str:
    """Whose mail it is, in words."""
    return mail.from_.name or mail.from_.address or _("an unknown sender")


def tell(line: str, step: undo.Step, default: str) -> None:
    """Say a line on the next page that takes the step back, and goes on from where it was done."""
    values = _values(step, safe_path(request.form.get("next")) or default)
    told(line, undo=url_for("taking_back.take_back"), link=to_issue(step.number), **values)


def to_issue(number: int) -> tuple[str, str]:
    """The way to an issue, for the end of a line."""
    return url_for("issue.shown", number=number), _("Show %(issue)s", issue=f"#{number}")


def to_mail(mail: lately.Filing) -> tuple[str, str]:
    """The way to a mail of the list."""
    return url_for("emails.index", mail=mail.key), _("Show the mail")


def lines_lately() -> list[Line]:
    """What the visitor did lately and can take back, for the foot of a desk."""
    here = safe_path(request.full_path.rstrip("?"))
    return [_line(one, here) for one in lately.lately(tracker(), me())]


def _line(one: Recent, here: str) -> Line:
    return Line(done(one.name, [sender(mail) for mail in one.mails], one.step.number), _values(one.step, here))


def _values(step: undo.Step, goes_on: str) -> dict[str, object]:
    return {
        "issue": step.number,
        "since": step.since,
        "revision": step.revision,
        "outcome": step.outcome,
        "next": goes_on,
    }


def taken_back(back: Back) -> str:
    """What taking back came to."""
    lines = [_("Taken back.")]
    values = {"who": sender(back.mails[0]) if back.mails else "", "issue": f"#{back.blocked_in}"}
    if back.mails and back.blocked_in:
        lines = [_("Taken back: the mail of %(who)s is blocked in %(issue)s again.", **values)]
    elif back.mails:
        one, many = (
            N_("Taken back: the mail of %(who)s waits in Associate Emails again."),
            N_("Taken back: %(num)s mails wait in Associate Emails again."),
        )
        lines = [ngettext(one, many, len(back.mails), who=values["who"])]
    if back.issue.was_taken_back:
        lines.append(_("Issue %(issue)s is closed and empty.", issue=f"#{back.issue.number}"))
    if back.told:
        lines.append(_("%(people)s had been told already.", people=names(back.told)))
    return " ".join(lines)


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
