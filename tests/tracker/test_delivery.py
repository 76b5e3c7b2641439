from typing import Any

from eventum.issues import changes
from eventum.tracker import membership
from eventum.tracker.correspond import Letter, reply
from eventum.tracker.questions import issue
from eventum.tracker.undelivered import undelivered
from eventum.tracker.work import Changes, Work, change
from tests.house import House, mail


def deliveries(house: House) -> list[set[tuple[str, str]]]:
    """(recipient, status) of each message of issue 1."""
    messages: Any = issue(house.tracker, 1)["messages"]
    for message in messages:
        recipients = [one["recipient"] for one in message["delivery"]]
        assert len(recipients) == len(set(recipients))
    return [{(one["recipient"], one["status"]) for one in message["delivery"]} for message in messages]


def settle(house: House, recipient: str, *, failed: bool = False) -> None:
    """The far end takes or refuses the e-mails to one recipient."""
    outbox = house.tracker.outbox
    for entry in outbox.due():
        if outbox.read(entry)[0].recipient == recipient:
            claimed = outbox.claim(entry)
            assert claimed is not None
            (outbox.failed if failed else outbox.sent)(claimed, "550 no" if failed else "250 ok")


def test_an_email_says_who_it_was_sent_on_to(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    house.arrive(mail("Re:", "more", In_Reply_To="<root@x>"))
    reply(house.tracker, 1, "dev@example.org", Letter(text="Dear Ana", cc=("Bo@x.example",)))
    reply(house.tracker, 1, "admin@example.org", Letter(text="And from me"))
    assert deliveries(house) == [
        set(),
        {("dev@example.org", "pending")},
        {("ana@customer.example", "pending"), ("bo@x.example", "pending")},
        {("ana@customer.example", "pending"), ("bo@x.example", "pending"), ("dev@example.org", "pending")},
    ]


def test_the_status_is_that_of_the_queue(house: House) -> None:
    house.arrive(mail())
    reply(house.tracker, 1, "admin@example.org", Letter(text="x", cc=("bo@x.example",)))
    settle(house, "ana@customer.example")
    settle(house, "bo@x.example", failed=True)
    (claimed,) = (house.tracker.outbox.claim(entry) for entry in house.tracker.outbox.due()[-1:])
    assert claimed is not None
    house.tracker.outbox.defer(claimed, "451 later")
    assert deliveries(house)[-1] == {
        ("ana@customer.example", "sent"),
        ("bo@x.example", "failed"),
        ("dev@example.org", "deferred"),
    }


def test_what_failed_and_was_cleared_away_is_known_from_the_history(house: House) -> None:
    house.arrive(mail())
    reply(house.tracker, 1, "dev@example.org", Letter(text="x"))
    (entry,) = (entry for entry in house.queued() if entry.posting.type == "email")
    undelivered(house.tracker, entry.posting, "550 no such user")
    house.tracker.outbox.forget(entry.id)
    assert deliveries(house)[-1] == {("ana@customer.example", "failed")}


def test_who_joined_or_left_the_list_later_makes_no_difference(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    house.arrive(mail("Re:", "more", In_Reply_To="<root@x>"))

    def leave(changed: Changes, work: Work) -> None:
        work.issue = changes.unsubscribed(work.issue, "dev@example.org", changed.now)

    change(house.tracker, 1, leave)
    house.arrive(mail("Re: again", "and more", In_Reply_To="<root@x>"))
    assert deliveries(house)[1:] == [{("dev@example.org", "pending")}, set()]


def test_a_user_whose_address_changed_is_found_under_the_one_he_had(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    house.arrive(mail("Re:", "more", In_Reply_To="<root@x>"))
    form = membership.UserForm(email="new@example.org", aliases=("dev@example.org",))
    membership.save_user(house.tracker, "dev@example.org", form)
    house.arrive(mail("Re: again", "and more", In_Reply_To="<root@x>"))
    assert deliveries(house)[1:] == [{("dev@example.org", "pending")}, {("new@example.org", "pending")}]


def test_notes_and_blocked_mails_are_sent_on_to_nobody(house: House) -> None:
    house.arrive(mail(Message_ID="<root@x>"))
    house.arrive(mail("Me too", From="eve@x.example", In_Reply_To="<root@x>"))
    assert deliveries(house) == [set(), set()]
