"""An issue's record and what can be read off it."""

from typing import Any

import msgspec
from msgspec.structs import replace

from eventum.issues import changes
from eventum.issues.issue import Issue, Subscription


def test_an_issue_comes_back_from_its_json_as_it_was(world: Any) -> None:
    issue = changes.assigned(world.issue(), [world.user("bob")], world.now)
    issue = changes.closed(changes.filed(issue, world.filing(), world.now), "closed", world.now)
    assert msgspec.json.decode(msgspec.json.encode(issue), type=Issue) == issue


def test_an_event_is_found_by_its_number_after_older_ones_moved_away(world: Any) -> None:
    issue = world.issue()
    for _ in range(5):
        issue = changes.filed(issue, world.filing(), world.now)
    rotated = replace(issue, events=issue.events[3:], first_event=4)
    assert rotated.event(3) is None
    assert rotated.event(4) == issue.event(4)
    later = changes.filed(rotated, world.filing(), world.now)
    assert later.event(7) == later.events[-1] and later.events[-1].number == 7


def test_an_entry_of_the_list_is_found_by_its_address(world: Any) -> None:
    entry = Subscription("a@b.example", "", ("emails",))
    issue = world.issue(subscriptions=(entry,))
    assert issue.subscription("a@b.example") == entry and issue.subscription("c@d.example") is None
