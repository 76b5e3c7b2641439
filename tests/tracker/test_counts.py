import msgspec
import pytest

from eventum.store.index_texts import Scope
from eventum.tracker import membership
from eventum.tracker.change import assign, close
from eventum.tracker.counts import rail, scope_of
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.tracker.opening import NewIssue, open_issue
from tests.house import House, mail


def scope(house: House, name: str) -> Scope:
    people = house.tracker.people.load_all()
    user = people.by_address(f"{name}@example.org")
    assert user is not None
    return scope_of(user, people)


@pytest.mark.parametrize(
    ("role", "sees", "is_staff"),
    [("viewer", True, False), ("reporter", True, False), ("standard", True, True), ("manager", True, True)],
)
def test_a_role_says_what_is_seen_and_where_notes_are_read(house: House, role: str, sees: bool, is_staff: bool) -> None:
    house.user("pat", role)
    one = (house.project.id,)
    assert scope(house, "pat") == Scope(projects=one if sees else (), staff=one if is_staff else ())


def test_an_administrator_sees_everything_and_a_stranger_nothing(house: House) -> None:
    house.user("pat", "")
    assert scope(house, "admin") == Scope()
    assert scope(house, "pat") == Scope(projects=(), staff=())


def test_an_archived_project_is_seen_by_managers_only(house: House) -> None:
    house.user("mia", "manager")
    membership.save_project(house.tracker, "Help desk", ProjectForm(archived=True))
    assert scope(house, "mia").projects == (house.project.id,)
    assert scope(house, "dev") == Scope(projects=(), staff=())


def test_who_left_sees_nothing(house: House) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(active=False))
    assert scope(house, "dev") == Scope(projects=(), staff=())


def test_what_waits_stands_beside_the_menu(house: House) -> None:
    viewer = house.user("vera", "viewer")
    house.arrive(mail(Message_ID="<1@x>"), mail("Second"), mail("Third"))
    house.arrive(mail("Me too", From="Eve <eve@x.example>", In_Reply_To="<1@x>"))
    house.set_account(auto_create=msgspec.structs.replace(house.account.auto_create, enabled=False))
    house.arrive(mail("Hello?"))
    close(house.tracker, 3, None)
    open_issue(house.tracker, None, NewIssue(project="Help desk", summary="Nobody's"))
    assert rail(house.tracker, house.dev) == {
        "is_staff": True,
        "issues": 2,
        "unassociated": 1,
        "blocked": 1,
        "failed": 0,
    }
    assert rail(house.tracker, viewer) == {
        "is_staff": False,
        "issues": 3,
        "unassociated": 0,
        "blocked": 0,
        "failed": 0,
    }
    admin = house.tracker.people.user("admin@example.org")
    assert rail(house.tracker, admin)["issues"] == 0
    assign(house.tracker, 1, None, ["admin@example.org"])
    assert rail(house.tracker, admin)["issues"] == 1


def test_mail_that_failed_is_counted_for_an_administrator(house: House) -> None:
    house.arrive(mail())
    entry = house.tracker.outbox.due()[0]
    claimed = house.tracker.outbox.claim(entry)
    assert claimed is not None
    house.tracker.outbox.failed(claimed, "550 no")
    assert rail(house.tracker, house.tracker.people.user("admin@example.org"))["failed"] == 1
    assert rail(house.tracker, house.dev)["failed"] == 0
