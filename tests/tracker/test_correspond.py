from collections.abc import Callable

import pytest

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import changes
from eventum.issues.events import Filed
from eventum.issues.issue import messages
from eventum.mail import threading
from eventum.mail.message import parse
from eventum.store.spool import key_of
from eventum.tracker import membership
from eventum.tracker.acting import Done
from eventum.tracker.change import close
from eventum.tracker.correspond import Enclosure, Letter, Once, drop_draft, keep_draft, note, reply
from eventum.tracker.membership import ProjectForm
from eventum.tracker.reaching import reach
from eventum.tracker.reading import raw_bytes
from eventum.tracker.verifying import verify
from eventum.tracker.work import Changes, Work, change
from tests.house import House, mail

DEAR = Letter(text="Dear Ana,\n\nhelp is on its way.")


@pytest.fixture
def opened(house: House) -> House:
    """With issue 1 of Ana, assigned to dev, and its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    return house


def allow(house: House, address: str) -> None:
    """Put an address on the authorised repliers of issue 1."""

    def verb(changed: Changes, work: Work) -> None:
        work.issue = changes.replier_added(work.issue, address, changed.now)

    change(house.tracker, 1, verb)


def test_mail_of_a_project_is_in_the_charset_that_was_chosen_for_it(opened: House) -> None:
    house = opened
    membership.save_project(house.tracker, "Help desk", ProjectForm(sender_name="窓口", mail_charset="iso-2022-jp"))
    reply(house.tracker, 1, "dev@example.org", Letter(text="山田様\n\n修理中です。"))
    sent = {entry.posting.recipient: raw_bytes(entry.path) for entry in house.queued()}
    raw = sent["ana@customer.example"]
    assert raw.isascii() and b"charset=ISO-2022-JP\r\n" in raw
    assert "修理中です。" in parse(raw).text


def test_a_note_is_kept_as_a_mail_and_told_to_staff(opened: House) -> None:
    house = opened
    done, kept = note(house.tracker, 1, "admin@example.org", Letter(text="The fuser is dead."))
    assert (kept.kind, kept.outgoing, kept.verified, kept.internal) == ("note", True, "user", True)
    assert (done.issue.notes, done.issue.emails, done.issue.blocked) == (1, 1, 0)
    assert house.told() == [("note", "dev@example.org")]
    assert "The fuser is dead." in house.sent_to("dev@example.org", "note").text
    stored = house.tracker.issues.mail_path(1, kept.key).read_bytes()
    message = parse(stored)
    assert (message.text.strip(), message.message_id) == ("The fuser is dead.", kept.message_id)
    assert (message.sender, message.digest) == ("admin@example.org", kept.digest)
    assert kept.key == key_of("issue:1", stored)


def test_the_id_of_what_we_write_names_issue_and_event(opened: House) -> None:
    done, kept = note(opened.tracker, 1, None, Letter(text="x"))
    ours = threading.read_our_id(kept.message_id, opened.tracker.secrets.ids_key)
    assert ours is not None and (ours.issue, ours.recipient) == (1, threading.THE_MESSAGE)
    event = done.issue.event(ours.event)
    assert event is not None and event.what.message.key == kept.key


def test_the_author_of_a_note_is_put_on_the_list(opened: House) -> None:
    opened.user("sue")
    assert opened.issue(1).subscription("sue@example.org") is None
    note(opened.tracker, 1, "sue@example.org", Letter(text="x"))
    assert opened.issue(1).subscription("sue@example.org") is not None


def test_a_reply_goes_to_the_reporter_and_the_list(opened: House) -> None:
    house = opened
    done, kept = reply(house.tracker, 1, "admin@example.org", DEAR)
    assert [one.address for one in kept.to] == ["ana@customer.example"]
    assert (kept.kind, kept.outgoing, kept.subject) == ("email", True, "Re: The printer is on fire")
    assert done.told == ("dev@example.org", "ana@customer.example")
    assert house.told() == [("email", "ana@customer.example"), ("email", "dev@example.org")]
    sent = house.sent_to("ana@customer.example", "email")
    assert sent.text.strip() == DEAR.text
    assert (sent.sender, sent.from_[0].name) == ("help@example.org", "Ada")
    assert sent.subject == "[#1] Re: The printer is on fire"
    assert sent.in_reply_to == ("<root@customer.example>",)
    assert set(sent.references) == {"<root@customer.example>", kept.message_id}
    assert sent.automatic != "auto-generated"


def test_an_answer_to_a_reply_lands_in_the_issue(opened: House) -> None:
    house = opened
    reply(house.tracker, 1, None, DEAR)
    told = house.sent_to("ana@customer.example", "email").message_id
    assert [(one.outcome, one.issue) for one in house.arrive(mail("Thanks", In_Reply_To=told))] == [("filed", 1)]
    # Her client knows that mail, so the next reply hangs below it.
    _, kept = reply(house.tracker, 1, None, DEAR)
    assert kept.parent == parse(mail("Thanks", In_Reply_To=told)).message_id


def test_staff_who_reply_are_put_on_the_list_for_emails(opened: House) -> None:
    opened.user("sue")
    reply(opened.tracker, 1, "sue@example.org", DEAR)
    entry = opened.issue(1).subscription("sue@example.org")
    assert entry is not None and entry.actions == ("emails",)


def test_the_author_of_a_reply_gets_it_only_when_he_asked_for_his_own_actions(opened: House) -> None:
    sue = opened.user("sue", preferences=(("Help desk", "own_actions", True),))
    reply(opened.tracker, 1, "sue@example.org", DEAR)
    assert ("email", sue.email) in opened.told()
    reply(opened.tracker, 1, "dev@example.org", DEAR)
    assert opened.told().count(("email", "dev@example.org")) == 1


def test_named_recipients_replace_the_reporter_and_are_put_on_the_list(opened: House) -> None:
    house = opened
    letter = Letter(text="x", to=("Bo@x.example",), cc=("sue@example.org",))
    house.user("sue")
    done, kept = reply(house.tracker, 1, None, letter)
    assert ([one.address for one in kept.to], [one.address for one in kept.cc]) == (
        ["bo@x.example"],
        ["sue@example.org"],
    )
    assert {"bo@x.example", "sue@example.org"} <= {entry.address for entry in done.issue.subscriptions}
    # Ana is on the list, too.
    assert set(done.told) == {"ana@customer.example", "bo@x.example", "dev@example.org", "sue@example.org"}


def test_a_reporter_who_left_the_list_is_answered_and_not_put_back(opened: House) -> None:
    house = opened

    def leave(changed: Changes, work: Work) -> None:
        work.issue = changes.unsubscribed(work.issue, "ana@customer.example", changed.now)

    change(house.tracker, 1, leave)
    done, _ = reply(house.tracker, 1, None, DEAR)
    assert "ana@customer.example" in done.told
    assert house.issue(1).subscription("ana@customer.example") is None


def test_a_reply_to_one_of_our_own_addresses_is_refused(opened: House) -> None:
    with pytest.raises(Refused, match="help@example.org is an address of our own"):
        reply(opened.tracker, 1, None, Letter(text="x", to=("help@example.org",)))


def test_staff_replying_to_a_closed_issue_leaves_it_closed(opened: House) -> None:
    close(opened.tracker, 1, None)
    done, _ = reply(opened.tracker, 1, None, DEAR)
    assert done.issue.closed is not None


@pytest.mark.parametrize("role", ["", "viewer", "reporter"])
def test_who_may_not_mail_the_issue_is_told_so_and_nothing_is_kept(opened: House, role: str) -> None:
    opened.user("eve", role)
    before = opened.issue(1)
    with pytest.raises(Refused, match="eve@example.org may not mail issue 1"):
        reply(opened.tracker, 1, "eve@example.org", DEAR)
    assert (opened.issue(1), opened.told()) == (before, [])


def test_an_authorised_replier_may_reply_and_reopens_like_a_customer(opened: House) -> None:
    opened.user("rep", "reporter")
    allow(opened, "rep@example.org")
    close(opened.tracker, 1, None)
    done, kept = reply(opened.tracker, 1, "rep@example.org", DEAR)
    assert (done.issue.status, done.issue.closed, kept.outgoing) == ("open", None, True)
    assert kept.trace[-1].table == "subscriptions" and "authorised_replier" in [row.rule for row in kept.trace]


def test_staff_of_another_project_may_not(opened: House) -> None:
    membership.save_project(opened.tracker, None, ProjectForm(title="Sales"))
    opened.user(
        "sam",
        "",
    )
    membership.save_user(opened.tracker, "sam@example.org", membership.UserForm(members=(("Sales", "manager"),)))
    for verb in (reply, note):
        with pytest.raises(Refused, match="sam@example.org"):
            verb(opened.tracker, 1, "sam@example.org", DEAR)


def test_a_reply_that_would_reach_nobody_is_refused(house: House) -> None:
    # A sender who is not clear is no reporter, and nobody else is there.
    house.set_account(auto_create=type(house.account.auto_create)(enabled=True))
    house.arrive(mail(From="a@x.example, b@x.example"))
    with pytest.raises(Refused, match="Nobody would get this reply"):
        reply(house.tracker, 1, None, DEAR)
    assert house.issue(1).emails == 1


@pytest.mark.parametrize("verb", [note, reply])
@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_text_is_refused(opened: House, verb: Callable[..., Done], text: str) -> None:
    with pytest.raises(Refused, match="The text is empty"):
        verb(opened.tracker, 1, None, Letter(text=text))


def test_an_issue_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(NotFound, match="no issue 9"):
        note(house.tracker, 9, None, DEAR)


def test_any_text_is_kept_as_it_was_written(opened: House) -> None:
    text = "From here\n.\n> quoted =3D\nこんにちは 🖨\n" + "long " * 300 + "\n-- \nAda"
    _, kept = reply(opened.tracker, 1, None, Letter(text=text))
    path = opened.tracker.issues.mail_path(1, kept.key)
    assert parse(raw_bytes(path)).text.strip().splitlines() == text.splitlines()


def test_two_who_write_at_once_are_both_kept(opened: House) -> None:
    from eventum.tracker.tracker import Tracker

    other = Tracker(opened.config, clock=lambda: opened.now).open()
    once: list[Done] = []

    def slow(changed: Changes, work: Work) -> None:
        if not once:
            once.append(note(other, 1, None, Letter(text="the faster one"))[0])
        work.issue = changes.changed(work.issue, "summary", "the slower one", changed.now)

    change(opened.tracker, 1, slow)
    other.close()
    issue = opened.issue(1)
    assert (issue.summary, issue.notes) == ("the slower one", 1)
    assert [event.number for event in issue.events] == list(range(1, issue.next_event))


def test_who_is_left_out_gets_nothing_and_the_record_says_so(opened: House) -> None:
    letter = Letter(text="x", left_out=("DEV@example.org",))
    done, _ = reply(opened.tracker, 1, "admin@example.org", letter)
    assert done.told == ("ana@customer.example",)
    filed = [event.what for event in done.issue.events if isinstance(event.what, Filed)][-1]
    assert filed.left_out == ("dev@example.org",)
    note(opened.tracker, 1, "admin@example.org", letter)
    assert not [one for one in opened.told() if one == ("note", "dev@example.org")]


def test_a_user_is_left_out_by_whichever_of_his_addresses(opened: House) -> None:
    opened.user("sue", aliases=("susan@home.example",))
    note(opened.tracker, 1, "sue@example.org", Letter(text="x"))
    done, _ = reply(opened.tracker, 1, "admin@example.org", Letter(text="x", left_out=("susan@home.example",)))
    assert "sue@example.org" not in done.told


def test_the_dry_run_names_who_the_rules_would_tell(opened: House) -> None:
    admin = opened.tracker.people.user("admin@example.org")
    found = reach(opened.tracker, 1, admin, Letter(text="", to=("bo@x.example",), and_reporter=True), kind="email")
    assert {(one.address, one.why) for one in found} == {
        ("ana@customer.example", "reporter"),
        ("dev@example.org", "assignee"),
        ("bo@x.example", "named here"),
    }
    before = opened.issue(1)
    done, _ = reply(opened.tracker, 1, admin.email, Letter(text="x", to=("bo@x.example",), and_reporter=True))
    assert set(done.told) == {one.address for one in found} and before.emails + 1 == done.issue.emails


def test_a_form_that_is_sent_twice_is_one_reply(opened: House) -> None:
    form = Once(nonce="0123456789abcdef")
    first, kept = reply(opened.tracker, 1, None, DEAR, form=form)
    opened.arrive(mail("Re", text="meanwhile", In_Reply_To="<root@customer.example>"))
    second, again = reply(opened.tracker, 1, None, DEAR, form=form)
    assert (kept.key, first.changed, second.changed) == (again.key, True, False)


def test_an_answer_to_what_has_changed_is_stopped_once(opened: House) -> None:
    seen = opened.issue(1).next_event
    note(opened.tracker, 1, "admin@example.org", Letter(text="my own note"))
    opened.arrive(mail("Re", text="It went out.", In_Reply_To="<root@customer.example>"))
    with pytest.raises(Conflict, match="Nothing was sent"):
        reply(opened.tracker, 1, "admin@example.org", DEAR, form=Once(seen=seen))
    assert reply(opened.tracker, 1, "admin@example.org", DEAR, form=Once(seen=opened.issue(1).next_event))[0].changed


def test_a_draft_is_seen_told_to_nobody_and_goes_when_it_is_sent(opened: House) -> None:
    done, draft = keep_draft(opened.tracker, 1, "admin@example.org", Letter(text=""))
    assert (draft.kind, draft.internal, done.told, done.issue.emails, done.issue.notes) == ("draft", True, (), 1, 0)
    done, _ = reply(opened.tracker, 1, "dev@example.org", DEAR, form=Once(draft=draft.key))
    assert [one.kind for one in messages(done.issue.events)] == ["email", "email"]
    with pytest.raises(NotFound, match="sent or deleted"):
        drop_draft(opened.tracker, 1, None, draft.key)
    assert not verify(opened.tracker).findings


def test_files_are_kept_in_the_mail_and_bounded(opened: House) -> None:
    done, kept = reply(opened.tracker, 1, None, Letter(text="x", files=(Enclosure("../a.txt", "text/plain", b"abc"),)))
    assert [(one.name, one.size) for one in kept.attachments] == [("a.txt", 3)] and done.changed
    with pytest.raises(Refused, match="21 files, and 20 go with one mail"):
        reply(opened.tracker, 1, None, Letter(text="x", files=(Enclosure("a", "", b""),) * 21))
    with pytest.raises(Refused, match=r"20\.0 MB together|20\.1 MB together"):
        reply(opened.tracker, 1, None, Letter(text="x", files=(Enclosure("a", "", b"x" * 20_050_001),)))
