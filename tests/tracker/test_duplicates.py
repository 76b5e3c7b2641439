"""The same mail again, by whatever way: each case with what becomes of it and why (design 3)."""

from collections.abc import Callable

import pytest

from eventum.issues.accounts import AutoCreation
from eventum.issues.explain import sentences
from eventum.issues.issue import messages
from eventum.tracker import membership
from eventum.tracker.associate import Aim, associate, remove
from eventum.tracker.disposition import Disposition
from eventum.tracker.lately import take_out
from eventum.tracker.membership import ProjectForm
from eventum.tracker.reading import raw_bytes
from tests.house import House, mail

ROOT = mail("Printer", "It burns.", Message_ID="<root@x>")
WAY = b"Received: from elsewhere by here; Sun, 22 Nov 2026 11:00:09 +0000\r\n"
LIST = (
    WAY
    + b"List-Id: <help.lists.example>\r\nPrecedence: list\r\n"
    + mail("[help] Printer", "It burns.\r\n-- \r\nhelp mailing list", Message_ID="<root@x>")
)


def outcomes(told: list[Disposition]) -> list[tuple[str, int]]:
    return [(one.outcome, one.issue) for one in told]


def why(told: list[Disposition]) -> str:
    return told[-1].trace[-1].rule


def decided(told: list[Disposition], table: str = "association") -> str:
    return [row.rule for row in told[-1].trace if row.table == table][-1]


# What comes first, what comes then, what becomes of it, the deciding rule.
AGAIN: list[tuple[str, bytes, bytes, tuple[str, int], str]] = [
    ("the same bytes", ROOT, ROOT, ("duplicate", 1), "same_bytes"),
    ("the same by another way", ROOT, WAY + ROOT, ("duplicate", 0), "same_content"),
    ("with other line ends", ROOT, ROOT.replace(b"\r\n", b"\n"), ("duplicate", 0), "same_content"),
    ("read and flagged by a server", ROOT, b"Status: RO\r\nX-UID: 7\r\n" + ROOT, ("duplicate", 0), "same_content"),
    (
        "no id",
        mail("A", "B", Message_ID=None),
        WAY + mail("A", "B", Message_ID=None),
        ("duplicate", 0),
        "same_content",
    ),
    (
        "an id that is none",
        mail("A", "B", Message_ID="<>"),
        WAY + mail("A", "B", Message_ID="<>"),
        ("duplicate", 0),
        "same_content",
    ),
]


@pytest.mark.parametrize(("first", "again", "outcome", "rule"), [case[1:] for case in AGAIN], ids=[c[0] for c in AGAIN])
def test_the_same_mail_again_is_a_duplicate(
    house: House, first: bytes, again: bytes, outcome: tuple[str, int], rule: str
) -> None:
    house.arrive(first)
    told = len(house.queued())
    found = house.arrive(again)
    assert (outcomes(found), why(found)) == ([outcome], rule)
    assert (house.issue(1).emails, len(house.queued()), list(house.tracker.issues.numbers())) == (1, told, [1])
    assert sentences(found[-1].trace)[-1]


@pytest.mark.parametrize(("first", "again", "outcome", "rule"), [case[1:] for case in AGAIN], ids=[c[0] for c in AGAIN])
def test_so_it_is_within_one_batch(
    house: House, first: bytes, again: bytes, outcome: tuple[str, int], rule: str
) -> None:
    found = house.arrive(first, again)
    # The very same bytes are one entry of the spool.
    expected = [("new_issue", 1)] if rule == "same_bytes" else [("new_issue", 1), outcome]
    assert outcomes(found) == expected
    assert list(house.tracker.issues.numbers()) == [1]


OTHER: list[tuple[str, bytes, bytes]] = [
    ("the same id, another text", ROOT, mail("Printer", "It burns again.", Message_ID="<root@x>")),
    ("the same id, another subject", ROOT, mail("Scanner", "It burns.", Message_ID="<root@x>")),
    ("no id, another text", mail("A", "B", Message_ID=None), mail("A", "C", Message_ID=None)),
    ("no id, another sender", mail("A", "B", Message_ID=None), mail("A", "B", Message_ID=None, From="b@x.example")),
    (
        "no id, another day",
        mail("A", "B", Message_ID=None),
        mail("A", "B", Message_ID=None, Date="Mon, 23 Nov 2026 11:00:00 +0000"),
    ),
    ("another id", ROOT, mail("Printer", "It burns.", Message_ID="<other@x>")),
]


