"""Who somebody is, and what role he has."""

from typing import Any

import msgspec
import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.access import may_be_told, may_read_notes, may_see
from eventum.issues.people import People, Preferences, Role, User, preferences, role_named


def test_a_user_comes_back_from_his_json_as_he_was(world: Any) -> None:
    bob = world.user("bob", aliases=("b@c.example",), preferences={"support": Preferences(True, False, True)})
    assert msgspec.json.decode(msgspec.json.encode(bob), type=User) == bob


def test_a_user_is_found_by_any_of_his_addresses_in_any_case(world: Any) -> None:
    bob = world.user("bob", aliases=("Bob@Home.Example",))
    people = world.people(bob)
    for address in ("bob@example.org", "BOB@example.org", "bob@home.example"):
        assert people.by_address(address) == bob
    assert people.by_address("stranger@else.example") is None and people.by_address("") is None
    assert people.who("u-bob") == people.who("bob@home.example") == bob and people.who("") is None


@pytest.mark.parametrize("first", [True, False])
def test_an_own_address_wins_over_the_same_alias_of_somebody_else(world: Any, first: bool) -> None:
    ann, bob = world.user("ann"), world.user("bob", aliases=("ann@example.org",))
    people = world.people(*((ann, bob) if first else (bob, ann)))
    assert people.by_address("ann@example.org") == ann


@pytest.mark.parametrize(
    ("role", "fields", "is_role", "staff"),
    [
        (None, {}, None, False),
        (Role.viewer, {}, Role.viewer, False),
        (Role.reporter, {}, Role.reporter, False),
        (Role.standard, {}, Role.standard, True),
        (Role.administrator, {}, Role.administrator, True),
        (Role.standard, {"active": False}, Role.standard, False),
        (None, {"administrator": True}, Role.administrator, True),
    ],
)
def test_the_role_decides_who_is_staff(
    world: Any, role: Role | None, fields: dict[str, Any], is_role: Role | None, staff: bool
) -> None:
    user = world.user("bob", role, **fields)
    people = world.people(user)
    assert people.role(user, "support") == is_role
    assert people.is_staff(user, "support") is staff
    assert people.role(None, "support") is None and not people.is_staff(None, "support")


def test_members_are_the_active_ones_with_a_role_of_their_own(world: Any) -> None:
    users = [
        world.user("ann"),
        world.user("viewer", Role.viewer),
        world.user("left", None),
        world.user("gone", active=False),
        world.user("root", None, administrator=True),
    ]
    assert [user.id for user in world.people(*users).members("support")] == ["u-ann", "u-viewer"]


def test_an_unknown_project_is_named_with_the_remedy(world: Any) -> None:
    with pytest.raises(NotFound, match="no project 'sales'.*projects list"):
        world.people().project("sales")


def test_roles_are_read_by_name() -> None:
    assert role_named(" Standard ") is Role.standard
    with pytest.raises(Refused, match="no role 'customer'; choose one of: viewer reporter standard developer"):
        role_named("customer")


def test_preferences_that_were_never_chosen_are_the_usual_ones(world: Any) -> None:
    assert preferences(world.user("bob"), "support") == Preferences(all_new=False, assigned=True, own_actions=False)


@pytest.mark.parametrize(
    ("role", "fields", "sees", "notes", "told"),
    [
        (None, {}, False, False, False),
        (Role.viewer, {}, True, False, True),
        (Role.standard, {}, True, True, True),
        (Role.manager, {"active": False}, False, False, False),
        (None, {"administrator": True}, True, True, True),
        (None, {"aliases": ("customer@else.example",)}, False, False, True),
        (None, {"aliases": ("customer@else.example",), "active": False}, False, False, False),
        (None, {"aliases": ("friend@else.example",)}, False, False, True),
    ],
)
def test_who_may_see_an_issue_read_its_notes_and_be_told(
    world: Any, role: Role | None, fields: dict[str, Any], sees: bool, notes: bool, told: bool
) -> None:
    user = world.user("bob", role, **fields)
    issue, people = world.issue(repliers=("friend@else.example",)), world.people(user)
    assert (may_see(user, issue, people), may_read_notes(user, issue, people), may_be_told(user, issue, people)) == (
        sees,
        notes,
        told,
    )


def test_a_people_of_nobody_knows_nobody() -> None:
    nobody = People([], [])
    assert nobody.users == () and nobody.projects == () and nobody.user("x") is None
