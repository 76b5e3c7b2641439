"""What somebody wants to see of the issues: the values of the list's address, the usual views, those he saved.

Flows in: values of an address, and a user. Flows out: what is wanted, and views with their counts. No issue is read.
"""

from collections.abc import Mapping

import msgspec

from eventum.errors import Damaged, NotFound, Refused
from eventum.issues.people import User
from eventum.mail.words import clean_line
from eventum.store.filters import SavedFilter
from eventum.store.index_lists import SORTS
from eventum.store.index_tables import EVERYBODY
from eventum.store.index_texts import Scope
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ME, NOBODY = "me", "nobody"  # No user has such an id.
ANY, CLOSED = "*", "-"  # In the place of a status: whichever, all that mean closed; "" is all that do not.
WAITING = "waiting"  # The status that waits for the customer, as a new project has it.
# What is sorted with the least first when nobody says otherwise; everything else has the newest or most on top.
RISING = ("summary", "reporter", "category", "project", "status", "priority", "assignee")
LONGEST = 200  # Characters of a value.
LONGEST_NAME = 60
MOST_SAVED = 30


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants to see; the fields are the values of the list's address, and of a saved filter."""

    project: str = ""
    status: str = ""
    priority: str = ""
    category: str = ""
    assignee: str = ""
    reporter: str = ""
    q: str = ""
    sort: str = "updated"
    order: str = ""

    @property
    def is_descending(self) -> bool:
        """Whether the last comes first."""
        return self.order == "desc" if self.order in ("asc", "desc") else self.sort not in RISING

    @property
    def values(self) -> dict[str, str]:
        """The values that are not the usual ones, for an address."""
        found: dict[str, str] = msgspec.to_builtins(self)
        return found

    @property
    def filters(self) -> dict[str, str]:
        """Which issues are wanted, in whatever order."""
        return {name: value for name, value in self.values.items() if name not in ("sort", "order")}

    def sorted_by(self, column: str) -> dict[str, str]:
        """The values of the address that sorts by a column: the other way when it is sorted by that already."""
        order = "" if column != self.sort else "asc" if self.is_descending else "desc"
        return msgspec.structs.replace(self, sort=column, order=order).values


FIELDS = tuple(field.name for field in msgspec.structs.fields(Wanted))


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A list that is one click away; `count` is None where counting would take a search."""

    name: str
    wanted: Wanted
    count: int | None = None
    is_saved: bool = False


def wanted_of(values: Mapping[str, str]) -> Wanted:
    """What the values of an address ask for; what is unknown or too long does not matter."""
    given = {name: values.get(name, "").strip()[:LONGEST] for name in FIELDS}
    given["sort"] = given["sort"] if given["sort"] in SORTS else "updated"
    return Wanted(**given)


def usual(tracker: Tracker, user: User, scope: Scope) -> list[View]:
    """The views everybody has. Who is staff nowhere has as his own issues those he reported."""
    is_staff = scope.staff != ()
    tallies = tracker.index.tallies(scope, (EVERYBODY, "", user.id))
    count = {"": 0, user.id: 0, EVERYBODY: 0}
    closed = waiting = 0
    for who, status, is_closed, number in tallies:
        if who == EVERYBODY and is_closed:
            closed += number
        elif not is_closed:
            count[who] += number
            waiting += number if who == EVERYBODY and status == WAITING else 0
    mine = Wanted(assignee=ME) if is_staff else Wanted(reporter=user.email)
    found = [View(name=N_("My issues"), wanted=mine, count=count[user.id] if is_staff else None)]
    found.append(View(name=N_("All open"), wanted=Wanted(), count=count[EVERYBODY]))
    if is_staff:
        found.append(View(name=N_("Unassigned"), wanted=Wanted(assignee=NOBODY), count=count[""]))
    found.append(View(name=N_("Waiting"), wanted=Wanted(status=WAITING), count=waiting))
    return [*found, View(name=N_("Closed"), wanted=Wanted(status=CLOSED), count=closed)]


def saved(tracker: Tracker, user: User) -> list[View]:
    """The filters a user saved."""
    try:
        saved = tracker.filters.of(user.id)
    except Damaged:  # `verify` names the file; the list of issues is shown without it.
        return []
    return [View(name=one.name, wanted=wanted_of(one.values), is_saved=True) for one in saved]


def save(tracker: Tracker, user: User, name: str, wanted: Wanted) -> None:
    """Keep what is wanted under a name; the same name again keeps the new one in its place.

    Raises `Refused` for a name that is none, or when there are too many.
    """
    name = clean_line(name, LONGEST_NAME + 1)
    if not name or len(name) > LONGEST_NAME:
        raise Refused(N_("The name of a filter is one line of 1 to {most} characters."), most=LONGEST_NAME)
    new = SavedFilter(name, wanted.values)

    def changed(before: tuple[SavedFilter, ...]) -> tuple[SavedFilter, ...]:
        if any(one.name == name for one in before):
            return tuple(new if one.name == name else one for one in before)
        if len(before) >= MOST_SAVED:
            raise Refused(N_("There are {most} saved filters, which is the most; delete one first."), most=MOST_SAVED)
        return (*before, new)

    tracker.filters.change(user.id, changed)


def forget(tracker: Tracker, user: User, name: str) -> Wanted:
    """Delete a saved filter; what it wanted, so that it can be saved again. Raises `NotFound`."""
    gone: list[SavedFilter] = []

    def changed(before: tuple[SavedFilter, ...]) -> tuple[SavedFilter, ...]:
        gone[:] = [one for one in before if one.name == name]
        return tuple(one for one in before if one.name != name)

    tracker.filters.change(user.id, changed)
    if not gone:
        raise NotFound(N_("There is no saved filter of that name."))
    return wanted_of(gone[0].values)
