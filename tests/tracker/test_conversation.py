"""An issue as one conversation: what is shown to whom, in which order, and what it costs."""

from datetime import timedelta
from typing import Any

import pytest

from eventum.errors import NotFound
from eventum.issues.people import User
from eventum.store import files
from eventum.tracker import change, correspond, subscribe
from eventum.tracker.conversation import Conversation, Part, Story, conversation
from eventum.tracker.correspond import Letter
from eventum.tracker.message_view import Message
from eventum.tracker.opening import NewIssue, open_issue
from tests.house import House, mail


@pytest.fixture
def opened(house: House) -> House:
    house.arrive(mail(text="It burns.\n\n-- \nAna\n", Message_ID="<root@customer.example>"))
    return house


def shown(house: House, viewer: User | None = None, **part: int) -> Conversation:
    return conversation(house.tracker, 1, viewer or house.dev, Part(**part))


def messages(found: Conversation) -> list[Message]:
    return [one for one in found.items if isinstance(one, Message)]


def stories(found: Conversation) -> list[list[str]]:
    return [[step.phrase for step in one.steps] for one in found.items if isinstance(one, Story)]


def many(house: House, count: int) -> None:
    """An issue with so many mails of Ana."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    for first in range(1, count, 50):
        house.arrive(
            *(
                mail(f"Re: fire {one}", text=f"mail {one}", In_Reply_To="<root@customer.example>")
                for one in range(first, min(first + 50, count))
            )
        )


def test_the_mail_that_opened_it_comes_first_with_its_reason_and_its_signature_folded(opened: House) -> None:
    found = shown(opened)
    (first,) = messages(found)
    assert (first.name, first.address, first.verified, first.is_staff) == (
        "Ana",
        "ana@customer.example",
        "unverified",
        False,
    )
    assert [(piece.kind, piece.folded) for piece in first.pieces] == [("text", False), ("signature", True)]
    assert "opens an issue" in first.why and any(row.decided for row in first.reasons)
    assert (found.earlier, found.later, found.staff) == (0, 0, True)


def test_what_happened_between_two_messages_is_one_story(opened: House) -> None:
    change.edit(opened.tracker, 1, "dev@example.org", change.Edit("priority", "High", "Low"))
    change.assign(opened.tracker, 1, "dev@example.org", ["admin@example.org"])
    correspond.reply(opened.tracker, 1, "dev@example.org", Letter(text="We come."))
    change.close(opened.tracker, 1, "dev@example.org")
    found = shown(opened)
    assert [one.kind for one in messages(found)] == ["email", "email"]
    assert [type(one) for one in found.items] == [Story, Message, Story, Message, Story]
    assert stories(found)[1][:2] == ["priority Low", "assigned to Ada"]
    assert stories(found)[2] == ["closed"]


def test_an_issue_opened_by_hand_begins_with_its_description(house: House) -> None:
    open_issue(house.tracker, "dev@example.org", NewIssue(project="Help desk", summary="x", description="The story."))
    (first,) = messages(shown(house))
    assert (first.kind, first.pieces[0].text, first.is_staff) == ("description", "The story.", True)


def test_who_is_not_staff_sees_what_is_public_and_nothing_of_the_rest(opened: House) -> None:
    rep = opened.user("rep", role="reporter")
    correspond.note(opened.tracker, 1, "dev@example.org", Letter(text="Secret."))
    correspond.keep_draft(opened.tracker, 1, "dev@example.org", Letter(text="Not yet."))
    opened.arrive(mail("Re: fire", From="Eve <eve@else.example>", In_Reply_To="<root@customer.example>"))
    subscribe.subscribe(opened.tracker, 1, "dev@example.org", "bo@x.example")
    change.close(opened.tracker, 1, "dev@example.org", "done")
    everything, public = shown(opened), shown(opened, rep)
    assert [one.kind for one in messages(everything)] == ["email", "note", "draft", "note"]
    assert [one.kind for one in messages(public)] == ["email"]
    said = " ".join(step.sentence for one in public.items if isinstance(one, Story) for step in one.steps)
    assert "Closed: done" in said and "bo@x.example" not in said and "list" not in said and "Secret" not in said
    assert not public.staff


def test_who_has_no_role_is_told_that_there_is_nothing(opened: House) -> None:
    eve = opened.user("eve", role="")
    with pytest.raises(NotFound, match="There is no issue 1"):
        shown(opened, eve)
    with pytest.raises(NotFound, match="There is no issue 2"):
        conversation(opened.tracker, 2, opened.dev)


def test_a_blocked_mail_says_why_and_that_it_waits(opened: House) -> None:
    opened.arrive(mail("Re: fire", From="Eve <eve@else.example>", In_Reply_To="<root@customer.example>"))
    blocked = messages(shown(opened))[-1]
    assert (blocked.blocked, blocked.waits, blocked.kind) == ("the sender may not mail this issue", True, "note")


def test_a_draft_shows_until_it_is_sent_and_leaves_no_story(opened: House) -> None:
    _, draft = correspond.keep_draft(opened.tracker, 1, "dev@example.org", Letter(text="Dear Ana"))
    assert messages(shown(opened))[-1].kind == "draft"
    correspond.reply(
        opened.tracker, 1, "admin@example.org", Letter(text="Dear Ana!"), form=correspond.Once(draft=draft.key)
    )
    found = shown(opened)
    assert [one.kind for one in messages(found)] == ["email", "email"]
    assert not any("draft" in phrase or "taken" in phrase for story in stories(found) for phrase in story)


def test_what_became_of_a_sent_mail_stands_below_it(opened: House) -> None:
    correspond.reply(opened.tracker, 1, "admin@example.org", Letter(text="We come."))
    sent = messages(shown(opened))[-1]
    assert {(line.recipient, line.status) for line in sent.delivery} == {
        ("ana@customer.example", "pending"),
        ("dev@example.org", "pending"),
    }
    outbox = opened.tracker.outbox
    for entry in outbox.due():
        claimed = outbox.claim(entry)
        assert claimed
        posting, _ = outbox.read(claimed)
        if posting.recipient == "ana@customer.example":
            outbox.defer(claimed, "451 4.7.1 greylisted")
        else:
            outbox.sent(claimed, "250 2.0.0 queued as 4F2C91")
    lines = {line.recipient: line for line in messages(shown(opened))[-1].delivery}
    assert (lines["dev@example.org"].status, lines["dev@example.org"].reply) == ("sent", "250 2.0.0 queued as 4F2C91")
    greylisted = lines["ana@customer.example"]
    assert (greylisted.status, greylisted.reply) == ("deferred", "451 4.7.1 greylisted")
    assert greylisted.when and greylisted.next_attempt == greylisted.when + timedelta(minutes=1)


def test_a_mail_whose_file_is_gone_is_still_shown(opened: House) -> None:
    for path in (opened.root / "cache" / "readings").rglob("*.json"):
        path.unlink()
    for path in (opened.root / "data" / "issues" / "0" / "1" / "mail" / "cur").iterdir():
        path.unlink()
    (first,) = messages(shown(opened))
    assert first.missing and first.subject == "The printer is on fire"


def test_of_a_long_issue_the_newest_part_is_shown_and_the_rest_on_demand(house: House) -> None:
    many(house, 130)
    newest = shown(house)
    assert len(messages(newest)) == 20 and newest.later == 0 and newest.earlier
    seen = [one.number for one in messages(newest)]
    before = newest.earlier
    while before:
        part = shown(house, before=before)
        numbers = [one.number for one in messages(part)]
        assert numbers and numbers[-1] < before == part.later
        seen[:0], before = numbers, part.earlier
    assert len(seen) == 130 and seen == sorted(set(seen))
    middle = shown(house, since=seen[50])
    assert [one.number for one in messages(middle)] == seen[50:70] and (middle.earlier, middle.later) == (
        seen[50],
        seen[70],
    )


def test_the_newest_part_reads_no_history_and_no_mail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    many(house, 130)
    opened: list[str] = []
    read = files.read

    def counted(path: Any) -> bytes:
        opened.append(str(path))
        return read(path)

    monkeypatch.setattr(files, "read", counted)
    shown(house)
    assert sum("/readings/" in path for path in opened) == 20
    assert not [path for path in opened if "/history/" in path or "/mail/" in path]
