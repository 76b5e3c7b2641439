"""Users and projects as two people change them at once, and as the forms of the browser send them."""

import threading

import msgspec
import pytest

from eventum.errors import Conflict, EventumError, Refused
from eventum.issues.people import User
from eventum.tracker.membership import ProjectForm, UserForm, save_project, save_user
from eventum.tracker.tracker import Tracker
from tests.house import House


def at_once(house: House, *forms: tuple[str | None, UserForm]) -> list[object]:
    """What becomes of changes that begin at the same moment, each with a tracker of its own."""
    barrier, done = threading.Barrier(len(forms)), list[object]()

    def change(name: str | None, form: UserForm) -> None:
        tracker = Tracker(house.config, clock=lambda: house.now)
        barrier.wait()
        try:
            done.append(save_user(tracker, name, form))
        except EventumError as error:
            done.append(error)
        tracker.close()

    threads = [threading.Thread(target=change, args=form) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def test_two_administrators_cannot_depose_each_other(house: House) -> None:
    save_user(house.tracker, "dev@example.org", UserForm(administrator=True))
    no_more = UserForm(administrator=False)
    done = at_once(house, ("admin@example.org", no_more), ("dev@example.org", no_more))
    assert sum(isinstance(one, Refused) for one in done) == 1
    assert sum(user.administrator for user in house.tracker.people.users()) == 1


def test_one_form_sent_many_times_at_once_makes_one_user(house: House) -> None:
    form = UserForm(id="0123456789abcdef", email="mia@example.org", name="Mia")
    done = at_once(house, *[(None, form)] * 5)
    assert {one.id for one in done if isinstance(one, User)} == {form.id} and len(done) == 5
    assert len(house.tracker.people.users()) == 3


@pytest.mark.parametrize("made_up", ["", "x", "../../../etc", "0123456789ABCDEF", "0123456789abcdef0"])
def test_what_is_no_nonce_becomes_no_id(house: House, made_up: str) -> None:
    user = save_user(house.tracker, None, UserForm(id=made_up, email="mia@example.org", name="Mia"))
    project = save_project(house.tracker, None, ProjectForm(id=made_up, title="Sales"))
    assert made_up not in (user.id, project.id) and len(user.id) == len(project.id) == 16


def test_a_form_made_from_an_older_record_is_refused(house: House) -> None:
    user, project = house.dev, house.project
    save_user(house.tracker, user.id, UserForm(name="Dee", revision=user.revision))
    save_project(house.tracker, project.id, ProjectForm(sender_name="Desk", revision=project.revision))
    with pytest.raises(Conflict):
        save_user(house.tracker, user.id, UserForm(name="Devon", revision=user.revision))
    with pytest.raises(Conflict):
        save_project(house.tracker, project.id, ProjectForm(title="Front", revision=project.revision))


def test_a_record_of_an_earlier_day_has_the_usual_preferences(house: House) -> None:
    path = house.tracker.layout.users / f"{house.dev.id}.json"
    record = msgspec.json.decode(path.read_bytes())
    added = ("week_start", "relative_dates", "list_refresh", "theme", "signature", "signature_in")
    path.write_bytes(msgspec.json.encode({name: value for name, value in record.items() if name not in added}))
    user = Tracker(house.config).people.user("dev@example.org")
    assert (user.week_start, user.relative_dates, user.list_refresh, user.theme) == ("monday", False, 0, "")
    assert (user.signature, user.signature_in, user.language) == ("", ("replies", "mails"), "")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (UserForm(week_start="someday"), "week_start"),
        (UserForm(list_refresh=7), "list_refresh"),
        (UserForm(theme="pink"), "theme"),
        (UserForm(signature_in=("everything",)), "signature_in"),
        (UserForm(timezone="posixrules/nowhere"), "timezone"),
        (UserForm(language="tlh"), "language"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_its_field(house: House, form: UserForm, field: str) -> None:
    with pytest.raises(Refused) as raised:
        save_user(house.tracker, "dev@example.org", form)
    assert raised.value.values["field"] == field
