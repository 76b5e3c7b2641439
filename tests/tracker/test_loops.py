"""Mail that answers mail: bounces, absence notices, other trackers, programs that say nothing of themselves."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.issues.settings import AddressRouting
from eventum.mail.envelope import Envelope
from eventum.mail.message import parse
from eventum.runners.incoming import Incoming
from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from eventum.tracker.reading import raw_bytes
from tests.house import House, mail

REPORT = """\
--b\r\nContent-Type: text/plain\r\n\r\nI could not deliver it.\r\n
--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n
--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {id}\r\nSubject: it\r\n\r\nit\r\n--b--"""
GIVEN_BACK = "This is the mail system. I could not deliver it:\r\n\r\nMessage-ID: {id}\r\nSubject: it\r\n\r\nit"
SAYS_SO = {"Content_Type": "multipart/report; report-type=delivery-status; boundary=b", "MIME_Version": "1.0"}
SYSTEM = "Mail Delivery System <noreply@mx.example>"

# A name, the text, the headers; {id} is that of the notice that came back.
BOUNCES: dict[str, tuple[str, dict[str, str]]] = {
    "as it should be": (REPORT, {"From": "MAILER-DAEMON@mx.example", "Return_Path": "<>", **SAYS_SO}),
    "its type alone": (REPORT, {"From": SYSTEM, **SAYS_SO}),
    "Exim": ("Given up.", {"From": "Mailer <m@mx.example>", "X_Failed_Recipients": "ana@customer.example"}),
    "its sender alone": ("Given up.", {"From": "MAILER-DAEMON (Mail) <mailer-daemon@mx.example>"}),
    "the postmaster": ("Given up.", {"From": "Postmaster <postmaster@mx.example>"}),
    "the null sender alone": ("Given up.", {"From": SYSTEM, "Return_Path": "<>"}),
    "Postfix's null sender": ("Given up.", {"From": SYSTEM, "Return_Path": "MAILER-DAEMON"}),
    "called automatic": ("Given up.", {"From": SYSTEM, "Auto_Submitted": "auto-replied"}),
    "nothing but our Message-ID": (GIVEN_BACK, {"From": SYSTEM}),
    "an answer to our notice": ("Given up.", {"From": "mailer-daemon@mx.example", "In_Reply_To": "{id}"}),
    "a subject of its own": (GIVEN_BACK, {"From": "root@mx.example", "Subject": "failure notice"}),
}
ABSENT: dict[str, dict[str, str]] = {
    "RFC 3834": {"Auto_Submitted": "auto-replied (vacation)"},
    "old programs": {"Precedence": "junk"},
    "Outlook": {"X_Auto_Response_Suppress": "All"},
    "Lotus": {"X_Autorespond": "yes"},
    "the null sender": {"Return_Path": "<>"},
}


@pytest.fixture
def house(house: House) -> House:
    """The house with addresses for issues and one issue of Ana's that staff was told of."""
    routing = AddressRouting(enabled=True, prefix="issue-", host="example.org")
    general = msgspec.structs.replace(house.tracker.settings.general(), email_routing=routing)
    house.tracker.settings.save_general(general)
    house.set_account(routing=True)
    house.arrive(mail(Message_ID="<root@x>"))
    return house


def answered(house: House, recipient: str, notice: str, text: str, **headers: str) -> bytes:
    """A program's answer to one of our notices."""
    told = house.sent_to(recipient, notice)
    filled = {name: value.replace("{id}", told.message_id) for name, value in headers.items()}
    return mail(filled.pop("Subject", "Undelivered"), text.replace("{id}", told.message_id), **filled)


@pytest.mark.parametrize("to", ["help@example.org", "issue-1@example.org"])
@pytest.mark.parametrize(("text", "headers"), BOUNCES.values(), ids=BOUNCES.keys())
def test_a_bounce_of_a_notice_opens_nothing_and_tells_nobody(
    house: House, text: str, headers: dict[str, str], to: str
) -> None:
    told = house.told()
    bounce = answered(house, "ana@customer.example", "acknowledgement", text, To=to, Message_ID="<b@mx>", **headers)
    (found,) = house.arrive(bounce)
    assert found.outcome in ("unassociated", "blocked")
    assert (house.told(), list(house.tracker.issues.numbers())) == (told, [1])


@pytest.mark.parametrize("to", ["help@example.org", "issue-1@example.org"])
@pytest.mark.parametrize("headers", ABSENT.values(), ids=ABSENT.keys())
def test_somebody_who_is_away_is_not_answered_and_tells_nobody(house: House, headers: dict[str, str], to: str) -> None:
    told = house.told()
    reply = answered(
        house,
        "ana@customer.example",
        "acknowledgement",
        "Away.",
        To=to,
        In_Reply_To="{id}",
        Message_ID="<v@x>",
        **headers,
    )
    assert house.arrive(reply)[0].outcome == "blocked"
    alone = mail("Away", "Away until May.", To="help@example.org", Message_ID="<w@x>", **headers)
    assert house.arrive(alone)[0].outcome == "unassociated"
    assert house.told() == told


