import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.accounts import AutoCreation
from eventum.issues.issue import messages
from eventum.mail import threading
from eventum.tracker import membership
from eventum.tracker.from_mail import open_from_mail
from eventum.tracker.membership import ProjectForm
from eventum.tracker.opening import NewIssue, open_issue
from tests.house import House, mail

FIRE = NewIssue(project="Help desk", summary="The printer is on fire", description="All of it.\r\n")


def test_a_person_opens_an_issue(house: House) -> None:
    house.user("sue", preferences=(("Help desk", "all_new", True),))
    done = open_issue(
        house.tracker, None, NewIssue(**{**as_dict(FIRE), "priority": "high", "assign": ("dev@example.org",)})
    )
    issue = house.issue(done.issue.number)
    assert (issue.number, issue.summary, issue.description) == (1, "The printer is on fire", "All of it.")
    assert (issue.status, issue.priority, issue.reporter) == ("new", "High", "admin@example.org")
    assert (issue.assignees, issue.emails, messages(issue.events)) == ((house.dev.id,), 0, ())
    assert house.told() == [("new_issue_assigned", "dev@example.org"), ("new_issue", "sue@example.org")]
    assert {entry.address for entry in issue.subscriptions} == {"admin@example.org", "dev@example.org"}


def as_dict(new: NewIssue) -> dict[str, object]:
    return {name: getattr(new, name) for name in new.__struct_fields__}


def test_an_answer_to_its_notice_lands_in_it(house: House) -> None:
    open_issue(house.tracker, None, NewIssue(**{**as_dict(FIRE), "assign": ("dev@example.org",)}))
    told = house.sent_to("dev@example.org", "new_issue_assigned")
    root = house.issue(1).root_message_id
    assert told.in_reply_to == (root,) and threading.read_our_id(root, house.tracker.secrets.ids_key) is not None
    answer = mail("Re:", From="dev@example.org", In_Reply_To="<lost@x>", References=root)
    assert [(one.outcome, one.issue) for one in house.arrive(answer)] == [("filed", 1)]


def test_a_reporter_who_did_not_open_it_is_thanked(house: House) -> None:
    done = open_issue(house.tracker, None, NewIssue(**{**as_dict(FIRE), "reporter": "Ana@customer.example"}))
    assert done.issue.reporter == "ana@customer.example"
    assert house.told() == [("acknowledgement", "ana@customer.example")]
    assert done.told == ("ana@customer.example",)


