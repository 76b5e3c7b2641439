"""What reports say of mails we sent: the queue's entry, the issue, and nobody's mailbox."""

from datetime import UTC, datetime

import pytest

from eventum.issues.events import DeliveryFailed, Filed
from eventum.issues.issue import messages
from eventum.mail.envelope import Envelope
from eventum.mail.message import parse
from eventum.store.sendings import Queued
from eventum.tracker import queues
from eventum.tracker.correspond import Letter, reply
from eventum.tracker.ground import Arrival
from eventum.tracker.receive import receive
from tests.house import House, mail

ANA, BO = "ana@customer.example", "bo@customer.example"
DAEMON = "MAILER-DAEMON@mx.customer.example (Mail Delivery System)"


def dsn(about: str, *groups: str, to: str = "help@example.org", ident: str = "<b1@mx.customer.example>") -> bytes:
    """A report as Postfix writes it, of the mail with that Message-ID, with these groups of fields."""
    fields = "\r\n\r\n".join(groups)
    text = (
        f"--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you.\r\n\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{fields}\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: help@example.org\r\nMessage-ID: {about}\r\n\r\n--b--"
    )
    return mail(
        "Undelivered Mail Returned to Sender",
        text,
        From=DAEMON,
        To=to,
        Message_ID=ident,
        MIME_Version="1.0",
        Auto_Submitted="auto-replied",
        Content_Type='multipart/report; report-type=delivery-status; boundary="b"',
    )


def group(address: str = ANA, action: str = "failed", status: str = "5.2.2", words: str = "552 mailbox full") -> str:
    return (
        f"Final-Recipient: rfc822; {address}\r\nOriginal-Recipient: rfc822;{address}\r\nAction: {action}\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; {words}"
    )


def receipt(about: str) -> bytes:
    text = (
        "--b\r\nContent-Type: text/plain\r\n\r\nIt was displayed.\r\n--b\r\n"
        "Content-Type: message/disposition-notification\r\n\r\n"
        f"Final-Recipient: rfc822;{ANA}\r\nOriginal-Message-ID: {about}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--"
    )
    kind = 'multipart/report; report-type=disposition-notification; boundary="b"'
    return mail("Read: your mail", text, Message_ID="<r@x>", MIME_Version="1.0", Content_Type=kind)


@pytest.fixture
def house(house: House) -> House:
    """An issue of Ana's; Dev's answer to her and Bo was taken by the mail server."""
    house.arrive(mail(Message_ID="<root@x>"))
    reply(house.tracker, 1, "dev@example.org", Letter(text="Dear Ana", cc=(BO,)))
    outbox = house.tracker.outbox
    for entry in outbox.due():
        claimed = outbox.claim(entry)
        assert claimed is not None
        outbox.sent(claimed, "250 2.0.0 Ok: queued as 4AB12")
    return house


def entry_of(house: House, address: str = ANA, kind: str = "email") -> Queued:
    (entry,) = (e for e in house.tracker.outbox.entries() if (e.posting.recipient, e.posting.type) == (address, kind))
    return entry


def failures(house: House) -> list[DeliveryFailed]:
    return [event.what for event in house.issue(1).events if isinstance(event.what, DeliveryFailed)]


def states(house: House) -> set[str]:
    return {entry.status for entry in house.tracker.outbox.entries()}


def test_a_mail_that_comes_back_is_failed_in_the_queue_and_on_its_issue(house: House) -> None:
    about = entry_of(house).posting.message_id
    (found,) = house.arrive(dsn(about, group()))
    entry = entry_of(house)
    assert (found.outcome, found.issue, entry.status, entry.attempts) == ("blocked", 1, "failed", 1)
    said = entry.log[-1]
    assert (said.word, said.code, said.reply, said.report) == ("failed", "5.2.2", "552 mailbox full", found.key)
    assert failures(house) == [DeliveryFailed(ANA, about, "552 mailbox full", "5.2.2", found.key)]
    assert entry_of(house, BO).status == "sent"
    assert house.told() == []


def test_it_waits_for_nobody(house: House) -> None:
    house.arrive(dsn(entry_of(house).posting.message_id, group()))
    issue = house.issue(1)
    (report,) = (one for one in messages(issue.events) if one.blocked)
    assert (report.blocked, report.handled, report.waits, issue.blocked) == ("bounce", "reported", False, 0)


def test_it_can_be_sent_again_when_the_mailbox_has_room(house: House) -> None:
    house.arrive(dsn(entry_of(house).posting.message_id, group()))
    queues.retry(house.tracker, entry_of(house).id)
    assert house.told() == [("email", ANA)]


def test_the_same_report_again_changes_nothing(house: House) -> None:
    about = entry_of(house).posting.message_id
    house.arrive(dsn(about, group()), dsn(about, group()), dsn(about, group(), ident="<b2@mx>"))
    assert (len(failures(house)), len(entry_of(house).log)) == (1, 2)


