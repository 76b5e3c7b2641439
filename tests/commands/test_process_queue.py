import pytest

from eventum.errors import Busy
from eventum.store.index import Index
from tests.commands.called import called
from tests.house import House, mail


def test_what_came_in_can_be_searched_after_a_run(house: House) -> None:
    house.arrive(mail())
    house.tracker.index.catch_up()
    assert house.tracker.index.due_count() == 2
    called(house, "process-queue")
    house.tracker.index.catch_up()
    assert house.tracker.index.due_count() == 0


def test_a_search_that_cannot_be_kept_up_is_no_fault_of_the_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise Busy("The index cannot be used now.")

    monkeypatch.setattr(Index, "take", busy)
    before = called(house, "process-queue")
    house.arrive(mail())
    after = called(house, "process-queue")
    assert "index" not in after.output and after.exit_code in (before.exit_code, 1)
