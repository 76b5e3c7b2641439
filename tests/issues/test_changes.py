"""Changes of an issue append events and touch nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.errors import Refused
from eventum.issues import changes
from eventum.issues.events import (
    Assigned,
    Changed,
    Closed,
    DeliveryFailed,
    Filed,
    Opened,
    Reopened,
    StatusChanged,
    Subscribed,
    Unassigned,
)
from eventum.issues.issue import ACTIONS, Issue, Subscription, messages
from eventum.issues.people import Project, User


def kinds(issue: Issue) -> list[type]:
    return [type(event.what) for event in issue.events]


def test_a_new_issue_begins_with_its_opening(world: Any) -> None:
    issue = world.issue()
    assert (issue.number, issue.status, issue.reporter, issue.revision) == (42, "new", "customer@else.example", 0)
    assert (issue.first_event, issue.next_event, issue.announced) == (1, 2, 0)
    assert issue.events[0].what == Opened(by_mail=True) and issue.events[0].who == "customer@else.example"
    assert issue.created == issue.updated == world.now and issue.closed is None


def test_messages_are_counted_by_what_they_are(world: Any) -> None:
    issue = world.issue()
    for message in (
        world.filing(),
        world.filing("note", key="2"),
        world.filing("note", key="3", blocked="not_entitled"),
        world.filing("draft", key="4"),
        world.filing(key="5", outgoing=True),
    ):
        issue = changes.filed(issue, message, world.now)
    assert (issue.emails, issue.notes, issue.blocked) == (2, 2, 1)
    assert [message.kind for message in messages(issue.events)] == ["email", "note", "note", "draft", "email"]


@pytest.mark.parametrize(
    ("kind", "fields", "by_staff", "status"),
    [
        ("email", {}, False, "open"),
        ("email", {"automatic": "list"}, False, "open"),
        ("email", {}, True, "closed"),
        ("email", {"outgoing": True}, False, "closed"),
        ("email", {"automatic": "auto-reply"}, False, "closed"),
        ("note", {}, False, "closed"),
        ("note", {"blocked": "not_entitled"}, False, "closed"),
    ],
)
def test_a_customers_email_reopens_a_closed_issue(
    world: Any, kind: str, fields: dict[str, Any], by_staff: bool, status: str
) -> None:
    issue = changes.closed(world.issue(), "closed", world.now)
    message = world.filing(kind, **fields)
    to = changes.reopening(issue, message, world.project, by_staff=by_staff)
    issue = changes.filed(issue, message, world.now, reopen_to=to)
    assert issue.status == status and (issue.closed is None) == (status == "open")
    assert (Reopened in kinds(issue)) == (status == "open")


def test_an_email_into_an_open_issue_leaves_its_status(world: Any) -> None:
    issue = world.issue()
    assert changes.reopening(issue, world.filing(), world.project, by_staff=False) == ""
    assert changes.filed(issue, world.filing(), world.now, reopen_to="open").status == "new"


def test_assigning_subscribes_with_all_actions(world: Any) -> None:
    bob = world.user("bob")
    issue = changes.assigned(world.issue(), [bob], world.now, who="u-boss")
    assert issue.assignees == (bob.id,)
    assert issue.subscriptions == (Subscription(bob.email, bob.id, ACTIONS),)
    assert kinds(issue) == [Opened, Assigned, Subscribed]
    assert changes.assigned(issue, [bob, bob], world.now) == issue, "he is assigned already"


def test_unassigning_leaves_the_notification_list(world: Any) -> None:
    bob, ann = world.user("bob"), world.user("ann")
    issue = changes.assigned(world.issue(), [bob, ann], world.now)
    issue = changes.unassigned(issue, [bob, world.user("cid")], world.now)
    assert issue.assignees == (ann.id,) and len(issue.subscriptions) == 2
    assert issue.events[-1].what == Unassigned((bob.id,))
    assert changes.unassigned(issue, [bob], world.now) == issue


def test_closing_and_reopening_happen_once_each(world: Any) -> None:
    later = world.now + timedelta(hours=1)
    issue = changes.closed(world.issue(), "closed", later, reason="Done.", who="u-bob")
    assert (issue.status, issue.closed, issue.events[-1].what) == ("closed", later, Closed("Done."))
    assert changes.closed(issue, "closed", later) == issue
    again = changes.reopened(issue, "open", later)
    assert (again.status, again.closed) == ("open", None)
    assert changes.reopened(again, "open", later) == again


@pytest.mark.parametrize(
    ("start", "to", "happened", "is_closed"),
    [
        ("new", "open", StatusChanged, False),
        ("new", "closed", Closed, True),
        ("closed", "waiting", Reopened, False),
    ],
)
def test_setting_the_status_closes_and_reopens_where_that_is_meant(
    world: Any, start: str, to: str, happened: type, is_closed: bool
) -> None:
    issue = changes.closed(world.issue(), "closed", world.now) if start == "closed" else world.issue()
    issue = changes.status_set(issue, to, world.project, world.now)
    assert issue.status == to and type(issue.events[-1].what) is happened and (issue.closed is not None) == is_closed
    assert changes.status_set(issue, to, world.project, world.now) == issue


def test_an_unknown_status_is_refused_naming_those_there_are(world: Any) -> None:
    with pytest.raises(Refused, match="Support has no status 'done'; choose one of: new, open, waiting, closed"):
        changes.status_set(world.issue(), "done", world.project, world.now)


def test_a_changed_field_keeps_what_it_was(world: Any) -> None:
    issue = changes.changed(world.issue(), "priority", "High", world.now)
    assert issue.priority == "High" and issue.events[-1].what == Changed("priority", "", "High")
    assert changes.changed(issue, "priority", "High", world.now) == issue


def test_a_user_has_one_entry_on_the_list_and_actions_add_up(world: Any) -> None:
    issue = changes.subscribed(world.issue(), Subscription("bob@example.org", "u-bob", ("emails",)), world.now)
    issue = changes.subscribed(issue, Subscription("bob@home.example", "u-bob", ("closed",)), world.now)
    assert issue.subscriptions == (Subscription("bob@example.org", "u-bob", ("closed", "emails")),)
    assert changes.subscribed(issue, Subscription("bob@example.org", "u-bob", ("emails",)), world.now) == issue
    gone = changes.unsubscribed(issue, "bob@example.org", world.now)
    assert gone.subscriptions == () and changes.unsubscribed(gone, "bob@example.org", world.now) == gone


def test_repliers_are_kept_in_lower_case_and_once(world: Any) -> None:
    issue = changes.replier_added(world.issue(), "Friend@Else.Example", world.now)
    assert issue.repliers == ("friend@else.example",)
    assert changes.replier_added(issue, "friend@else.example", world.now) == issue
    issue = changes.replier_removed(issue, "FRIEND@else.example", world.now)
    assert issue.repliers == () and changes.replier_removed(issue, "x@y", world.now) == issue


def test_a_failed_delivery_is_told_once(world: Any) -> None:
    failure = DeliveryFailed("a@b", "<m@x>", "550 no such user")
    issue = changes.delivery_failed(world.issue(), failure, world.now)
    assert changes.delivery_failed(issue, failure, world.now) == issue
    other = DeliveryFailed("c@d", "<m@x>", "550 no such user")
    assert len(changes.delivery_failed(issue, other, world.now).events) == 3


def test_announced_only_rises(world: Any) -> None:
    issue = changes.filed(world.issue(), world.filing(), world.now)
    assert [event.number for event in issue.unannounced] == [1, 2]
    issue = changes.announced(issue, 2)
    assert issue.unannounced == () and changes.announced(issue, 1).announced == 2


STEPS = st.lists(st.integers(0, 8), max_size=25)
BOB = User(id="u-bob", email="bob@example.org", name="Bob", created=datetime(2026, 1, 1, tzinfo=UTC))


def step(world: Any, issue: Issue, what: int, project: Project) -> Issue:
    """One of nine changes."""
    now = world.now
    match what:
        case 0:
            return changes.filed(issue, world.filing(), now, reopen_to="open")
        case 1:
            return changes.closed(issue, "closed", now)
        case 2:
            return changes.reopened(issue, "open", now)
        case 3:
            return changes.assigned(issue, [BOB], now)
        case 4:
            return changes.unassigned(issue, [BOB], now)
        case 5:
            return changes.status_set(issue, "waiting", project, now)
        case 6:
            return changes.subscribed(issue, Subscription("x@y.example"), now)
        case 7:
            return changes.unsubscribed(issue, "x@y.example", now)
        case _:
            return changes.replier_added(issue, "x@y.example", now)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_whatever_happens_events_are_appended_and_numbered_in_order(steps: list[int]) -> None:
    world = _world()
    issue = world.issue()
    for what in steps:
        before, issue = issue, step(world, issue, what, world.project)
        assert issue.events[: len(before.events)] == before.events
        assert (issue == before) == (len(issue.events) == len(before.events))
        assert (issue.revision, issue.announced) == (0, 0)
    assert [event.number for event in issue.events] == list(range(1, issue.next_event))
    assert all(issue.event(event.number) is event for event in issue.events)
    assert issue.event(0) is None and issue.event(issue.next_event) is None
    assert (issue.closed is not None) == (issue.status == "closed")
    assert issue.emails == len([event for event in issue.events if isinstance(event.what, Filed)])


def _world() -> Any:
    # Hypothesis calls the test many times in one run of its fixtures, so this world is not one of them.
    from tests.issues.conftest import World

    return World()
