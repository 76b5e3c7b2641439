"""The shop of the demo: two projects, its people with their roles and wishes, a mailbox for each project.

Flows in: a tracker on an empty store, or on one that has some of it. Flows out: all of it, made by the verbs that the
commands use. What is there already stays as it is, so a demo can be gone on with after somebody changed it.
"""

import msgspec

from eventum.demo.place import ADDRESSES, Place
from eventum.errors import NotFound
from eventum.issues.accounts import Account
from eventum.tracker import founding, general, mailboxes, membership, passwords
from eventum.tracker.mailboxes import AccountForm
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.tracker.tracker import Tracker

HELP, ORDERS = ADDRESSES
HELP_DESK, ORDERING = "Help desk", "Orders"


class Person(msgspec.Struct, frozen=True):
    """Somebody who works in the shop; `about` says what for whom the name tells nothing."""

    email: str
    name: str
    about: str
    members: tuple[tuple[str, str], ...] = ()
    preferences: tuple[tuple[str, str, bool], ...] = ()


ADA = Person("ada@lighthouse.example", "Ada Lindqvist", "administrator")
DANA = Person(
    "dana@lighthouse.example",
    "Dana Reyes",
    "developer of Help desk; every issue there is assigned to her",
    ((HELP_DESK, "developer"),),
)
YUKI = Person(
    "yuki@lighthouse.example",
    "Yuki Tanaka",
    "manager of Help desk; asked to be told of all new issues",
    ((HELP_DESK, "manager"), (ORDERING, "standard")),
    ((HELP_DESK, "all_new", True),),
)
OLU = Person("olu@lighthouse.example", "Olu Adeyemi", "developer of Orders", ((ORDERING, "developer"),))
PEOPLE = (ADA, DANA, YUKI, OLU)

PROJECTS = (
    ProjectForm(title=HELP_DESK, sender_email=HELP, categories=("Question", "Repair")),
    ProjectForm(title=ORDERING, sender_email=ORDERS),
)


def build(tracker: Tracker, place: Place, smtp_port: int, url: str) -> dict[str, Account]:
    """Make what is missing; the accounts by their addresses. The outgoing mail goes to this port of this machine, and
    the links in it to `url`."""
    founding.found(tracker, UserForm(email=ADA.email, name=ADA.name))
    tracker.open()
    for project in PROJECTS:
        _project(tracker, project)
    for person in PEOPLE:
        _person(tracker, person)
    _passwords(tracker, place)
    wanted = (("smtp.host", "127.0.0.1"), ("smtp.port", str(smtp_port)), ("smtp.from", HELP), ("general.base_url", url))
    for key, value in wanted:
        if str(general.asked(tracker, key).value) != value:
            general.changed(tracker, key, value)
    return {
        HELP: _account(tracker, place, HELP, AccountForm(project=HELP_DESK, auto_create=True, assign=(DANA.email,))),
        ORDERS: _account(tracker, place, ORDERS, AccountForm(project=ORDERING)),
    }


def _project(tracker: Tracker, form: ProjectForm) -> None:
    try:
        tracker.people.project(str(form.title))
    except NotFound:
        membership.save_project(tracker, None, form)


def _person(tracker: Tracker, person: Person) -> None:
    try:
        tracker.people.user(person.email)
    except NotFound:
        form = UserForm(email=person.email, name=person.name, members=person.members, preferences=person.preferences)
        membership.save_user(tracker, None, form)


def _passwords(tracker: Tracker, place: Place) -> None:
    """Everybody may log in; whoever chose a password of his own keeps it."""
    without = [person for person in PEOPLE if not tracker.people.user(person.email).password]
    kept = passwords.hashed(place.password()) if without else ""
    for person in without:
        membership.save_user(tracker, person.email, UserForm(password=kept))


def with_our_password(tracker: Tracker, place: Place) -> list[Person]:
    """Who logs in with the password of this folder: everybody but those who chose one of their own."""
    ours = place.password()
    kept = {person.email: tracker.people.user(person.email).password for person in PEOPLE}
    right = {one for one in set(kept.values()) if passwords.is_right(one, ours)}
    return [person for person in PEOPLE if kept[person.email] in right]


def _account(tracker: Tracker, place: Place, address: str, form: AccountForm) -> Account:
    for account in tracker.settings.usable_accounts():
        if address in account.addresses:
            return account
    folder = str(place.mailbox(ADDRESSES[address]))
    form = msgspec.structs.replace(form, type="maildir", folder=folder, addresses=(address,), quiet_before="never")
    return mailboxes.save_account(tracker, None, form)
