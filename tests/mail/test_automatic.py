from typing import get_args

import pytest

from eventum.mail.automatic import MAX_HOPS, Origin, classify, marks, may_answer
from eventum.mail.message import Message, parse

SOMEBODY = ("anna@example.org",)


def headers(*pairs: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


@pytest.mark.parametrize("origin", get_args(Origin))
def test_everything_we_mark_is_known_as_ours_when_it_comes_back(origin):
    assert classify(headers(*marks(origin)), SOMEBODY) == ("sent-on" if origin == "no" else "ours")


@pytest.mark.parametrize("origin", get_args(Origin))
def test_ours_stays_ours_through_a_list_and_with_the_null_sender(origin):
    on_the_way = [("Return-Path", "<>"), ("List-Id", "<all.example.org>"), ("Precedence", "list")]
    known = "sent-on" if origin == "no" else "ours"
    assert classify(headers(*on_the_way, *marks(origin)), ("postmaster@example.org",)) == known


def test_what_a_person_wrote_is_not_labelled_automatic():
    assert [name for name, _ in marks("no")] == ["X-Eventum-Loop"]


@pytest.mark.parametrize("origin", ["auto-generated", "auto-replied"])
def test_a_notice_says_that_nobody_should_answer_it(origin):
    written = dict(marks(origin))
    assert written["Auto-Submitted"] == origin
    assert written["Precedence"] == "bulk"
    assert written["X-Auto-Response-Suppress"] == "All"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("Auto-Submitted", "no", ""),
        ("Auto-Submitted", "No (a person)", ""),
        ("Auto-Submitted", "", ""),
        ("Auto-Submitted", "auto-replied", "auto-reply"),
        ("Auto-Submitted", "Auto-Replied (vacation)", "auto-reply"),
        ("Auto-Submitted", "auto-generated; type=cron", "auto-generated"),
        ("Auto-Submitted", "auto-notified", "auto-generated"),
        ("Auto-Submitted", "something-new", "auto-generated"),
        ("X-Auto-Response-Suppress", "All", "auto-generated"),
        ("X-Auto-Response-Suppress", "DR, OOF, AutoReply", "auto-generated"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN", ""),
        ("X-Auto-Response-Suppress", "None", ""),
        ("Precedence", "bulk", "bulk"),
        ("Precedence", "Junk", "bulk"),
        ("Precedence", "list", "list"),
        ("Precedence", "auto_reply", "auto-reply"),
        ("Precedence", "first-class", ""),
        ("List-Id", "Users <users.example.org>", "list"),
        ("X-Autoreply", "yes", "auto-reply"),
        ("X-Autoreply", "no", ""),
        ("X-Autorespond", "Out of office", "auto-reply"),
        ("X-Autoresponder", "MDaemon", "auto-reply"),
        ("X-VacationMessage", "", ""),
        ("X-VacationMessage", "away", "auto-reply"),
        ("X-Cron-Env", "<HOME=/root>", "auto-generated"),
        ("X-Failed-Recipients", "bob@example.net", "bounce"),
        ("Return-Path", "<>", "bounce"),
        ("Return-Path", " <> ", "bounce"),
        ("Return-Path", "<anna@example.org>", ""),
        ("Content-Type", "multipart/report; report-type=delivery-status; boundary=x", "bounce"),
        ("Content-Type", 'Multipart/Report; Report-Type="Delivery-Status"', "bounce"),
        ("Content-Type", "multipart/report; boundary=x", "bounce"),
        ("Content-Type", "multipart/report; report-type=disposition-notification", "auto-reply"),
        ("Content-Type", "multipart/report; report-type=feedback-report", "auto-generated"),
        ("Content-Type", "message/delivery-status", "bounce"),
        ("Content-Type", "multipart/mixed; boundary=report", ""),
        ("X-Eventum-Loop", "anything", "ours"),
        ("Subject", "Out of office", ""),
    ],
)
def test_one_header_says_what_kind_of_mail_it_is(name, value, kind):
    assert classify(headers((name, value)), SOMEBODY) == kind


@pytest.mark.parametrize(
    ("pairs", "senders", "kind"),
    [
        ([], ("MAILER-DAEMON@mx.example.org",), "bounce"),
        ([], ("postmaster@example.org",), "bounce"),
        ([], ("postmaster.general@example.org",), ""),
        ([], (), ""),
        ([("Auto-Submitted", "auto-replied")], ("mailer-daemon@mx.example.org",), "bounce"),
        ([("Auto-Submitted", "auto-replied"), ("Return-Path", "<>")], SOMEBODY, "auto-reply"),
        ([("Auto-Submitted", "no"), ("Auto-Submitted", "auto-replied")], SOMEBODY, "auto-reply"),
        ([("List-Id", "<a.example>"), ("Precedence", "bulk")], SOMEBODY, "list"),
        ([("Received", "from a by b")] * MAX_HOPS, SOMEBODY, ""),
        ([("Received", "from a by b")] * (MAX_HOPS + 1), SOMEBODY, "auto-generated"),
    ],
)
def test_the_surest_sign_decides(pairs, senders, kind):
    assert classify(headers(*pairs), senders) == kind


def message(sender: str = "anna@example.org", *, automatic: str = "", return_path: str | None = None) -> Message:
    return Message(message_id="<1@example.org>", sender=sender, automatic=automatic, return_path=return_path)


@pytest.mark.parametrize("envelope", [None, "anna@example.org", "other@example.org", "bounces+77@sender.example"])
def test_a_person_may_be_answered(envelope):
    assert may_answer(message(), envelope)


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "mailer-daemon@example.org",
        "postmaster@example.org",
        "owner-users@example.org",
        "users-request@example.org",
        "users-bounces@example.org",
        "listserv@example.org",
        "no-reply@example.org",
        "noreply+7@example.org",
        "donotreply@example.org",
    ],
)
def test_a_machine_or_nobody_is_never_answered(sender):
    assert not may_answer(message(sender), None)


@pytest.mark.parametrize("envelope", ["", "mailer-daemon@example.org", "users-bounces@lists.example.org"])
def test_the_envelope_can_forbid_an_answer(envelope):
    assert not may_answer(message(), envelope)


def test_return_path_counts_where_the_envelope_is_not_known():
    assert not may_answer(message(return_path=""), None)
    assert may_answer(message(return_path=""), "anna@example.org")


@pytest.mark.parametrize("kind", ["ours", "bounce", "auto-reply", "auto-generated", "list", "bulk", "sent-on"])
def test_no_kind_of_automatic_mail_is_answered(kind):
    assert not may_answer(message(automatic=kind), None)


def test_a_persons_reply_to_a_notice_is_not_taken_for_ours_though_it_quotes_one():
    reply = parse(
        b"Return-Path: <anna@example.org>\r\nFrom: Anna <anna@example.org>\r\nSubject: Re: [#42] It burns\r\n"
        b"In-Reply-To: <eventum.42.3.tag.mac@tracker.example.org>\r\nMessage-ID: <2@example.org>\r\n"
        b"Date: Sun, 22 Nov 2026 15:00:53 +0000\r\n\r\n"
        b"Thank you.\r\n> Auto-Submitted: auto-generated\r\n> X-Eventum-Loop: auto-generated\r\n"
    )
    assert reply.automatic == ""
    assert may_answer(reply, None)
