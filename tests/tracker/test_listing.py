import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.people import User
from eventum.tracker import membership, views
from eventum.tracker.change import assign, close
from eventum.tracker.correspond import Letter, note, reply
from eventum.tracker.listing import PAGE, Shown, all_lines, listing
from eventum.tracker.membership import ProjectForm
from eventum.tracker.opening import NewIssue, open_issue
from eventum.tracker.views import MOST_SAVED, Wanted, wanted_of
from tests.house import House, mail


def admin(house: House) -> User:
    return house.tracker.people.user("admin@example.org")


def shown(house: House, user: User | None = None, **values: str) -> Shown:
    return listing(house.tracker, user or house.dev, wanted_of(values))


def numbers(house: House, user: User | None = None, **values: str) -> list[int]:
    return [line.number for line in shown(house, user, **values).lines]


@pytest.fixture
def four(house: House) -> House:
    """1 of Ana, 2 of Bo and closed, 3 in a project dev is no member of, 4 of nobody's hands."""
    membership.save_project(house.tracker, None, ProjectForm(title="Sales", priorities=("Now", "Later")))
    for minute, sender in enumerate(("Ana <ana@customer.example>", "bo@x.example")):
        house.now = house.now.replace(minute=minute)
        house.arrive(mail(f"Printer {minute}", From=sender))
    house.now = house.now.replace(minute=2)
    open_issue(house.tracker, None, NewIssue(project="Sales", summary="A quote", priority="Now"))
    open_issue(house.tracker, "dev@example.org", NewIssue(project="Help desk", summary="Nobody's", priority="Low"))
    house.now = house.now.replace(minute=3)
    close(house.tracker, 2, None)
    return house


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, [4, 1]),
        ({"status": "*"}, [2, 4, 1]),
        ({"status": "-"}, [2]),
        ({"status": "new"}, [4, 1]),
        ({"status": "closed"}, [2]),
        ({"status": "no such"}, []),
        ({"assignee": "me"}, [1]),
        ({"assignee": "nobody"}, [4]),
        ({"assignee": "nonsense"}, []),
        ({"priority": "High"}, [1]),
        ({"reporter": "BO@x.example", "status": "*"}, [2]),
        ({"q": "printer"}, [1]),
        ({"q": "printer", "status": "*"}, [2, 1]),
        ({"q": "%%%"}, []),
        ({"sort": "priority"}, [1, 4]),
        ({"sort": "priority", "order": "desc"}, [4, 1]),
        ({"sort": "number", "status": "*"}, [4, 2, 1]),
        ({"sort": "number", "status": "*", "order": "asc"}, [1, 2, 4]),
        ({"sort": "nonsense", "order": "sideways"}, [4, 1]),
        ({"sort": "assignee"}, [1, 4]),
        ({"sort": "project"}, [4, 1]),
        ({"sort": "status"}, [4, 1]),
    ],
)
def test_a_list_shows_what_is_wanted_of_what_one_may_see(four: House, values: dict[str, str], found: list[int]) -> None:
    assert numbers(four, **values) == found


def test_a_project_one_may_not_see_is_empty_and_offered_to_nobody(four: House) -> None:
    sales = four.tracker.people.project("Sales").id
    assert numbers(four, project=sales) == []
    assert numbers(four, admin(four), project=sales) == [3]
    assert shown(four).choices.projects == ((four.project.id, "Help desk"),)
    assert "Now" not in shown(four).choices.priorities


def test_the_usual_views_have_their_counts(four: House) -> None:
    def counts(user: User) -> list[tuple[str, int | None]]:
        return [(view.name, view.count) for view in shown(four, user).views]

    usual = ["My issues", "All open", "Unassigned", "Waiting", "Closed"]
    assert counts(four.dev) == list(zip(usual, [1, 2, 1, 0, 1], strict=True))
    assert counts(admin(four)) == list(zip(usual, [0, 3, 2, 0, 1], strict=True))
    rita = four.user("rita", "reporter")
    assert counts(rita) == [("My issues", None), ("All open", 2), ("Waiting", 0), ("Closed", 1)]


def test_each_view_counts_what_it_lists(four: House) -> None:
    for view in shown(four, admin(four)).views:
        assert listing(four.tracker, admin(four), view.wanted).total == view.count


def test_the_issues_of_a_reporter_are_those_he_reported(house: House) -> None:
    rita = house.user("rita", "reporter")
    house.arrive(mail("Mine", From="rita@example.org"), mail("Another"))
    mine = shown(house, rita).views[0].wanted
    assert [line.summary for line in listing(house.tracker, rita, mine).lines] == ["Mine"]


