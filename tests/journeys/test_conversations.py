"""A customer writes, is thanked, and everybody's answer comes into the issue: over every way mail is fetched."""

import pytest

from tests.journeys.clients import CLIENTS, Answer, Answered, answered, gmail, letter, outlook
from tests.journeys.team import ANA, BOSS, DEE, HELP, Team, decided, got
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import Sink

WAYS = ["imap/notls", "imap/ssl", "imap/tls", "pop3/notls", "pop3/ssl", "pop3/tls"]
OPENS = ("--auto-create", "--category", "Repair", "--priority", "High", "--assign", DEE)
ORIGINAL = "<CAFx7+Mixed_Case@mail.customer.example>"


def from_ana(subject: str = "No picture", message_id: str = ORIGINAL, *more: str) -> bytes:
    return letter(f"Ana Costa <{ANA}>", f"Help <{HELP}>", subject, message_id, *more)


@pytest.mark.parametrize("way", WAYS)
def test_every_answer_of_every_program_finds_its_issue(
    team: Team, dovecot: Dovecot, trust: Certificates, sink: Sink, way: str
) -> None:
    user = dovecot.user()
    team.account(dovecot, user, *OPENS, type=way)
    dovecot.deliver(user, from_ana())

    assert team.fetch() == {"downloaded": 1, "new_issue": 1}
    issue = team.issue(1)
    assert (issue["summary"], issue["reporter"], issue["assignees"]) == ("No picture", ANA, [DEE])
    assert (issue["category"], issue["priority"], issue["status"]) == ("Repair", "High", "new")
    assert decided(issue["messages"][0]["trace"], "association") == ("new", "new_issue")
    assert decided(issue["messages"][0]["trace"], "acknowledgement") == ("thanks", "acknowledged")

    assert team.send() == {"sent": 3, "deferred": 0, "failed": 0, "remaining": 0, "error": None}
    boxes = got(sink)
    assert {address: [mail.subject for mail in mails] for address, mails in boxes.items()} == {
        ANA: ["[#1] Issue Created: No picture"],
        DEE: ["[#1] New Issue Assigned: No picture"],
        BOSS: ["[#1] New Issue: No picture"],
    }
    # Nobody's server must answer an acknowledgement.
    assert [mail.sender for mail in sink.received if mail.recipients == (ANA,)] == [""]

    answers = answers_to(boxes[ANA][0], boxes[DEE][0], answered(from_ana()))
    dovecot.deliver(user, *answers.values())
    assert team.fetch() == {"downloaded": len(answers), "filed": len(answers)}
    messages = team.messages(1)
    assert set(messages) == {ORIGINAL, *answers}
    for message_id in answers:
        message = messages[message_id]
        assert (message["kind"], message["blocked"]) == ("email", None)
        assert decided(message["trace"], "association") == ("headers", "email:1")
        assert decided(message["trace"], "admission")[1] == "accepted"
    assert len(team.ask("issues", "list")) == 1
    assert team.fetch() == {}


def answers_to(thanks: Answered, notice: Answered, original: Answered) -> dict[str, bytes]:
    """An answer of each program to each of these mails, by its Message-ID; Dee answers the notice, Ana the others."""
    answers: dict[str, bytes] = {}
    for name, write in CLIENTS.items():
        for what, mail, who in (("thanks", thanks, ANA), ("notice", notice, DEE), ("original", original, ANA)):
            # Ids of ours survive small letters; whoever made another's id may mean two mails by its two spellings.
            if (name, what) != ("lower-casing", "original"):
                message_id = f"<{name}.{what}@client.example>"
                answers[message_id] = write(mail, Answer(who, message_id))
    return answers


def test_a_conversation_goes_back_and_forth(team: Team, dovecot: Dovecot, sink: Sink) -> None:
    user = dovecot.user()
    team.account(dovecot, user, *OPENS)
    dovecot.deliver(user, from_ana())
    team.fetch()
    team.send()
    for turn, (who, other, write) in enumerate(((DEE, ANA, gmail), (ANA, DEE, outlook)) * 2):
        before = got(sink)[who][-1]
        dovecot.deliver(user, write(before, Answer(who, f"<turn.{turn}@client.example>")))
        assert team.fetch() == {"downloaded": 1, "filed": 1}
        assert team.send()["sent"] == 1
        after = got(sink)[other][-1]
        # What went out is the mail itself, from the issue's address, in the same conversation.
        assert sink.received[-1].recipients == (other,)
        assert b"Thank you, it works now." in sink.received[-1].data
        assert after.sender == HELP and after.subject.startswith("[#1] ")
        assert ORIGINAL in after.references
    assert team.issue(1)["emails"] == 5


def test_an_answer_to_a_mail_that_waited_brings_it_along(team: Team, dovecot: Dovecot) -> None:
    user = dovecot.user()
    account = team.account(dovecot, user)
    dovecot.deliver(user, from_ana())
    assert team.fetch() == {"downloaded": 1, "unassociated": 1}
    team.done("accounts", "set", account, "--auto-create")
    dovecot.deliver(user, gmail(answered(from_ana()), Answer(ANA, "<later@customer.example>")))
    assert team.fetch() == {"downloaded": 1, "new_issue": 1}
    assert list(team.messages(1)) == [ORIGINAL, "<later@customer.example>"]
    assert team.ask("emails", "list") == []


def test_question_and_answer_of_one_fetch_come_to_one_issue(team: Team, dovecot: Dovecot) -> None:
    user = dovecot.user()
    team.account(dovecot, user, *OPENS)
    dovecot.deliver(user, from_ana(), gmail(answered(from_ana()), Answer(ANA, "<later@customer.example>")))
    assert team.fetch() == {"downloaded": 2, "new_issue": 1, "filed": 1}
    assert list(team.messages(1)) == [ORIGINAL, "<later@customer.example>"]


def test_the_same_mail_again_is_set_aside(team: Team, dovecot: Dovecot) -> None:
    user = dovecot.user()
    team.account(dovecot, user, *OPENS)
    mail = from_ana()
    dovecot.deliver(user, mail)
    team.fetch()
    # The same bytes, and the same mail by another way through the world.
    dovecot.deliver(user, mail, b"Received: from b by c; Sun, 22 Nov 2026 10:00:00 +0000\r\n" + mail)
    assert team.fetch() == {"downloaded": 2, "duplicate": 2}
    assert team.issue(1)["emails"] == 1