def test_a_null_sender_that_only_the_envelope_tells_of_is_a_bounce(house: House) -> None:
    told = house.told()
    envelope = Envelope(destination=house.account.id, received=house.now, sender="", recipients=("help@example.org",))
    house.tracker.spool.accept([(envelope, mail("Undelivered", "Given up.", From=SYSTEM, Message_ID="<n@mx>"))])
    outcomes: list[str] = []
    Incoming(house.tracker, lambda one: outcomes.append(one.outcome)).work()
    assert (outcomes, house.told()) == (["unassociated"], told)


def test_a_person_who_quotes_our_header_in_an_answer_is_a_person(house: House) -> None:
    text = f"> Message-ID: {house.sent_to('ana@customer.example', 'acknowledgement').message_id}\r\nWhat is this?"
    assert house.arrive(mail("What?", text, Message_ID="<q@x>"))[0].outcome == "new_issue"


def test_what_goes_round_and_round_opens_nothing(house: House) -> None:
    hops = "".join(f"Received: from a{n} by b{n}; Sun, 22 Nov 2026 11:00:00 +0000\r\n" for n in range(60))
    assert house.arrive(hops.encode() + mail("Round", Message_ID="<r@x>"))[0].outcome == "unassociated"


# Two trackers


def stripped(raw: bytes) -> bytes:
    """As a bad relay leaves it: no mark says that a program wrote it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    marks = (b"x-eventum", b"auto-submitted", b"precedence", b"x-auto-response")
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(marks)) + b"\r\n\r\n" + body


def forgetful(raw: bytes) -> bytes:
    """And as a mail of its own, that answers nothing."""
    head, _, body = stripped(raw).partition(b"\r\n\r\n")
    threads = (b"in-reply-to", b"references")
    return b"\r\n".join(one for one in head.split(b"\r\n") if not one.lower().startswith(threads)) + b"\r\n\r\n" + body


def sent(house: House) -> list[tuple[str, int, str, bytes]]:
    """What waits to be sent: notice, issue, recipient, bytes; it is sent now."""
    found = []
    for entry in house.tracker.outbox.due():
        claimed = house.tracker.outbox.claim(entry)
        assert claimed is not None
        posting, data = house.tracker.outbox.read(claimed)
        found.append((posting.type, posting.issue, posting.recipient, data))
        house.tracker.outbox.sent(claimed, "250 ok")
    return found


@pytest.mark.parametrize("relay", [bytes, stripped, forgetful])
def test_two_trackers_that_write_to_each_other_come_to_rest(tmp_path: Path, relay: Callable[[bytes], bytes]) -> None:
    houses = [House(tmp_path / "a"), House(tmp_path / "b")]
    for house, name in zip(houses, "ab", strict=True):
        address = f"help@{name}.example"
        membership.save_project(house.tracker, house.project.id, ProjectForm(title="Help desk", sender_email=address))
        house.set_account(addresses=(address,))
    first = mail("Hello", "From one desk to another.", From="help@b.example", To="help@a.example", Message_ID="<1@b>")
    waiting, automatic = {0: [first], 1: []}, Counter[tuple[str, int, str]]()
    for _ in range(60):
        for at, house in enumerate(houses):
            house.now += timedelta(minutes=1)
            arrived, waiting[at] = waiting[at], []
            if arrived:
                house.arrive(*arrived)
            for notice, issue, recipient, data in sent(house):
                other = 1 - at
                if recipient == f"help@{'ab'[other]}.example":
                    automatic[notice, issue, "ab"[at]] += 1
                    waiting[other].append(relay(data))
    for house in houses:
        house.tracker.close()
    # At most one for an address, an issue and an hour; and not one issue after the other either.
    assert all(count == 1 for count in automatic.values())
    assert sum(automatic.values()) <= 11
    assert waiting == {0: [], 1: []}


def test_two_robots_on_one_list_are_stopped_by_the_fuse_and_all_they_wrote_is_kept(house: House) -> None:
    from eventum.tracker.acting import act
    from eventum.tracker.work import Changes, Work

    robots = ("robot@one.example", "robot@two.example")

    def verb(changed: Changes, work: Work) -> None:
        from eventum.issues import changes
        from eventum.issues.issue import Subscription

        for address in robots:
            work.issue = changes.subscribed(work.issue, Subscription(address, actions=("emails",)), changed.now)
            work.issue = changes.replier_added(work.issue, address, changed.now)

    act(house.tracker, 1, verb)
    written, passed_on = 1, 0
    waiting = [mail("Re: it", "Beep 0", From=robots[0], In_Reply_To="<root@x>", Message_ID="<r0@x>")]
    for _ in range(60):
        house.now += timedelta(minutes=1)
        arrived, waiting = waiting, []
        if arrived:
            house.arrive(*arrived)
        for notice, _, recipient, data in sent(house):
            if notice == "email" and recipient in robots:
                passed_on += 1
                answer = mail("Re: it", f"Beep {written}", From=recipient, Message_ID=f"<r{written}@x>")
                waiting.append(f"In-Reply-To: {parse(data).message_id}\r\n".encode() + answer)
                written += 1
    assert passed_on <= 2 * 20
    assert waiting == []
    assert house.issue(1).emails == 1 + written
    assert 1 <= house.tracker.outbox.count()["held"] <= 2 * 20
    assert raw_bytes(next(iter(house.tracker.outbox.entries("held"))).path)
