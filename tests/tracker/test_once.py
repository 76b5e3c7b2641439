"""A form that is sent twice makes one thing, also when both come at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from eventum.tracker.once import once
from eventum.tracker.opening import NewIssue, open_issue
from eventum.tracker.tracker import Tracker
from tests.house import House

NONCE = "0123456789abcdef"
NEW = NewIssue(project="Help desk", summary="The fuser is dead")


def test_two_at_once_make_one_issue_and_both_are_given_it(house: House) -> None:
    def press(_: int) -> tuple[int, bool]:
        with closing(Tracker(house.config).open()) as tracker:
            done = open_issue(tracker, None, NEW, nonce=NONCE)
            return done.issue.number, done.changed

    with ThreadPoolExecutor(4) as presses:
        answers = list(presses.map(press, range(4)))
    assert sorted(answers) == [(1, False)] * 3 + [(1, True)]
    assert list(house.tracker.issues.numbers()) == [1]
    assert house.issue(1).events[0].nonce == NONCE


def test_without_a_nonce_each_is_a_thing_of_its_own(house: House) -> None:
    assert [open_issue(house.tracker, None, NEW).issue.number for _ in range(2)] == [1, 2]
    with once(house.tracker, "") as made:
        assert made is None


def test_another_form_is_another_thing(house: House) -> None:
    open_issue(house.tracker, None, NEW, nonce=NONCE)
    with once(house.tracker, NONCE) as made:
        assert made == 1
    with once(house.tracker, "fedcba9876543210") as made:
        assert made is None
