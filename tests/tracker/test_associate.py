import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import changes
from eventum.issues.accounts import AutoCreation
from eventum.issues.issue import messages
from eventum.store.state import Move
from eventum.tracker import membership
from eventum.tracker.associate import Aim, associate, remove, restore
from eventum.tracker.change import close
from eventum.tracker.membership import ProjectForm
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes
from tests.house import House, mail

EVE = mail("Loose", "What about me?", From="Eve <eve@x.example>", Cc="bo@x.example", Message_ID="<loose@x.example>")


@pytest.fixture
def key(house: House) -> str:
    """The key of a stranger's mail in the pool; issue 1 is Ana's, assigned to dev, its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    house.set_account(auto_create=AutoCreation(enabled=False))
    (loose,) = house.arrive(EVE)
    assert loose.outcome == "unassociated"
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    return loose.key


def addresses(house: House) -> set[str]:
    return {entry.address for entry in house.issue(1).subscriptions}


def test_as_an_email_it_is_sent_on_and_puts_its_people_on_the_list(house: House, key: str) -> None:
    done = associate(house.tracker, None, key, Aim(1))
    kept = messages(house.issue(1).events)[-1]
    assert (kept.key, kept.kind, kept.blocked, house.issue(1).emails) == (key, "email", "", 2)
    assert house.told() == [("email", "ana@customer.example"), ("email", "dev@example.org")]
    assert set(done.told) == {"ana@customer.example", "dev@example.org"}
    assert house.sent_to("dev@example.org", "email").from_[0].name == "Eve"
    assert addresses(house) == {"ana@customer.example", "dev@example.org", "eve@x.example", "bo@x.example"}
    assert house.tracker.pool.outcome(house.account.id, key) is None
    assert house.tracker.issues.mail_path(1, key).read_bytes().endswith(EVE)
    assert [(row.saw, row.answer) for row in kept.trace if row.table == "person"] == [("admin@example.org", "email:1")]


def test_as_a_reference_it_is_filed_and_nobody_is_told(house: House, key: str) -> None:
    before = addresses(house)
    close(house.tracker, 1, None)
    told = house.told()
    done = associate(house.tracker, None, key, Aim(1, "reference"))
    assert (done.told, house.told(), addresses(house)) == ((), told, before)
    assert (done.issue.emails, messages(done.issue.events)[-1].kind, done.issue.status) == (2, "email", "closed")


def test_as_a_note_it_is_for_staff_in_the_name_of_who_decided(house: House, key: str) -> None:
    before = addresses(house)
    done = associate(house.tracker, "admin@example.org", key, Aim(1, "note"))
    kept = messages(house.issue(1).events)[-1]
    assert (kept.kind, kept.blocked, done.issue.notes, done.issue.blocked) == ("note", "", 1, 0)
    assert house.told() == [("note", "dev@example.org")]
    notice = house.sent_to("dev@example.org", "note")
    assert notice.from_[0].name == "Ada" and "Ada has added an internal note" in notice.text
    assert "Mail from Eve <eve@x.example>: Loose" in notice.text and "What about me?" in notice.text
    assert addresses(house) == before


def test_a_mail_that_answers_one_of_the_issue_hangs_below_it(house: House, key: str) -> None:
    (other,) = house.arrive(mail("Re: old", From="bo@x.example", In_Reply_To="<loose@x.example>"))
    associate(house.tracker, None, key, Aim(1))
    associate(house.tracker, None, other.key, Aim(1))
    assert messages(house.issue(1).events)[-1].parent == "<loose@x.example>"


def test_a_customers_mail_reopens_a_closed_issue_and_staffs_does_not(house: House, key: str) -> None:
    (own,) = house.arrive(mail("From staff", From="dev@example.org"))
    close(house.tracker, 1, None)
    assert associate(house.tracker, None, own.key, Aim(1)).issue.status == "closed"
    assert associate(house.tracker, None, key, Aim(1)).issue.status == "open"


def test_it_gives_its_sender_no_right_to_write_again(house: House, key: str) -> None:
    associate(house.tracker, None, key, Aim(1))
    again = house.arrive(mail("More", From="eve@x.example", In_Reply_To="<loose@x.example>"))
    assert [(one.outcome, one.issue) for one in again] == [("blocked", 1)]


def test_a_mail_is_put_into_one_issue(house: House, key: str) -> None:
    associate(house.tracker, None, key, Aim(1))
    with pytest.raises(NotFound, match=f"The mail {key[:12]} is in issue 1 already"):
        associate(house.tracker, None, key, Aim(1))
    with pytest.raises(NotFound, match="is in issue 1 already"):
        remove(house.tracker, None, key)
    assert [one.outcome for one in house.arrive(EVE)] == ["duplicate"]


def test_an_issue_takes_the_same_content_once(house: House, key: str) -> None:
    other = house.add_account(type="delivered", addresses=("other@example.org",), auto_create=AutoCreation())
    (copy,) = house.arrive(EVE, account=other)
    assert copy.outcome == "unassociated"
    associate(house.tracker, None, key, Aim(1))
    with pytest.raises(Refused, match="Issue 1 has a mail of the same content already"):
        associate(house.tracker, None, copy.key, Aim(1))


def test_an_unknown_issue_or_mail_leaves_all_as_it_is(house: House, key: str) -> None:
    with pytest.raises(NotFound, match="no issue 9"):
        associate(house.tracker, None, key, Aim(9))
    with pytest.raises(NotFound, match="is not in the list any more"):
        associate(house.tracker, None, "0" * 64, Aim(1))
    assert house.tracker.pool.outcome(house.account.id, key) == "unassociated"


def test_it_takes_staff_of_the_account_s_project_and_of_the_issue_s(house: House, key: str) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    house.user("sam", "")
    membership.save_user(house.tracker, "sam@example.org", membership.UserForm(members=(("Sales", "manager"),)))
    with pytest.raises(Refused, match="sam@example.org does not work for 'Help desk'"):
        associate(house.tracker, "sam@example.org", key, Aim(1))
    with pytest.raises(Refused, match="sam@example.org does not work for 'Help desk'"):
        remove(house.tracker, "sam@example.org", key)


def test_what_two_take_at_once_one_gets(house: House, key: str) -> None:
    house.set_account(auto_create=AutoCreation(enabled=True))
    house.arrive(mail("Second issue"))
    # A run that pulls the mail into issue 2 has decided, and has not committed yet.
    pulling = Changes(house.tracker, house.now)
    work, pooled = pulling.work(2), house.tracker.pool.load(house.account.id, key)
    work.issue = changes.filed(work.issue, pooled.mail, house.now, quiet=True)
    work.mails.append((key, str(house.tracker.pool.path(house.account.id, key))))
    pulling.moves.append(Move(house.account.id, key, 2))
    other = Tracker(house.config, clock=lambda: house.now).open()
    associate(other, None, key, Aim(1))
    other.close()
    with pytest.raises(Conflict, match="was moved by somebody else meanwhile"):
        pulling.commit()
    assert [[one.key for one in messages(house.issue(number).events)].count(key) for number in (1, 2)] == [1, 0]


def test_an_answer_that_comes_while_a_person_files_its_question_finds_it(house: House, key: str) -> None:
    house.set_account(auto_create=AutoCreation(enabled=True))
    associate(house.tracker, None, key, Aim(1))
    answer = house.arrive(mail("Re: Loose", From="dev@example.org", In_Reply_To="<loose@x.example>"))
    assert [(one.outcome, one.issue) for one in answer] == [("filed", 1)]


def test_what_is_removed_is_kept_and_can_be_restored(house: House, key: str) -> None:
    account = house.account.id
    assert remove(house.tracker, None, key) and not remove(house.tracker, None, key)
    assert house.tracker.pool.outcome(account, key) == "removed"
    assert [one.outcome for one in house.arrive(EVE)] == ["duplicate"]
    assert restore(house.tracker, None, key) and not restore(house.tracker, None, key)
    assert house.tracker.pool.outcome(account, key) == "unassociated"
    assert house.tracker.pool.path(account, key).read_bytes().endswith(EVE)


def test_an_answer_does_not_bring_back_what_was_removed(house: House, key: str) -> None:
    house.set_account(auto_create=AutoCreation(enabled=True))
    remove(house.tracker, None, key)
    house.arrive(mail("Re: Loose", From="bo@x.example", In_Reply_To="<loose@x.example>"))
    assert [message.subject for message in messages(house.issue(2).events)] == ["Re: Loose"]
    assert house.tracker.pool.outcome(house.account.id, key) == "removed"


def test_what_was_removed_can_still_be_put_into_an_issue(house: House, key: str) -> None:
    remove(house.tracker, None, key)
    assert associate(house.tracker, None, key, Aim(1)).issue.emails == 2


def test_a_kill_before_the_pool_forgets_the_mail_is_brought_to_its_end(house: House, key: str) -> None:
    account, path = house.account.id, house.tracker.pool.path(house.account.id, key)
    record = path.parent.parent.parent / f"{key}.json"
    kept, described = path.read_bytes(), record.read_bytes()
    associate(house.tracker, None, key, Aim(1))
    path.write_bytes(kept)
    record.write_bytes(described)
    assert house.tracker.pool.outcome(account, key) == "unassociated"
    with pytest.raises(NotFound, match="is in issue 1 already"):
        associate(house.tracker, None, key, Aim(1, "note"))