def test_a_delay_leaves_it_sent_and_says_how_long_it_is_tried(house: House) -> None:
    until = "Will-Retry-Until: Fri, 27 Nov 2026 11:00:00 +0000"
    about = entry_of(house).posting.message_id
    house.arrive(dsn(about, f"{group(action='delayed', status='4.4.1', words='connection timed out')}\r\n{until}"))
    entry = entry_of(house)
    said = entry.log[-1]
    assert (entry.status, said.word, said.code) == ("sent", "delayed", "4.4.1")
    assert (said.until, failures(house)) == (datetime(2026, 11, 27, 11, tzinfo=UTC), [])


def test_a_receipt_says_that_it_was_read(house: House) -> None:
    (found,) = house.arrive(receipt(entry_of(house).posting.message_id))
    entry = entry_of(house)
    assert (found.outcome, entry.status, entry.log[-1].word) == ("blocked", "sent", "read")
    assert (failures(house), house.told(), house.issue(1).blocked) == ([], [], 0)


def test_a_bounce_of_a_notice_for_staff_is_known_by_his_tag_though_the_report_names_another(house: House) -> None:
    entry = entry_of(house, "dev@example.org", "new_issue_assigned")
    house.arrive(dsn(entry.posting.message_id, group("dev@mailbox.inside.example")))
    assert entry_of(house, "dev@example.org", "new_issue_assigned").status == "failed"
    assert [one.recipient for one in failures(house)] == ["dev@example.org"]
    assert (list(house.tracker.issues.numbers()), house.told()) == ([1], [])


def tampered(read: str) -> str:
    """The same id with one letter of its HMAC changed."""
    head, at, host = read.partition("@")
    return f"{head[:-1]}{'a' if head[-1] != 'a' else 'b'}{at}{host}"


FORGED = ("another HMAC", "the id of the issue's own mail", "the Message-ID of a customer", "no id at all")


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_report_changes_nothing(house: House, how: str) -> None:
    written = next(one for one in messages(house.issue(1).events) if one.outgoing)
    ids = dict(
        zip(FORGED, (tampered(entry_of(house).posting.message_id), written.message_id, "<root@x>", ""), strict=True)
    )
    house.arrive(dsn(ids[how], group()))
    assert (states(house), failures(house), house.told()) == ({"sent"}, [], [])
    assert list(house.tracker.issues.numbers()) == [1]


def test_a_report_of_one_recipient_says_nothing_of_another(house: House) -> None:
    house.arrive(dsn(entry_of(house, BO).posting.message_id, group(ANA)))
    assert (entry_of(house, ANA).status, entry_of(house, BO).status) == ("sent", "failed")


def test_of_an_entry_that_was_cleared_away_only_the_issue_is_told(house: House) -> None:
    entry = entry_of(house)
    house.tracker.outbox.forget(entry.id)
    house.arrive(dsn(entry.posting.message_id, group()))
    assert (len(failures(house)), house.tracker.outbox.log(entry.id)) == (1, ())


def test_who_reports_of_his_mail_again_and_again_fills_no_log(house: House) -> None:
    about = entry_of(house).posting.message_id
    house.arrive(*(dsn(about, group(words=f"552 {n}"), ident=f"<{n}@mx>") for n in range(30)))
    assert (len(entry_of(house).log), len(failures(house))) == (21, 1)


def test_a_vacation_answer_is_filed_as_what_it_is(house: House) -> None:
    about = entry_of(house).posting.message_id
    away = mail("Away", "I am out of the office.", Auto_Submitted="auto-replied", In_Reply_To=about, Message_ID="<v@x>")
    (found,) = house.arrive(away)
    (filing,) = (one for one in messages(house.issue(1).events) if one.key == found.key)
    assert (found.outcome, filing.blocked, filing.waits) == ("blocked", "automatic", True)
    assert (len(entry_of(house).log), failures(house)) == (1, [])


def test_a_run_that_died_after_the_log_was_written_hears_it_once(house: House) -> None:
    about = entry_of(house).posting.message_id
    (found,) = house.arrive(dsn(about, group()))
    said = entry_of(house).log[-1]
    # As it is when the run dies before the records appear, and the mail is decided anew.
    for _ in range(2):
        house.tracker.outbox.heard(entry_of(house).id, said)
    assert (entry_of(house).status, len(entry_of(house).log)) == ("failed", 2)
    filed = [event for event in house.issue(1).events if isinstance(event.what, Filed)]
    assert sum(event.what.message.key == found.key for event in filed if isinstance(event.what, Filed)) == 1


def test_a_dry_run_tells_nobody(house: House) -> None:
    raw = dsn(entry_of(house).posting.message_id, group())
    envelope = Envelope(destination=house.account.id, received=house.now)
    arrival = Arrival(key="k" * 64, path="", envelope=envelope, message=parse(raw))
    (found,) = receive(house.tracker, [arrival], dry_run=True)
    assert (found.outcome, states(house), failures(house)) == ("blocked", {"sent"}, [])
