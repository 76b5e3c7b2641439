"""What people are typing, and who is writing to which issue."""

import os
from datetime import timedelta

from eventum.store.drafts import MOST
from eventum.tracker import drafts, presence
from tests.house import House


def test_what_was_typed_comes_back_to_its_user_and_form_alone(house: House) -> None:
    form = drafts.form_of(42, "reply")
    kept = drafts.keep(house.tracker, house.dev, form, {"text": "Half", "to": "x@y.example"}, left_out=("a@b.example",))
    assert kept and kept.saved == house.now
    assert drafts.typed(house.tracker, house.dev, form) == kept
    assert drafts.typed(house.tracker, house.user("sue"), form) is None
    assert drafts.typed(house.tracker, house.dev, drafts.form_of(42, "note")) is None
    drafts.discard(house.tracker, house.dev, form)
    drafts.discard(house.tracker, house.dev, form)
    assert drafts.typed(house.tracker, house.dev, form) is None


def test_an_empty_form_and_one_without_bound_are_not_kept(house: House) -> None:
    assert drafts.keep(house.tracker, house.dev, "new", {"text": "x"})
    assert drafts.keep(house.tracker, house.dev, "new", {"text": " \n"}) is None
    assert drafts.typed(house.tracker, house.dev, "new") is None
    assert drafts.keep(house.tracker, house.dev, "new", {"text": "x" * 1_000_001}) is None


def test_a_draft_that_cannot_be_read_is_none(house: House) -> None:
    drafts.keep(house.tracker, house.dev, "new", {"text": "x"})
    house.tracker.layout.draft_of(house.dev.id, "new").write_bytes(b"{")
    assert drafts.typed(house.tracker, house.dev, "new") is None


def test_a_store_without_the_folders_is_no_obstacle(house: House) -> None:
    for folder in (house.tracker.layout.drafts, house.tracker.layout.writing):
        folder.rmdir()
    assert drafts.typed(house.tracker, house.dev, "new") is None
    assert drafts.keep(house.tracker, house.dev, "new", {"text": "x"})
    presence.writes(house.tracker, 1, house.dev)
    assert presence.others(house.tracker, 1, house.user("sue")) == ("Dev",)


def test_somebody_counts_as_writing_for_a_while_and_only_for_the_others(house: House) -> None:
    sue = house.user("sue")
    presence.writes(house.tracker, 1, sue)
    presence.writes(house.tracker, 1, house.dev)
    assert presence.others(house.tracker, 1, house.dev) == ("Sue",)
    assert presence.others(house.tracker, 2, house.dev) == ()
    house.now += timedelta(seconds=60)
    presence.writes(house.tracker, 1, sue)
    house.now += timedelta(seconds=60)
    assert presence.others(house.tracker, 1, house.dev) == ("Sue",)
    assert presence.others(house.tracker, 1, sue) == ()
    presence.stops(house.tracker, 1, sue)
    assert not house.tracker.layout.writing_of(1).exists()


def test_who_typed_lately_is_believed_to_go_on(house: House) -> None:
    drafts.keep(house.tracker, house.dev, drafts.form_of(1, "note"), {"text": "x"})
    assert drafts.is_fresh(house.tracker, house.dev, 1) and not drafts.is_fresh(house.tracker, house.dev, 2)
    house.now += timedelta(minutes=11)
    assert not drafts.is_fresh(house.tracker, house.dev, 1)


def test_the_oldest_drafts_go_when_somebody_keeps_many(house: House) -> None:
    other = house.user("sue")
    drafts.keep(house.tracker, other, "new", {"text": "Hers"})
    for number in range(1, MOST + 4):
        form = drafts.form_of(number, "reply")
        assert drafts.keep(house.tracker, house.dev, form, {"text": f"Answer {number}"})
        os.utime(house.tracker.layout.draft_of(house.dev.id, form), ns=(number, number))
    kept = [n for n in range(1, MOST + 4) if drafts.typed(house.tracker, house.dev, drafts.form_of(n, "reply"))]
    assert kept == list(range(4, MOST + 4))
    assert drafts.typed(house.tracker, other, "new")
