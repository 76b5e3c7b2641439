import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.events import Changed, Closed
from eventum.tracker import membership
from eventum.tracker.change import Clash, Edit, assign, close, edit, reassign, reopen, unassign
from eventum.tracker.membership import UserForm
from tests.house import House, mail


@pytest.fixture
def opened(house: House) -> House:
    """With issue 1 of Ana, assigned to dev, and its notices forgotten."""
    house.arrive(mail())
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    return house


def test_who_is_assigned_is_told_and_put_on_the_list(opened: House) -> None:
    opened.user("sue")
    done = assign(opened.tracker, 1, None, ["sue@example.org"])
    assert (done.changed, done.told) == (True, ("sue@example.org",))
    assert opened.told() == [("assignment", "sue@example.org")]
    assert opened.issue(1).subscription("sue@example.org") is not None


def test_assigning_who_is_assigned_changes_and_tells_nothing(opened: House) -> None:
    done = assign(opened.tracker, 1, None, ["dev@example.org"])
    assert (done.changed, opened.told()) == (False, [])


def test_when_one_cannot_be_assigned_none_is(opened: House) -> None:
    opened.user("sue")
    with pytest.raises(NotFound):
        assign(opened.tracker, 1, None, ["sue@example.org", "nobody@example.org"])
    assert opened.issue(1).assignees == (opened.dev.id,)


def test_a_deactivated_user_can_be_taken_off_and_not_be_put_on(opened: House) -> None:
    membership.save_user(opened.tracker, "dev@example.org", UserForm(active=False))
    assert unassign(opened.tracker, 1, None, ["dev@example.org"]).issue.assignees == ()
    with pytest.raises(Refused, match="deactivated"):
        assign(opened.tracker, 1, None, ["dev@example.org"])


def test_closing_tells_the_list_and_the_reason(opened: House) -> None:
    done = close(opened.tracker, 1, "dev@example.org", "Put out.\n")
    assert done.issue.status == "closed" and done.issue.closed == opened.now
    assert done.issue.events[-1].what == Closed("Put out.")
    assert opened.told() == [("closed", "ana@customer.example")]
    assert "Put out." in opened.sent_to("ana@customer.example", "closed").text


def test_closing_a_closed_issue_changes_and_tells_nothing(opened: House) -> None:
    first = close(opened.tracker, 1, None)
    told = opened.told()
    again = close(opened.tracker, 1, None, "twice")
    assert (again.changed, again.issue, opened.told()) == (False, first.issue, told)


@pytest.mark.parametrize("role", ["", "viewer", "reporter"])
def test_it_takes_staff_of_the_project(opened: House, role: str) -> None:
    opened.user("eve", role)
    with pytest.raises(Refused, match="eve@example.org does not work for 'Help desk'"):
        close(opened.tracker, 1, "eve@example.org")
    with pytest.raises(Refused, match="eve@example.org does not work for 'Help desk'"):
        assign(opened.tracker, 1, "eve@example.org", ["dev@example.org"])


def test_an_issue_that_is_not_there_is_named(opened: House) -> None:
    with pytest.raises(NotFound, match="no issue 7"):
        close(opened.tracker, 7, None)


def test_an_answer_after_closing_reopens(opened: House) -> None:
    close(opened.tracker, 1, None)
    told = opened.sent_to("ana@customer.example", "closed").message_id
    opened.arrive(mail("Re: closed", "still burning", In_Reply_To=told))
    assert (opened.issue(1).status, opened.issue(1).closed) == ("open", None)


def test_a_field_is_set_when_it_says_what_was_seen(opened: House) -> None:
    done = edit(opened.tracker, 1, "dev@example.org", Edit("priority", "High", "low"))
    assert (done.issue.priority, done.changed) == ("Low", True)
    assert done.issue.events[-1].what == Changed("priority", "High", "Low")
    assert not edit(opened.tracker, 1, None, Edit("priority", "Low", "Low")).changed
    assert edit(opened.tracker, 1, None, Edit("status", "new", "closed")).issue.closed
    assert not edit(opened.tracker, 1, None, Edit("status", "closed", "open")).issue.closed


def test_a_field_that_somebody_else_set_is_a_clash_unless_both_want_the_same(opened: House) -> None:
    edit(opened.tracker, 1, "dev@example.org", Edit("status", "new", "waiting"))
    with pytest.raises(Clash, match="set to 'waiting' meanwhile") as caught:
        edit(opened.tracker, 1, None, Edit("status", "new", "open"))
    assert (caught.value.mine, caught.value.theirs, caught.value.who) == ("open", "waiting", "Dev")
    assert not edit(opened.tracker, 1, None, Edit("status", "new", "waiting")).changed
    assert opened.issue(1).status == "waiting"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Edit("status", "new", "lost"), "Help desk has no status 'lost'"),
        (Edit("priority", "High", "Urgent"), "has no priority 'Urgent'"),
        (Edit("category", "", "Hardware"), "has no category 'Hardware'; it has none"),
        (Edit("summary", "The printer is on fire", " "), "The summary is one line"),
    ],
)
def test_a_value_the_project_does_not_have_is_refused(opened: House, wanted: Edit, said: str) -> None:
    with pytest.raises(Refused, match=said):
        edit(opened.tracker, 1, None, wanted)


def test_a_form_that_is_sent_twice_changes_once(opened: House) -> None:
    nonce = "0123456789abcdef"
    assert close(opened.tracker, 1, None, nonce=nonce).changed
    assert reopen(opened.tracker, 1, None).changed
    again = close(opened.tracker, 1, None, nonce=nonce)
    assert not again.changed and again.made(nonce) and again.issue.closed is None


def test_assigning_and_taking_off_in_one_step(opened: House) -> None:
    done = reassign(opened.tracker, 1, None, (["admin@example.org"], ["dev@example.org"]))
    names = [user.email for user in map(opened.tracker.people.load_all().user, done.issue.assignees) if user]
    assert names == ["admin@example.org"]


def test_who_lost_his_lease_by_hand_changes_under_another_name(opened: House) -> None:
    tracker = opened.tracker
    before = tracker.maker.id
    (tracker.layout.locks / f"leases/{before}.lock").unlink()
    assert edit(tracker, 1, None, Edit("status", "new", "open")).changed
    assert tracker.maker.id != before
    assert opened.issue(1).status == "open"
