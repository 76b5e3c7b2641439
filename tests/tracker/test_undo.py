"""What a person did with mail is taken back: all of it, or nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues.accounts import AutoCreation
from eventum.issues.issue import messages
from eventum.store.flush import Flush
from eventum.store.pool import Pooled
from eventum.store.state import Intent, Move
from eventum.store.verify import Verifier
from eventum.tracker import blocked, conversation, lately, mail_view, membership, subscribe, undo
from eventum.tracker.associate import NOBODY, Aim, Foreseen, associate, associate_all, move, remove, would_tell
from eventum.tracker.change import close
from eventum.tracker.from_mail import Wish, open_from_mails
from eventum.tracker.membership import ProjectForm
from eventum.tracker.tracker import Tracker
from eventum.tracker.undo import DELAY, FOR, Step, last_step, step_of, take_back
from tests.house import House, mail

EVE = mail("Loose", "What about me?", From="Eve <eve@x.example>", Cc="bo@x.example", Message_ID="<loose@x.example>")
BOB = mail("Loose too", "And me?", From="Bob <bob@y.example>", Message_ID="<bob@y.example>")


def is_whole(house: House) -> bool:
    """Whether verify finds nothing."""
    tracker = house.tracker
    found = Verifier(tracker.layout, tracker.locks, tracker.index).verify().findings
    assert not found, found
    return True


@pytest.fixture
def keys(house: House) -> list[str]:
    """Two mails in the pool; issue 1 is Ana's, assigned to dev, its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    house.set_account(auto_create=AutoCreation(enabled=False))
    found = [one.key for one in house.arrive(EVE)]
    house.now += timedelta(minutes=1)
    found += [one.key for one in house.arrive(BOB)]
    forget(house)
    house.now += timedelta(minutes=1)
    return found


def test_the_issue_says_when_the_notices_of_a_step_are_sent(house: House, keys: list[str]) -> None:
    subscribe.subscribe(house.tracker, 1, None, "cy@x.example")
    filed(house, keys[:1])
    shown = conversation.conversation(
        house.tracker, 1, house.tracker.people.user("dev@example.org"), conversation.Part()
    )
    lines = [line for item in shown.items for line in getattr(item, "delivery", ()) if line.recipient == "cy@x.example"]
    (due,) = (line.next_attempt for line in lines)
    assert lines[0].status == "pending" and due is not None
    assert abs((due - datetime.now(UTC)).total_seconds() - DELAY) < 30


def forget(house: House) -> None:
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)


def filed(house: House, keys: list[str], way: str = "email") -> Step:
    done = associate_all(house.tracker, "dev@example.org", keys, Aim(1, way), delay=DELAY)  # type: ignore[arg-type]
    return step_of(house.tracker, done)


@pytest.mark.parametrize("way", ["email", "reference", "note"])
def test_an_association_is_taken_back_with_all_it_brought(house: House, keys: list[str], way: str) -> None:
    before = house.issue(1)
    pooled = house.tracker.pool.load(house.account.id, keys[0])
    step = filed(house, keys, way)
    back = take_back(house.tracker, "dev@example.org", step)
    after = house.issue(1)
    assert (back.told, house.told()) == ((), [])
    assert (after.subscriptions, after.emails, after.notes) == (before.subscriptions, before.emails, before.notes)
    assert [one.key for one in messages(after.events)] == [one.key for one in messages(before.events)]
    again = house.tracker.pool.load(house.account.id, keys[0])
    assert (again.mail, again.trace, again.project) == (pooled.mail, pooled.trace, pooled.project)
    assert house.tracker.pool.path(house.account.id, keys[0]).read_bytes().endswith(EVE)
    with pytest.raises(NotFound):
        house.tracker.issues.mail_path(1, keys[0])
    assert is_whole(house)


def test_what_was_taken_back_can_be_filed_again(house: House, keys: list[str]) -> None:
    take_back(house.tracker, None, filed(house, keys[:1]))
    associate(house.tracker, None, keys[0], Aim(1))
    assert [one.key for one in messages(house.issue(1).events)].count(keys[0]) == 1
    assert is_whole(house)


def test_a_double_click_takes_back_once(house: House, keys: list[str]) -> None:
    step = filed(house, keys)
    take_back(house.tracker, None, step)
    events = house.issue(1).next_event
    assert take_back(house.tracker, None, step).told == ()
    assert house.issue(1).next_event == events


