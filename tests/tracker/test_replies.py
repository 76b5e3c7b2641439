import pytest

from eventum.tracker.replies import LATER, NEVER, in_short, meaning


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("550 5.1.1 <novak@posta.example>: Recipient address rejected: User unknown", "no such mailbox"),
        ("550 5.1.10 the domain takes no mail", "no mail at all"),
        ("552 5.2.2 mailbox full", "is full"),
        ("452 4.2.2 mailbox full", "is full"),
        ("552-5.3.4 too large", "too large"),
        ("550 5.7.26 unauthenticated", "its rules forbid it"),
        ("535 5.7.8 wrong password", "General Setup"),
        ("450 4.7.1 greylisted, come back in five minutes", LATER),
        ("451 try later", LATER),
        ("421 4.4.2 bye", "could not be reached"),
        ("554 no", NEVER),
        ("550 5.9.9 odd", NEVER),
    ],
)
def test_a_refusal_is_said_in_plain_words(reply: str, words: str) -> None:
    assert words in meaning(reply)


@pytest.mark.parametrize("reply", ["", "250 2.0.0 Ok", "the connection was lost", "9", "550", "５５０ 5.1.1 no"])
def test_what_is_no_refusal_speaks_for_itself(reply: str) -> None:
    assert meaning(reply) == ""


@pytest.mark.parametrize(
    ("reply", "code", "words", "few"),
    [
        ("552 <a@x>: Quota exceeded", "5.2.2", "The mailbox is full.", "mailbox full"),
        ("", "5.2.2", "The mailbox is full.", "mailbox full"),
        ("550 message looks like spam", "5.7.1", "for spam", "refused as spam"),
        ("550 the mailbox is full", "5.0.0", "The mailbox is full.", "mailbox full"),
        ("452 4.2.2 over quota", "4.2.2", "The mailbox is full.", "mailbox full"),
        ("delivery time expired", "5.4.7", "could not deliver it in time", "tried for too long"),
        ("550 sorry", "5.0.0", NEVER, ""),
    ],
)
def test_the_code_of_a_report_is_believed_before_its_words(reply: str, code: str, words: str, few: str) -> None:
    assert words in meaning(reply, code)
    assert in_short(reply, code) == few