def test_a_line_has_names_and_says_whose_turn_it_is(house: House) -> None:
    house.arrive(mail())
    (line,) = shown(house).lines
    assert (line.reporter, line.address) == ("Ana", "ana@customer.example")
    assert [person.name for person in line.assignees] == ["Dev"]
    assert (line.project, line.status, line.emails, line.notes, line.is_theirs) == ("Help desk", "new", 1, 0, True)
    assert (line.created, line.updated, line.closed) == (house.now, house.now, None)
    reply(house.tracker, 1, "dev@example.org", Letter(text="We come."))
    assert not shown(house).lines[0].is_theirs
    note(house.tracker, 1, "dev@example.org", Letter(text="For us."))
    assert not shown(house).lines[0].is_theirs


def test_who_is_not_staff_is_told_nothing_of_notes(house: House) -> None:
    house.arrive(mail(Message_ID="<1@x>"))
    house.arrive(mail("Me too", From="Eve <eve@x.example>", In_Reply_To="<1@x>"))
    (line,) = shown(house).lines
    assert (line.notes, line.blocked) == (1, 1)
    (line,) = shown(house, house.user("vera", "viewer")).lines
    assert (line.notes, line.blocked, line.is_theirs) == (None, 0, False)


def test_a_list_has_pages(house: House) -> None:
    for number in range(PAGE + 1):
        open_issue(house.tracker, None, NewIssue(project="Help desk", summary=f"Issue {number}"))
    first, second = (listing(house.tracker, house.dev, Wanted(), page) for page in (1, 2))
    assert (len(first.lines), first.total, first.page, first.last) == (PAGE, PAGE + 1, 1, 2)
    assert (len(second.lines), second.page) == (1, 2)
    assert {line.number for line in (*first.lines, *second.lines)} == set(range(1, PAGE + 2))
    assert listing(house.tracker, house.dev, Wanted(), 999).page == 2
    assert listing(house.tracker, house.dev, Wanted(), -1).page == 1
    assert len(all_lines(house.tracker, house.dev, Wanted())) == PAGE + 1


def test_a_list_opens_no_record(four: House) -> None:
    before = shown(four)
    for path in (four.config.data / "issues").rglob("issue.json"):
        path.write_text("{")
    assert shown(four) == before


def test_a_filter_is_saved_replaced_and_deleted_by_its_name(house: House) -> None:
    tracker, dev = house.tracker, house.dev
    views.save(tracker, dev, "  Urgent ", Wanted(priority="High"))
    views.save(tracker, dev, "Mine", Wanted(assignee="me"))
    views.save(tracker, dev, "Urgent", Wanted(priority="High", sort="created"))
    assert [(view.name, view.wanted.values) for view in views.saved(tracker, dev)] == [
        ("Urgent", {"priority": "High", "sort": "created"}),
        ("Mine", {"assignee": "me"}),
    ]
    assert views.saved(tracker, admin(house)) == []
    assert views.forget(tracker, dev, "Urgent") == Wanted(priority="High", sort="created")
    with pytest.raises(NotFound):
        views.forget(tracker, dev, "Urgent")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_filter_needs_a_name(house: House, name: str) -> None:
    with pytest.raises(Refused, match="one line of 1 to 60"):
        views.save(house.tracker, house.dev, name, Wanted())


def test_there_are_not_too_many_saved_filters(house: House) -> None:
    for number in range(MOST_SAVED):
        views.save(house.tracker, house.dev, f"Filter {number}", Wanted())
    with pytest.raises(Refused, match="delete one first"):
        views.save(house.tracker, house.dev, "One more", Wanted())
    views.save(house.tracker, house.dev, "Filter 0", Wanted(q="again"))


def test_a_head_sorts_the_other_way_when_it_sorted_already() -> None:
    wanted = Wanted(priority="High")
    assert wanted.sorted_by("updated") == {"priority": "High", "order": "asc"}
    assert wanted.sorted_by("summary") == {"priority": "High", "sort": "summary"}
    assert wanted_of(wanted.sorted_by("updated")).sorted_by("updated") == {"priority": "High", "order": "desc"}


def test_what_an_address_says_is_bounded() -> None:
    assert wanted_of({"q": " x" * 500, "page": "3"}).q == (" x" * 500).strip()[:200]


def test_an_assignment_moves_an_issue_between_views(house: House) -> None:
    open_issue(house.tracker, None, NewIssue(project="Help desk", summary="Take me"))
    assert numbers(house, assignee="nobody") == [1]
    assign(house.tracker, 1, None, ["dev@example.org"])
    assert (numbers(house, assignee="nobody"), numbers(house, assignee="me")) == ([], [1])
