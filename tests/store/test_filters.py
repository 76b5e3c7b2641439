import pytest

from eventum.errors import Damaged, NotFound
from eventum.store.filters import FilterStore, SavedFilter
from tests.store.parts import Parts

MINE = SavedFilter("Mine", {"assignee": "me"})


@pytest.fixture
def filters(parts: Parts) -> FilterStore:
    return FilterStore(parts.layout, parts.locks, lambda: parts.maker)


def test_what_a_user_saves_is_his_alone(filters: FilterStore) -> None:
    filters.change("ana", lambda before: (*before, MINE))
    assert (filters.of("ana"), filters.of("ben")) == ((MINE,), ())


def test_a_change_sees_what_was_saved_before(filters: FilterStore) -> None:
    filters.change("ana", lambda before: (*before, MINE))
    filters.change("ana", lambda before: tuple(one for one in before if one != MINE))
    assert filters.of("ana") == ()


def test_a_store_of_an_earlier_day_has_no_folder_for_them(parts: Parts, filters: FilterStore) -> None:
    parts.layout.filters.rmdir()
    assert filters.of("ana") == ()
    filters.change("ana", lambda before: (MINE,))
    assert filters.of("ana") == (MINE,)


def test_fields_that_a_newer_program_wrote_are_kept(parts: Parts, filters: FilterStore) -> None:
    path = parts.layout.filters_of("ana")
    path.write_text('{"schema": 1, "filters": [], "colour": "blue"}')
    filters.change("ana", lambda before: (MINE,))
    assert '"colour": "blue"' in path.read_text()


def test_a_spoilt_record_is_told_and_no_path_is_made_of_anything(parts: Parts, filters: FilterStore) -> None:
    parts.layout.filters_of("ana").write_text("{")
    with pytest.raises(Damaged, match="ana.json"):
        filters.of("ana")
    with pytest.raises(NotFound):
        filters.of("../ana")