def test_its_notices_wait_and_who_was_told_before_is_named(house: House, keys: list[str]) -> None:
    step = filed(house, keys[:1])
    assert house.tracker.outbox.due() == []
    assert {recipient for _, recipient in house.told()} == {"ana@customer.example"}
    (entry,) = house.tracker.outbox.due() or house.tracker.outbox._queue.all_waiting()
    claimed = house.tracker.outbox.claim(entry)
    assert claimed
    house.tracker.outbox.sent(claimed, "250 ok")
    assert take_back(house.tracker, None, step).told == ("ana@customer.example",)


def test_a_reopened_issue_is_closed_again_as_it_was(house: House, keys: list[str]) -> None:
    close(house.tracker, 1, None)
    forget(house)
    closed, house.now = house.now, house.now + timedelta(minutes=1)
    step = filed(house, keys[:1])
    assert house.issue(1).closed is None
    take_back(house.tracker, None, step)
    assert (house.issue(1).closed, house.issue(1).status, house.told()) == (closed, "closed", [])


def test_a_later_change_or_ten_minutes_keep_it_as_it_is(house: House, keys: list[str]) -> None:
    step = filed(house, keys[:1])
    house.now += FOR + timedelta(seconds=1)
    with pytest.raises(Conflict, match="for 10 minutes, which are over"):
        take_back(house.tracker, None, step)
    house.now -= FOR
    close(house.tracker, 1, None)
    with pytest.raises(Conflict, match="Issue 1 was changed since"):
        take_back(house.tracker, None, step)


@pytest.mark.parametrize("step", [Step(1, 2, 1), Step(1, 99, 1), Step(1, 1, 1)])
def test_a_step_that_was_none_changes_nothing(house: House, keys: list[str], step: Step) -> None:
    close(house.tracker, 1, None)
    before = house.issue(1)
    with pytest.raises((Conflict, Refused)):
        take_back(house.tracker, None, step)
    assert house.issue(1) == before


def test_a_stranger_may_not(house: House, keys: list[str]) -> None:
    step = filed(house, keys[:1])
    house.user("rita", "reporter")
    with pytest.raises(Refused, match="does not work for"):
        take_back(house.tracker, "rita@example.org", step)
    with pytest.raises(NotFound, match="no list"):
        take_back(house.tracker, None, Step(1, step.since, step.revision, "../../x"))


def test_an_issue_opened_from_mails_is_closed_and_the_mails_wait_again(house: House, keys: list[str]) -> None:
    done = open_from_mails(house.tracker, None, keys, Wish(), delay=DELAY)
    number = done.issue.number
    assert [one.key for one in messages(done.issue.events)] == keys
    assert done.issue.summary == "Loose" and house.told() != []
    back = take_back(house.tracker, None, step_of(house.tracker, done))
    assert (back.issue.closed is not None, messages(house.issue(number).events), house.told()) == (True, (), [])
    assert [house.tracker.pool.outcome(house.account.id, key) for key in keys] == ["unassociated"] * 2
    assert is_whole(house)


def test_mails_go_back_to_the_list_they_came_from(house: House, keys: list[str]) -> None:
    remove(house.tracker, None, keys[0])
    done = associate(house.tracker, None, keys[0], Aim(1))
    take_back(house.tracker, None, step_of(house.tracker, done, "removed"))
    assert house.tracker.pool.outcome(house.account.id, keys[0]) == "removed"


def test_a_move_says_where_the_mails_were(house: House, keys: list[str]) -> None:
    assert move(house.tracker, None, keys, "removed") == dict.fromkeys(keys, "unassociated")
    assert move(house.tracker, None, keys, "removed") == {}
    with pytest.raises(NotFound, match="no list"):
        move(house.tracker, None, keys, "elsewhere")


def test_who_would_be_told_is_known_before(house: House, keys: list[str]) -> None:
    one = keys[:1]
    foreseen = would_tell(house.tracker, "dev@example.org", one, Aim(1))
    assert (foreseen.told, foreseen.listed) == (("ana@customer.example",), ("eve@x.example", "bo@x.example"))
    assert set(would_tell(house.tracker, "admin@example.org", one, Aim(1)).told) == {"ana@customer.example", "Dev"}
    assert would_tell(house.tracker, "admin@example.org", one, Aim(1, "note")) == Foreseen(told=("Dev",))
    assert would_tell(house.tracker, "admin@example.org", one, Aim(1, "reference")) == NOBODY
    assert house.told() == [] and house.issue(1).emails == 1


