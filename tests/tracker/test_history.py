from datetime import UTC, datetime
from typing import get_args

import pytest

from eventum.issues.events import (
    Assigned,
    Changed,
    Closed,
    DeliveryFailed,
    Event,
    Filed,
    Filing,
    Opened,
    Reopened,
    ReplierAdded,
    ReplierRemoved,
    StatusChanged,
    Subscribed,
    TakenOut,
    Unassigned,
    Undone,
    Unsubscribed,
    What,
)
from eventum.issues.people import People, User
from eventum.mail.address import Address
from eventum.tracker.history import history, phrase, sentence

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DEE = User(id="u1", email="dee@example.org", name="Dee", created=NOW)
PEOPLE = People([DEE], [])


def filing(**fields: object) -> Filing:
    values = {
        "key": "k",
        "kind": "email",
        "message_id": "<m>",
        "from_": Address("Ana", "ana@x.example"),
        "received": NOW,
    }
    return Filing(**{**values, "subject": "Fire", **fields})  # type: ignore[arg-type]


SAID = [
    (Opened(), "The issue was opened."),
    (Opened(True, "ana@x.example"), "The issue was opened by mail, and ana@x.example was thanked for it."),
    (Filed(filing()), "An e-mail from ana@x.example: Fire"),
    (Filed(filing(subject="", from_=Address("", ""))), "An e-mail from an unknown sender."),
    (Filed(filing(kind="note")), "A note from ana@x.example: Fire"),
    (
        Filed(filing(kind="note", blocked="bounce")),
        "An e-mail from ana@x.example was blocked, it reports that a mail could not be delivered: Fire",
    ),
    (Filed(filing(outgoing=True, to=(Address("", "bo@x.example"),))), "ana@x.example wrote to bo@x.example: Fire"),
    (Filed(filing(outgoing=True)), "ana@x.example wrote to the notification list: Fire"),
    (Assigned(("u1", "gone")), "Assigned to dee@example.org, gone."),
    (Unassigned(("u1",)), "No longer assigned to dee@example.org."),
    (Closed(), "Closed."),
    (Closed("done"), "Closed: done"),
    (Reopened(), "Opened again."),
    (StatusChanged("new", "open"), "The status was changed from new to open."),
    (Changed("priority", "", "High"), "The priority was changed from nothing to High."),
    (Subscribed("bo@x.example", ("emails",)), "bo@x.example is on the notification list, for: e-mails."),
    (Unsubscribed("bo@x.example"), "bo@x.example left the notification list."),
    (ReplierAdded("bo@x.example"), "bo@x.example may mail the issue."),
    (ReplierRemoved("bo@x.example"), "bo@x.example may no longer mail the issue."),
    (TakenOut("k1", "Fire"), "A message was taken out of the issue: Fire"),
    (TakenOut("k1"), "A message was taken out."),
    (Undone(3), "The last step was taken back."),
    (
        DeliveryFailed("bo@x.example", "<m>", "550 no such user"),
        "Not delivered to bo@x.example: no such mailbox. The far end said: 550 no such user",
    ),
    (DeliveryFailed("bo@x.example", "<m>", "554 no"), "A mail to bo@x.example could not be delivered: 554 no"),
    (DeliveryFailed("bo@x.example", "<m>", "", "5.2.2", "k"), "Not delivered to bo@x.example: mailbox full."),
    (DeliveryFailed("bo@x.example", "<m>", "", "", "k"), "A mail to bo@x.example could not be delivered."),
]


@pytest.mark.parametrize(("what", "said"), SAID)
def test_what_happened_is_a_sentence(what: What, said: str) -> None:
    assert sentence(what, PEOPLE) == said


def test_every_kind_of_event_has_one() -> None:
    assert {type(what) for what, _ in SAID} == set(get_args(What))


@pytest.mark.parametrize(("what", "said"), SAID)
def test_what_happened_has_a_few_words_too(what: What, said: str) -> None:
    few = phrase(what, PEOPLE)
    assert few and len(few) < 60 and "{" not in few and not few.endswith(".")


def test_it_is_said_in_the_language_of_the_reader() -> None:
    shout = str.upper

    def say(text: str) -> str:
        return text if "{" in text else shout(text)

    assert sentence(Reopened(), PEOPLE, say) == "OPENED AGAIN."
    assert sentence(Changed("priority", "", "High"), PEOPLE, say) == "The PRIORITY was changed from NOTHING to High."
    assert phrase(Assigned(("u1",)), PEOPLE, say) == "assigned to Dee"


def test_a_line_of_history() -> None:
    events = [Event(number=1, when=NOW, who=who, what=Closed()) for who in ("u1", "x@y.example", "")]
    rows = history(events, PEOPLE)
    assert [row["who"] for row in rows] == ["dee@example.org", "x@y.example", None]
    assert rows[0] == {"when": NOW, "who": "dee@example.org", "what": "closed", "detail": "Closed."}