def test_at_most_five_issues_a_day_are_acknowledged_to_one_address(house: House) -> None:
    for _ in range(6):
        open_issue(house.tracker, None, NewIssue(**{**as_dict(FIRE), "reporter": "ana@customer.example"}))
    assert house.told() == [("acknowledgement", "ana@customer.example")] * 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"summary": " "}, "The summary is one line"),
        ({"category": "Nonsense"}, "no category 'Nonsense'; it has none"),
        ({"priority": "Top"}, "no priority 'Top'; it has High, Medium, Low"),
        ({"reporter": "help@example.org"}, "help@example.org is an address of our own"),
        ({"reporter": "not an address"}, "is not an e-mail address"),
        ({"description": "x" * 1_000_001}, "1000001 characters"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_takes_no_number(house: House, changed: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        open_issue(house.tracker, None, NewIssue(**{**as_dict(FIRE), **changed}))
    assert open_issue(house.tracker, None, FIRE).issue.number == 1


@pytest.mark.parametrize(
    ("role", "more", "may"),
    [
        ("", {}, False),
        ("viewer", {}, False),
        ("reporter", {}, True),
        ("reporter", {"assign": ("dev@example.org",)}, False),
        ("reporter", {"reporter": "ana@customer.example"}, False),
        ("standard", {"assign": ("dev@example.org",), "reporter": "ana@customer.example"}, True),
    ],
)
def test_who_may_open_what(house: House, role: str, more: dict[str, object], may: bool) -> None:
    house.user("sue", role)
    new = NewIssue(**{**as_dict(FIRE), **more})
    if may:
        assert open_issue(house.tracker, "sue@example.org", new).issue.number == 1
    else:
        with pytest.raises(Refused, match="sue@example.org"):
            open_issue(house.tracker, "sue@example.org", new)


def test_an_archived_project_takes_no_new_issue(house: House) -> None:
    membership.save_project(house.tracker, "Help desk", ProjectForm(archived=True))
    with pytest.raises(Refused, match="archived"):
        open_issue(house.tracker, None, FIRE)


def waiting(house: House, *mails: bytes) -> list[str]:
    """Mails wait in the pool; their keys."""
    house.set_account(auto_create=AutoCreation(enabled=False, priority="High", assign=(house.dev.id,)))
    told = house.arrive(*mails)
    assert {one.outcome for one in told} == {"unassociated"}
    return [one.key for one in told]


def test_a_mail_of_the_pool_opens_an_issue_as_its_account_would(house: House) -> None:
    (key,) = waiting(house, mail(Message_ID="<root@customer.example>"))
    done = open_from_mail(house.tracker, None, key)
    issue = house.issue(1)
    assert (issue.summary, issue.description, issue.priority) == ("The printer is on fire", "Please come.", "High")
    assert (issue.reporter, issue.assignees) == ("ana@customer.example", (house.dev.id,))
    assert (issue.root_message_id, issue.emails) == ("<root@customer.example>", 1)
    assert house.told() == [("acknowledgement", "ana@customer.example"), ("new_issue_assigned", "dev@example.org")]
    assert set(done.told) == {"ana@customer.example", "dev@example.org"}
    assert house.tracker.pool.outcome(house.account.id, key) is None
    assert house.tracker.issues.mail_path(1, key).read_bytes().endswith(mail(Message_ID="<root@customer.example>"))
    tables = [row.table for row in messages(issue.events)[0].trace]
    assert list(dict.fromkeys(tables)) == ["association", "person", "acknowledgement", "subscriptions"]


def test_its_sender_may_write_again(house: House) -> None:
    (key,) = waiting(house, mail(Message_ID="<root@customer.example>"))
    open_from_mail(house.tracker, None, key)
    again = house.arrive(mail("More", In_Reply_To="<root@customer.example>"))
    assert [(one.outcome, one.issue) for one in again] == [("filed", 1)]


def test_the_mail_it_answers_comes_along_in_front(house: House) -> None:
    first, second = waiting(
        house,
        mail("Question", Message_ID="<1@customer.example>"),
        mail("Re: Question", Message_ID="<2@customer.example>", In_Reply_To="<1@customer.example>"),
    )
    open_from_mail(house.tracker, None, second)
    assert [message.key for message in messages(house.issue(1).events)] == [first, second]
    assert house.tracker.pool.outcome(house.account.id, first) is None


def test_a_machine_is_not_thanked(house: House) -> None:
    (key,) = waiting(house, mail(Auto_Submitted="auto-generated"))
    open_from_mail(house.tracker, None, key)
    assert house.told() == [("new_issue_assigned", "dev@example.org")]


def test_the_same_mail_opens_one_issue(house: House) -> None:
    (key,) = waiting(house, mail())
    open_from_mail(house.tracker, None, key)
    with pytest.raises(NotFound, match="is in issue 1 already"):
        open_from_mail(house.tracker, None, key)
    assert [one.outcome for one in house.arrive(mail())] == ["duplicate"]


def test_mail_of_an_account_that_is_gone_keeps_its_project(house: House) -> None:
    (key,) = waiting(house, mail())
    house.tracker.settings.delete_account(house.account)
    issue = open_from_mail(house.tracker, None, key).issue
    assert (issue.project, issue.priority, issue.assignees) == (house.project.id, "", ())


def test_it_takes_staff_of_both_projects(house: House) -> None:
    (key,) = waiting(house, mail())
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    with pytest.raises(Refused, match="dev@example.org does not work for 'Sales'"):
        open_from_mail(house.tracker, "dev@example.org", key, "Sales")
    house.user("eve", "reporter")
    with pytest.raises(Refused, match="eve@example.org does not work for 'Help desk'"):
        open_from_mail(house.tracker, "eve@example.org", key)
    assert open_from_mail(house.tracker, None, key, "Sales").issue.project != house.project.id