@pytest.mark.parametrize(("first", "then"), [case[1:] for case in OTHER], ids=[case[0] for case in OTHER])
def test_other_content_is_another_mail(house: House, first: bytes, then: bytes) -> None:
    (before,) = house.arrive(first)
    found = house.arrive(then)
    assert outcomes(found) == [("new_issue", 2)]
    same_id = b"<root@x>" in first and b"<root@x>" in then
    assert messages(house.issue(2).events)[0].duplicate_of == (before.key if same_id else "")


def test_an_id_that_was_made_is_the_same_every_time(house: House) -> None:
    raw = mail("A", "B", Message_ID=None)
    (first,) = house.arrive(raw)
    other = house.add_account(addresses=("sales@example.org",))
    (second,) = house.arrive(WAY + raw, account=other)
    assert first.message_id == second.message_id
    assert first.message_id.endswith("@content.invalid>")


def test_one_mail_to_two_accounts_of_a_project_is_a_mail_in_each(house: House) -> None:
    other = house.add_account(addresses=("sales@example.org",))
    assert outcomes(house.arrive(ROOT)) == [("new_issue", 1)]
    assert outcomes(house.arrive(ROOT, account=other)) == [("new_issue", 2)]
    assert outcomes(house.arrive(WAY + ROOT, account=other)) == [("duplicate", 0)]


def test_one_mail_to_two_projects_by_cc_is_an_issue_in_each_and_answers_stay_apart(house: House) -> None:
    sales = membership.save_project(house.tracker, None, ProjectForm(title="Sales", sender_email="sales@example.org"))
    other = house.add_account(addresses=("sales@example.org",), auto_create=AutoCreation(enabled=True))
    other = house.tracker.settings.save_account(
        type(other)(**{**{f: getattr(other, f) for f in other.__struct_fields__}, "project": sales.id})
    )
    raw = mail("Both", "For both.", Cc="sales@example.org", Message_ID="<both@x>")
    assert outcomes(house.arrive(raw)) == [("new_issue", 1)]
    assert outcomes(house.arrive(raw, account=other)) == [("new_issue", 2)]
    assert (house.issue(1).project, house.issue(2).project) == (house.project.id, sales.id)
    answer = mail("Re: Both", "More.", Cc="sales@example.org", In_Reply_To="<both@x>", Message_ID="<a@x>")
    assert outcomes(house.arrive(answer, account=other)) == [("filed", 2)]
    assert outcomes(house.arrive(answer)) == [("filed", 1)]


def test_by_pop3_and_by_imap_of_one_account_it_is_one_mail(house: House) -> None:
    house.arrive(ROOT)
    house.set_account(type="pop3/ssl", host="mail.example.org", port=995, username="help")
    assert outcomes(house.arrive(ROOT)) == [("duplicate", 1)]
    assert outcomes(house.arrive(b"X-UIDL: 1\r\n" + ROOT)) == [("duplicate", 0)]


# By a mailing list


def test_a_copy_by_a_list_goes_where_the_mail_is_and_nobody_is_told_again(house: House) -> None:
    (direct,) = house.arrive(ROOT)
    told = house.told()
    found = house.arrive(LIST)
    assert (outcomes(found), decided(found)) == ([("filed", 1)], "list_copy")
    assert messages(house.issue(1).events)[-1].duplicate_of == direct.key
    assert (house.told(), list(house.tracker.issues.numbers())) == (told, [1])
    assert "Issue 1 has this mail already" in " ".join(sentences(found[-1].trace))


def test_so_it_is_when_the_list_was_faster(house: House) -> None:
    (by_list,) = house.arrive(LIST)
    told = house.told()
    assert outcomes(house.arrive(ROOT)) == [("filed", 1)]
    assert messages(house.issue(1).events)[-1].duplicate_of == by_list.key
    assert house.told() == told


def test_and_within_one_batch(house: House) -> None:
    assert outcomes(house.arrive(ROOT, LIST)) == [("new_issue", 1), ("filed", 1)]


def test_a_copy_by_a_list_gives_a_stranger_no_right(house: House) -> None:
    house.arrive(ROOT)
    told = house.told()
    forged = LIST.replace(b"ana@customer.example", b"eve@evil.example")
    assert outcomes(house.arrive(forged)) == [("blocked", 1)]
    assert house.told() == told


