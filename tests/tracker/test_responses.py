"""Canned responses for a project, as who answers gets them."""

import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.tracker import membership, responses
from eventum.tracker.membership import ProjectForm
from eventum.tracker.responses import ResponseForm, save_response
from tests.house import House, mail


def test_a_project_is_offered_its_own_and_those_of_all_by_title(house: House) -> None:
    sales = membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    for title, projects in (("Thanks", ()), ("bye", (house.project.id,)), ("Quote", (sales.id,))):
        save_response(house.tracker, None, ResponseForm(title=title, text="Text", projects=projects))
    assert [one.title for one in responses.responses(house.tracker, house.project.id)] == ["bye", "Thanks"]
    assert [one.title for one in responses.responses(house.tracker, sales.id)] == ["Quote", "Thanks"]


def test_a_response_is_filled_for_the_issue_it_goes_into(house: House) -> None:
    house.arrive(mail())
    form = ResponseForm(title="Thanks", text="Dear {{ reporter_name }}, #{{ number }} is ours.\r\n{{ my_name }}")
    known = save_response(house.tracker, None, form)
    text = responses.filled(house.tracker, known, house.issue(1), house.dev)
    assert text == "Dear ana@customer.example, #1 is ours.\nDev"


def test_a_title_is_there_once_but_for_deleted_ones(house: House) -> None:
    form = ResponseForm(title="Thanks", text="Text")
    first = save_response(house.tracker, None, form)
    with pytest.raises(Refused, match="There is a canned response 'Thanks' already"):
        save_response(house.tracker, None, form)
    responses.delete_response(house.tracker, first.id)
    save_response(house.tracker, None, form)
    with pytest.raises(Refused, match="There is a canned response 'Thanks' already"):
        responses.delete_response(house.tracker, first.id, is_deleted=False)


def test_what_was_changed_meanwhile_is_not_overwritten_unseen(house: House) -> None:
    known = save_response(house.tracker, None, ResponseForm(title="Thanks", text="Text"))
    save_response(house.tracker, known.id, ResponseForm(title="Thanks", text="Other", revision=known.revision))
    with pytest.raises(Conflict):
        save_response(house.tracker, known.id, ResponseForm(title="Thanks", text="Mine", revision=known.revision))
    with pytest.raises(NotFound):
        save_response(house.tracker, "nobody", ResponseForm(title="Thanks", text="Mine"))
    with pytest.raises(NotFound):
        save_response(house.tracker, None, ResponseForm(title="New", text="Text", projects=("nowhere",)))
