import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import NotFound, Refused
from eventum.tracker import membership
from eventum.tracker.acting import LONGEST, acting, addresses, assignable, clean_text, one_line, said
from eventum.tracker.membership import UserForm
from tests.house import House


def test_unless_somebody_is_named_the_first_active_administrator_acts(house: House) -> None:
    house.now = house.now.replace(hour=13)
    house.user("zoe", administrator=True)
    assert acting(house.tracker).email == "admin@example.org"
    membership.save_user(house.tracker, "admin@example.org", UserForm(active=False))
    assert acting(house.tracker).email == "zoe@example.org"


def test_without_an_active_administrator_somebody_has_to_be_named(house: House) -> None:
    # The last one cannot be taken away by a command; his file can be lost.
    (house.tracker.layout.users / f"{house.tracker.people.user('admin@example.org').id}.json").unlink()
    with pytest.raises(Refused, match="no active administrator"):
        acting(house.tracker)
    assert acting(house.tracker, "dev@example.org").id == house.dev.id


def test_who_is_unknown_or_deactivated_does_not_act(house: House) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(active=False))
    with pytest.raises(Refused, match="dev@example.org is deactivated; an administrator can end that"):
        acting(house.tracker, "dev@example.org")
    with pytest.raises(NotFound, match="nobody@example.org"):
        acting(house.tracker, "nobody@example.org")


def test_only_staff_can_be_assigned(house: House) -> None:
    house.user("rep", "reporter")
    assert [
        user.email for user in assignable(house.tracker, ("dev@example.org", "DEV@example.org"), house.project.id)
    ] == ["dev@example.org"]
    with pytest.raises(Refused, match="rep@example.org does not work for 'Help desk'"):
        assignable(house.tracker, ("dev@example.org", "rep@example.org"), house.project.id)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n\n  indented\n\n", "  indented"),
        ("tab\there", "tab\there"),
        ("bell\x07 esc\x1b[31m", "bell esc[31m"),
        ("half \udce4", "half \ufffd"),
    ],
)
def test_a_text_is_cleaned(typed: str, kept: str) -> None:
    assert clean_text(typed, "The text") == kept


@given(st.text(st.characters()))
def test_a_cleaned_text_can_be_stored_and_is_clean(typed: str) -> None:
    kept = clean_text(typed, "The text")
    assert kept.encode("utf-8").decode("utf-8") == kept == clean_text(kept, "The text")


@pytest.mark.parametrize("empty", ["", " \n\t\n ", "\x00"])
def test_an_empty_text_is_refused(empty: str) -> None:
    with pytest.raises(Refused, match="The text is empty"):
        said(empty, "The text")


def test_a_text_has_a_greatest_length() -> None:
    assert len(clean_text("x" * LONGEST, "The text")) == LONGEST
    with pytest.raises(Refused, match="1000001 characters"):
        clean_text("x" * (LONGEST + 1), "The text")


@pytest.mark.parametrize("typed", ["", "  ", "\n", "x" * 999])
def test_a_line_that_is_empty_or_too_long_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="The summary is one line"):
        one_line(typed, "The summary")


def test_a_line_is_one_line() -> None:
    assert one_line(" broken\nheader:\x1bx ", "The summary") == "broken header: x"


def test_addresses_are_checked_and_named_once() -> None:
    assert addresses(["A@x.example", "a@X.example "]) == ("a@x.example",)
    with pytest.raises(Refused, match="'a b' is not an e-mail address"):
        addresses(["a b"])