def test_other_mail_of_a_list_opens_issues_as_before(house: House) -> None:
    house.arrive(ROOT)
    assert outcomes(house.arrive(LIST.replace(b"<root@x>", b"<another@x>"))) == [("new_issue", 2)]


# What we sent


def sent(house: House, notice: str) -> bytes:
    """A mail that we sent, as it left us."""
    (entry,) = (one for one in house.queued() if one.posting.type == notice)
    return raw_bytes(entry.path)


def replied(house: House) -> None:
    """Staff answers by mail, which is sent on to the customer."""
    told = house.sent_to("dev@example.org", "new_issue_assigned")
    house.arrive(
        mail("Re: it", "Try this.", From="Dev <dev@example.org>", In_Reply_To=told.message_id, Message_ID="<s@x>")
    )


def stripped(raw: bytes) -> bytes:
    """Without any mark of automatic mail, as a bad relay leaves it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    marks = (b"x-eventum", b"auto-submitted", b"precedence", b"x-auto-response")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(marks)) + b"\r\n\r\n" + body


def by_list(raw: bytes) -> bytes:
    """As a list passes it on: another From, a tag in the subject, a footer, lines of its own."""
    lines = raw.replace(b"\r\nSubject: ", b"\r\nSubject: [team] ").split(b"\r\n")
    own = [b"From: Desk via team <team@lists.example>" if one.startswith(b"From:") else one for one in lines]
    return WAY + b"List-Id: <team.lists.example>\r\n" + b"\r\n".join(own) + b"\r\n_____\r\nteam list\r\n"


@pytest.mark.parametrize("notice", ["acknowledgement", "new_issue_assigned", "email"])
@pytest.mark.parametrize(
    "change",
    [bytes, WAY.__add__, by_list, stripped, lambda raw: by_list(stripped(raw))],
    ids=["same", "way", "list", "bare", "bare-list"],
)
def test_our_own_mail_that_comes_back_opens_nothing_and_tells_nobody(
    house: House, notice: str, change: Callable[[bytes], bytes]
) -> None:
    house.arrive(ROOT)
    replied(house)
    before, told = house.issue(1), house.told()
    found = house.arrive(change(sent(house, notice)))
    assert (outcomes(found), why(found)) == ([("ignored", 0)], "own_notice")
    assert (house.issue(1), house.told(), list(house.tracker.issues.numbers())) == (before, told, [1])


# Again after a person decided


def put_away(house: House, key: str) -> None:
    remove(house.tracker, None, key)


def put_into(house: House, key: str) -> None:
    associate(house.tracker, None, key, Aim(1))


def put_in_and_out(house: House, key: str) -> None:
    associate(house.tracker, None, key, Aim(1))
    take_out(house.tracker, None, 1, key)


@pytest.mark.parametrize("decision", [put_away, put_into, put_in_and_out])
@pytest.mark.parametrize("way", [b"", WAY])
def test_what_a_person_decided_stays_decided(house: House, decision: Callable[[House, str], None], way: bytes) -> None:
    house.arrive(ROOT)
    house.set_account(auto_create=AutoCreation())
    loose = mail("Loose", "What about me?", From="eve@x.example", Message_ID="<loose@x>")
    (waiting,) = house.arrive(loose)
    decision(house, waiting.key)
    house.set_account(auto_create=AutoCreation(enabled=True))
    told, emails = house.told(), house.issue(1).emails
    found = house.arrive(way + loose)
    assert found[0].outcome == "duplicate"
    assert why(found) == ("same_content" if way else "same_bytes")
    assert (house.told(), house.issue(1).emails, list(house.tracker.issues.numbers())) == (told, emails, [1])


def test_a_blocked_mail_that_comes_again_is_a_duplicate(house: House) -> None:
    house.arrive(ROOT)
    eve = mail("Re: x", "Me too", From="eve@evil.example", In_Reply_To="<root@x>", Message_ID="<e@x>")
    assert outcomes(house.arrive(eve)) == [("blocked", 1)]
    assert outcomes(house.arrive(eve)) == [("duplicate", 1)]
    assert outcomes(house.arrive(WAY + eve)) == [("duplicate", 0)]
    assert house.issue(1).notes == 1
