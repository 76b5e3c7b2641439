"""What is told of imports: rows for commands and JSON, a sentence for people, lines for the screens.

Flows in: imports as they were noted. Flows out: plain values. Nothing is changed here.
"""

from collections import Counter
from datetime import timedelta
from typing import Literal

from eventum.issues.accounts import Account
from eventum.store.imports import Import
from eventum.store.maildir import keys
from eventum.tracker.tracker import Tracker
from eventum.wording import N_, Say

State = Literal["running", "broken off", "done", "undoing", "undoing broke off", "undone"]
LEASE = "import"  # Held by who imports or undoes: one at a time.
BEGINS_WITHIN = timedelta(seconds=30)  # A process that undoes and holds nothing for so long never began.
SHOWN = 10  # Imports of an account that a screen shows.


def state_of(tracker: Tracker, one: Import) -> State:
    """How far an import is; one that nobody works on and that did not end was broken off."""
    if one.undone is not None:
        return "undone"
    if one.undoing is not None:
        is_asked_now = tracker.clock() - one.undoing < BEGINS_WITHIN
        return "undoing" if is_asked_now or tracker.locks.is_held(LEASE) else "undoing broke off"
    if one.ended is not None:
        return "done"
    return "running" if tracker.locks.is_held(LEASE) else "broken off"


def rows(tracker: Tracker) -> list[dict[str, object]]:
    """All imports, the newest first."""
    return [row(tracker, one) for one in tracker.imports.all()]


def row(tracker: Tracker, one: Import) -> dict[str, object]:
    """An import as commands and JSON show it."""
    return {
        "id": one.id,
        "account": one.account,
        "path": one.path,
        "by": by(tracker, one),
        "began": one.began,
        "ended": one.ended,
        "state": state_of(tracker, one),
        "notify": one.notify,
        "mails": one.mails,
        "imported": one.imported,
        "skipped": one.skipped,
        "outcomes": one.outcomes,
        "unreadable": one.unreadable,
        "undone": one.undone,
        "issues_back": one.issues_back,
        "mails_back": one.mails_back,
        "left": one.left,
    }


def by(tracker: Tracker, one: Import) -> str:
    """Who began it: a name, else an address; "" for somebody who is no more."""
    user = tracker.people.load_all().user(one.by)
    return (user.name or user.email) if user else ""


def sentence(tracker: Tracker, one: Import, say: Say = str) -> str:
    """What became of an import, for a person."""
    if one.undone is not None:
        text = say(
            N_(
                "Import {id} is undone: {issues} issues it had opened are closed and empty, {mails} mails lie among "
                "the removed ones, {left} were left because somebody changed them since."
            )
        )
        return text.format(id=one.id, issues=one.issues_back, mails=one.mails_back, left=len(one.left))
    if not one.outcomes and one.ended is not None:
        return say(N_("Nothing new: all {mails} mails are here already.")).format(mails=one.mails)
    counts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in one.outcomes.items() if count)
    text = say(N_("Import {id}: {count} of {mails} mails imported ({outcomes}), {skipped} were here before."))
    return text.format(id=one.id, count=one.imported, mails=one.mails, outcomes=counts or "-", skipped=one.skipped)


def of_account(tracker: Tracker, account: Account) -> tuple[tuple[Import, State, str], ...]:
    """The last imports of an account: each with its state and who began it."""
    ours = [one for one in tracker.imports.all() if one.account == account.id][:SHOWN]
    return tuple((one, state_of(tracker, one), by(tracker, one)) for one in ours)


def tally(tracker: Tracker, one: Import) -> dict[str, int]:
    """What became of the mails of an import, as the records say it now."""
    tracker.index.catch_up()
    found, dead = Counter[str](), set(keys(tracker.layout.dead))
    for key in tracker.imports.keys(one.id):
        if brought := tracker.index.brought(key):
            found["blocked" if brought.blocked else "new_issue" if brought.first else "filed"] += 1
        elif place := tracker.index.pooled(key):
            found[place[1]] += 1
        elif key in dead:
            found["failed"] += 1
    return dict(found)
