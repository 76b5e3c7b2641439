import pytest

from eventum.errors import Damaged, EventumError, NotFound, Refused
from eventum.tracker import bulk
from eventum.tracker.bulk import MOST, Outcome
from eventum.tracker.membership import ProjectForm, save_project
from eventum.tracker.opening import NewIssue, open_issue
from tests.house import House, mail


def came(outcomes: list[Outcome]) -> list[tuple[int, bool, type[EventumError] | None]]:
    return [(one.number, one.changed, type(one.error) if one.error else None) for one in outcomes]


@pytest.fixture
def three(house: House) -> House:
    """1 and 2 of the help desk, 3 of a project dev does not see."""
    house.arrive(mail("One"), mail("Two"))
    save_project(house.tracker, None, ProjectForm(title="Secret"))
    open_issue(house.tracker, None, NewIssue(project="Secret", summary="Three"))
    return house


def test_several_are_closed_and_one_that_is_closed_is_left(three: House) -> None:
    assert came(bulk.close(three.tracker, three.dev, [2])) == [(2, True, None)]
    assert came(bulk.close(three.tracker, three.dev, [1, 2, 1])) == [(1, True, None), (2, False, None)]
    assert three.issue(1).status == "closed"


def test_several_are_assigned_beside_those_they_have(three: House) -> None:
    ben = three.user("ben")
    assert came(bulk.assign(three.tracker, three.dev, [1, 2], ben.id)) == [(1, True, None), (2, True, None)]
    assert three.issue(1).assignees == (three.dev.id, ben.id)


def test_a_status_closes_and_opens_again(three: House) -> None:
    bulk.set_status(three.tracker, three.dev, [1, 2], "closed")
    assert three.issue(1).closed is not None
    bulk.set_status(three.tracker, three.dev, [1], "waiting")
    assert (three.issue(1).closed, three.issue(1).status) == (None, "waiting")


def test_one_that_is_refused_stops_no_other_and_its_reason_is_told(three: House) -> None:
    (three.config.data / "issues/0/1/issue.json").write_text("{")
    outcomes = bulk.close(three.tracker, three.dev, [3, 1, 9, 2])
    assert came(outcomes) == [(3, False, NotFound), (1, False, Damaged), (9, False, NotFound), (2, True, None)]
    assert str(outcomes[0].error) == "There is no issue 3."


def test_an_unknown_status_or_person_is_refused_for_each(three: House) -> None:
    assert came(bulk.set_status(three.tracker, three.dev, [1, 2], "odd")) == [(1, False, Refused), (2, False, Refused)]
    assert came(bulk.assign(three.tracker, three.dev, [1], "nobody@x")) == [(1, False, NotFound)]


def test_who_may_only_look_changes_nothing(three: House) -> None:
    vera = three.user("vera", "viewer")
    for outcomes in (
        bulk.close(three.tracker, vera, [1]),
        bulk.assign(three.tracker, vera, [1], three.dev.id),
        bulk.set_status(three.tracker, vera, [1], "open"),
    ):
        assert came(outcomes) == [(1, False, Refused)]
    assert three.issue(1).closed is None


def test_too_many_at_once_are_refused_before_the_first(three: House) -> None:
    with pytest.raises(Refused, match="too many at once"):
        bulk.close(three.tracker, three.dev, range(1, MOST + 2))
    assert three.issue(1).closed is None
