from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.people import Project, User
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.people import PeopleStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.create()
    return layout


@pytest.fixture
def store(layout: Layout) -> PeopleStore:
    return PeopleStore(layout, Locks(layout))


def user(email: str, **fields: object) -> User:
    return msgspec.structs.replace(User(id="", email=email, name="Somebody", created=NOW), **fields)


def test_a_new_user_gets_an_id_of_16_hex_digits(store: PeopleStore) -> None:
    saved = store.save_user(user("a@example.org"))
    assert len(saved.id) == 16 and int(saved.id, 16) >= 0
    assert saved.revision == 1
    assert store.user("a@example.org") == saved


def test_the_people_are_one_value_until_somebody_changes(store: PeopleStore) -> None:
    saved = store.save_user(user("a@example.org", aliases=("b@example.org",)))
    people = store.load_all()
    assert people.by_address("b@example.org") == saved
    store.save_user(msgspec.structs.replace(saved, name="Other"))
    assert people.by_address("b@example.org") == saved
    changed = store.load_all().by_address("b@example.org")
    assert changed is not None and changed.name == "Other"


def test_two_who_change_the_same_user_do_not_overwrite_each_other(store: PeopleStore, layout: Layout) -> None:
    saved = store.save_user(user("a@example.org"))
    other = PeopleStore(layout, Locks(layout))
    other.save_user(msgspec.structs.replace(other.user(saved.id), name="Theirs"))
    with pytest.raises(Conflict):
        store.save_user(msgspec.structs.replace(saved, name="Ours"))
    assert store.user(saved.id).name == "Theirs"


def test_what_a_newer_program_noted_survives_a_change(store: PeopleStore, layout: Layout) -> None:
    saved = store.save_user(user("a@example.org"))
    path = layout.users / f"{saved.id}.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), "shoe_size": 43}))
    store.save_user(msgspec.structs.replace(saved, name="Other"))
    kept = msgspec.json.decode(path.read_bytes())
    assert (kept["name"], kept["shoe_size"]) == ("Other", 43)


@pytest.mark.parametrize(
    "email", ["a@example.org", "alias@example.org", "help@example.org", "help2@example.org", "no address", "A@x.org"]
)
def test_an_address_belongs_to_one(store: PeopleStore, email: str) -> None:
    store.save_user(user("a@example.org", aliases=("alias@example.org",)))
    store.save_project(Project(id="", title="P", sender_email="help@example.org", aliases=("help2@example.org",)))
    with pytest.raises(Refused):
        store.save_user(user(email))
    with pytest.raises(Refused):
        store.save_user(user("new@example.org", aliases=(email,)))


def test_a_project_cannot_take_a_users_address_nor_anothers_title(store: PeopleStore) -> None:
    store.save_user(user("a@example.org"))
    saved = store.save_project(Project(id="", title="Straße"))
    with pytest.raises(Refused, match="belongs to user"):
        store.save_project(Project(id="", title="Q", aliases=("a@example.org",)))
    with pytest.raises(Refused, match="already"):
        store.save_project(Project(id="", title="STRASSE"))
    assert store.project("strasse") == saved


def test_who_is_not_there_is_not_found(store: PeopleStore) -> None:
    for name in ("x@example.org", "0123456789abcdef", "../../etc"):
        with pytest.raises(NotFound):
            store.user(name)
        with pytest.raises(NotFound):
            store.project(name)
