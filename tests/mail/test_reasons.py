import pytest

from eventum.mail.reports.reasons import calls_it_spam, code_in, meant, status_of


@pytest.mark.parametrize(
    ("said", "words", "status"),
    [
        ("5.2.2", "552 mailbox full", "5.2.2"),
        ("5.1.1 (bad destination)", "", "5.1.1"),
        ("05.01.001", "550 no such user", "5.1.1"),
        # Servers say 5.0.0 and mean more: a code in the words, or the words.
        ("5.0.0", "550 5.7.26 unauthenticated", "5.7.26"),
        ("5.0.0", "552 the mailbox is full", "5.2.2"),
        ("5.0.0", "550 no", "5.0.0"),
        ("", "550 sorry, no mailbox here by that name (#5.1.1 - chkusr)", "5.1.1"),
        ("", "452 over quota", "4.2.2"),
        ("", "宛先のメールボックスが一杯です", "5.2.2"),
        ("", "nobody knows", ""),
        ("2.0.0", "250 queued", "2.0.0"),
        # An address of the network is no code.
        ("", "host mx.example [192.5.1.1] said: no", ""),
        ("", "version 5.1.1.7 of the program", ""),
    ],
)
def test_the_code_a_report_means(said: str, words: str, status: str) -> None:
    assert status_of(said, words, failed=True) == status


def test_what_is_not_given_up_is_for_now() -> None:
    assert status_of("", "Connection timed out", failed=False) == "4.4.1"


@pytest.mark.parametrize(
    ("words", "sense"),
    [
        ("550 User unknown in virtual mailbox table", "1.1"),
        ("554 message size exceeds fixed limit", "3.4"),
        ("550 Host or domain name not found", "1.2"),
        ("554 rejected, blocked using a blacklist", "7.1"),
        ("account has been disabled", "2.1"),
        ("too many hops", "4.6"),
        ("", ""),
    ],
)
def test_what_words_mean(words: str, sense: str) -> None:
    assert meant(words) == sense


def test_spam_has_no_code_of_its_own() -> None:
    assert calls_it_spam("550 5.7.1 This looks like SPAM") and not calls_it_spam("550 5.7.1 no relaying")
    assert code_in("550 5.7.1 no relaying") == "5.7.1"
