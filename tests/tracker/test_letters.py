"""Letters about people's accounts, as they wait to be sent."""

from datetime import timedelta

import msgspec
import pytest

from eventum.errors import Refused
from eventum.runners.outgoing import Outgoing
from eventum.tracker import invitations, membership
from eventum.tracker.letters import Words, send_letter
from eventum.tracker.membership import UserForm
from tests.house import House


@pytest.fixture(autouse=True)
def base_url(house: House) -> None:
    general = house.tracker.settings.general()
    smtp = msgspec.structs.replace(general.smtp, from_="Desk <desk@example.org>", host="127.0.0.1", port=9)
    house.tracker.settings.save_general(
        msgspec.structs.replace(general, base_url="https://issues.example.org/", smtp=smtp)
    )


def test_a_letter_is_a_mail_of_a_program_with_the_link_and_until_when_it_is_good(house: House) -> None:
    dev = membership.save_user(house.tracker, "dev@example.org", UserForm(timezone="Asia/Tokyo"))
    assert invitations.invite(house.tracker, dev, house.tracker.people.user("admin@example.org"))
    (entry,) = house.queued()
    letter = house.sent_to("dev@example.org", "invitation")
    assert (entry.posting.issue, entry.posting.event, entry.posting.sender) == (0, 0, "desk@example.org")
    assert letter.from_[0].name == "Desk" and letter.automatic
    token, expires = invitations.invitation(house.tracker, dev) or ("", house.now)
    assert f"https://issues.example.org/invitation/{token}\n" in letter.text.replace("\r", "")
    assert "until 2026-11-29 21:00 JST" in letter.text
    assert expires == house.now + timedelta(days=7)


def test_letters_to_several_people_at_once_are_several(house: House) -> None:
    words = Words(to="a@example.org", link="https://x.example/1", expires=house.now)
    for one in (words, msgspec.structs.replace(words, to="b@example.org"), msgspec.structs.replace(words, link="l")):
        send_letter(house.tracker, "invitation", house.dev, one)
    assert len(house.queued()) == 3


def test_a_letter_that_cannot_be_sent_waits_in_the_queue_like_any_mail(house: House) -> None:
    invitations.invite(house.tracker, house.dev)
    result = Outgoing(house.tracker).work()
    assert result.error and result.remaining == 1


def test_nobody_who_is_deactivated_is_invited(house: House) -> None:
    gone = house.user("gone", active=False)
    with pytest.raises(Refused, match="gone@example.org is deactivated"):
        invitations.invite(house.tracker, gone)
    assert house.queued() == [] and invitations.invitation(house.tracker, gone) is None


def test_an_address_that_somebody_got_meanwhile_is_not_confirmed(house: House) -> None:
    invitations.check_address(house.tracker, house.dev, "new@example.org")
    invitations.ask_for_address(house.tracker, house.dev, "new@example.org")
    text = house.sent_to("new@example.org", "confirm_address").text
    token = text.partition("/confirm/")[2].split()[0]
    assert invitations.asked_address(house.tracker, token) == (house.dev, "new@example.org")
    house.user("new")
    with pytest.raises(Refused, match="belongs to user new@example.org"):
        invitations.confirm_address(house.tracker, token)


def test_a_new_password_makes_the_link_to_a_new_address_void(house: House) -> None:
    invitations.ask_for_address(house.tracker, house.dev, "new@example.org")
    text = house.sent_to("new@example.org", "confirm_address").text
    token = text.partition("/confirm/")[2].split()[0]
    assert "/preferences/password" in house.sent_to("dev@example.org", "address_change").text
    membership.save_user(house.tracker, "dev@example.org", UserForm(password="another hash"))
    with pytest.raises(Refused, match="This link was used already"):
        invitations.confirm_address(house.tracker, token)


def test_nobody_can_have_words_of_his_own_sent_to_an_address_of_his_choice(house: House) -> None:
    dev = membership.save_user(house.tracker, "dev@example.org", UserForm(name="Buy at http://evil.example"))
    invitations.ask_for_address(house.tracker, dev, "victim@example.net")
    letter = house.sent_to("victim@example.net", "confirm_address")
    assert "evil" not in letter.text and "evil" not in letter.subject and letter.to[0].name == ""