def test_a_run_that_died_before_the_record_was_replaced_leaves_the_mail_in_its_issue(
    house: House, keys: list[str]
) -> None:
    filed(house, keys[:1])
    tracker, account = house.tracker, house.account.id
    path = tracker.issues.mail_path(1, keys[0])
    dying = Tracker(house.config, clock=lambda: house.now).open()
    with Flush() as flush:
        dying.state.intend(Intent(dying.maker.id, (), (), (Move(account, keys[0], 1),)))
        pooled = pooled_of(house, keys[0])
        dying.pool.put(flush, pooled, "unassociated", str(path))
    withdrawn = dying.outbox.withdraw(1, range(1, 99))
    assert withdrawn and house.told() == []
    die(dying)
    tracker.recover()
    assert tracker.pool.outcome(account, keys[0]) is None
    assert house.told() == [("email", "ana@customer.example")]
    assert path.exists() and is_whole(house)


def test_a_run_that_died_after_the_record_was_replaced_leaves_the_mail_in_the_list(
    house: House, keys: list[str]
) -> None:
    step = filed(house, keys[:1])
    tracker, account = house.tracker, house.account.id
    path = tracker.issues.mail_path(1, keys[0])
    kept = path.read_bytes()
    dying = Tracker(house.config, clock=lambda: house.now).open()
    (entry,) = tracker.outbox._queue.all_waiting()
    notice = Path(entry.path).read_bytes()
    take_back(tracker, None, step)
    path.write_bytes(kept)
    dying.state.intend(Intent(dying.maker.id, (), (), (Move(account, keys[0], 1),)))
    (tracker.layout.outgoing / "tmp" / dying.maker.name()).write_bytes(notice)
    die(dying)
    tracker.recover()
    assert tracker.pool.outcome(account, keys[0]) == "unassociated"
    assert not path.exists() and house.told() == [] and is_whole(house)


def pooled_of(house: House, key: str) -> Pooled:
    """What the pool would know of a mail of issue 1."""
    filing = next(one for one in messages(house.issue(1).events) if one.key == key)
    return Pooled(account=house.account.id, project=house.project.id, when=house.now, mail=filing)


def die(tracker: Tracker) -> None:
    """The process is gone: its lease is free, its lease file stays."""
    assert tracker.maker._lease
    tracker.maker._lease.release()
    tracker.__dict__.pop("maker")


def test_an_accepted_mail_is_blocked_again(house: House, keys: list[str]) -> None:
    (stranger,) = house.arrive(mail("Re: fire", From="Stefan <s@posta.example>", In_Reply_To="<root@customer.example>"))
    assert stranger.outcome == "blocked"
    forget(house)
    house.now += timedelta(minutes=1)
    before = house.issue(1)
    done = blocked.accept(house.tracker, None, blocked.Place(1, stranger.key), always=True, delay=DELAY)
    take_back(house.tracker, None, step_of(house.tracker, done))
    after = house.issue(1)
    assert (after.emails, after.notes, after.blocked) == (before.emails, before.notes, before.blocked) == (1, 1, 1)
    assert (after.repliers, after.subscriptions, house.told()) == (before.repliers, before.subscriptions, [])
    assert messages(after.events) == messages(before.events) and is_whole(house)


@pytest.fixture
def stranger(house: House, keys: list[str]) -> blocked.Place:
    """A stranger's mail, blocked in issue 1."""
    (found,) = house.arrive(mail("Re: fire", From="Stefan <s@posta.example>", In_Reply_To="<root@customer.example>"))
    forget(house)
    house.now += timedelta(minutes=1)
    return blocked.Place(1, found.key)


def test_a_new_issue_from_blocked_mail_taken_back_blocks_it_again_where_it_was(
    house: House, stranger: blocked.Place
) -> None:
    before = house.issue(1)
    done = blocked.make_issue(house.tracker, "dev@example.org", stranger, delay=DELAY)
    house.now += timedelta(minutes=1)
    step = step_of(house.tracker, done)
    back = take_back(house.tracker, "dev@example.org", step)
    assert (back.blocked_in, [one.key for one in back.mails]) == (1, [stranger.key])
    after = house.issue(1)
    assert messages(after.events) == messages(before.events)
    assert (after.notes, after.blocked, house.told()) == (before.notes, before.blocked, [])
    assert house.issue(2).was_taken_back and messages(house.issue(2).events) == ()
    assert house.tracker.pool.outcome(house.account.id, stranger.key) is None and is_whole(house)
    events = house.issue(1).next_event
    assert take_back(house.tracker, "dev@example.org", step).mails == ()
    assert house.issue(1).next_event == events


def test_who_dies_before_it_is_blocked_again_leaves_it_in_the_list_and_the_next_click_goes_on(
    house: House, stranger: blocked.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = step_of(house.tracker, blocked.make_issue(house.tracker, None, stranger, delay=DELAY))
    with monkeypatch.context() as dying:
        dying.setattr(undo, "bring_home", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take_back(house.tracker, None, step)
    assert house.tracker.pool.outcome(house.account.id, stranger.key) == "unassociated" and is_whole(house)
    assert take_back(house.tracker, None, step).blocked_in == 1
    assert messages(house.issue(1).events)[-1].waits and is_whole(house)


def test_what_i_did_lately_can_be_found_again_and_what_others_did_or_was_taken_back_not(
    house: House, keys: list[str], stranger: blocked.Place
) -> None:
    dev, admin = house.dev, house.tracker.people.user("admin@example.org")
    assert lately.lately(house.tracker, dev) == ()
    filed(house, keys[:1])
    (one,) = lately.lately(house.tracker, dev)
    assert (one.name, [mail.key for mail in one.mails]) == ("as_email", keys[:1])
    assert lately.lately(house.tracker, admin) == ()
    take_back(house.tracker, "dev@example.org", one.step)
    assert lately.lately(house.tracker, dev) == ()
    house.now += timedelta(minutes=1)
    for verb, name in ((blocked.ignore, "ignored"), (blocked.accept, "accepted")):
        verb(house.tracker, "dev@example.org", stranger)
        assert [one.name for one in lately.lately(house.tracker, dev)] == [name]
        house.now += timedelta(minutes=1)
    open_from_mails(house.tracker, "dev@example.org", keys[:1], Wish())
    assert [one.name for one in lately.lately(house.tracker, dev)] == ["opened", "accepted"]
    house.now += FOR + timedelta(seconds=1)
    assert lately.lately(house.tracker, dev) == ()


def test_a_mail_that_came_by_itself_is_no_step_of_who_wrote_it(house: House, keys: list[str]) -> None:
    house.arrive(mail("Re: fire", From="Dev <dev@example.org>", In_Reply_To="<root@customer.example>"))
    assert lately.lately(house.tracker, house.dev) == ()


def test_a_mail_is_taken_out_at_once_with_all_it_brought_and_later_alone(house: House, keys: list[str]) -> None:
    before = house.issue(1)
    filed(house, keys[:1])
    assert lately.take_out(house.tracker, "dev@example.org", 1, keys[0]).key == keys[0]
    assert (house.issue(1).subscriptions, house.told()) == (before.subscriptions, [])
    house.now += timedelta(minutes=1)
    filed(house, keys[:1])
    house.now += FOR + timedelta(minutes=1)
    lately.take_out(house.tracker, "dev@example.org", 1, keys[0])
    after = house.issue(1)
    assert [one.key for one in messages(after.events)] == [one.key for one in messages(before.events)]
    assert (after.emails, after.subscription("eve@x.example") is not None) == (before.emails, True)
    pooled = house.tracker.pool.load(house.account.id, keys[0])
    assert house.tracker.pool.outcome(house.account.id, keys[0]) == "unassociated"
    assert not any(row.table == "person" for row in pooled.trace) and is_whole(house)
    associate(house.tracker, None, keys[0], Aim(1))
    assert is_whole(house)


def test_what_opened_an_issue_or_is_not_there_cannot_be_taken_out(house: House, keys: list[str]) -> None:
    (root,) = messages(house.issue(1).events)
    with pytest.raises(Refused, match="cannot be taken out of issue 1"):
        lately.take_out(house.tracker, None, 1, root.key)
    with pytest.raises(NotFound):
        lately.take_out(house.tracker, None, 1, keys[0])
    house.user("rita", "reporter")
    filed(house, keys[:1])
    with pytest.raises(Refused, match="does not work for"):
        lately.take_out(house.tracker, "rita@example.org", 1, keys[0])


def test_what_came_by_itself_cannot_be_taken_back(house: House, keys: list[str]) -> None:
    house.set_account(auto_create=AutoCreation(enabled=True))
    house.arrive(mail("Another", From="Zoe <zoe@x.example>"))
    before = house.issue(2)
    with pytest.raises(Refused, match="cannot be taken back"):
        take_back(house.tracker, None, last_step(house.tracker, 2))
    assert house.issue(2) == before


def test_mail_of_an_archived_project_is_its_managers(house: House, keys: list[str]) -> None:
    membership.save_project(house.tracker, "Help desk", ProjectForm(archived=True))
    with pytest.raises(Refused, match="archived project"):
        remove(house.tracker, "dev@example.org", keys[0])
    with pytest.raises(NotFound):
        mail_view.place_of(house.tracker, house.tracker.people.user("dev@example.org"), keys[0])
    assert remove(house.tracker, "admin@example.org", keys[0])
