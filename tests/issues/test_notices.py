"""What is told, under which subject, from whom; and the texts themselves."""

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, meta
from msgspec.structs import replace

from eventum.issues import notices
from eventum.issues.events import Assigned, Closed, Filed, Opened
from eventum.issues.issue import Issue, Subscription
from eventum.issues.letters import LETTERS, LetterContext
from eventum.issues.notices import NOTICES, Context, author, clipped, context, one_line, sender, subject
from eventum.issues.people import People, Preferences, Role
from eventum.issues.recipients import RECIPIENTS, Recipient, recipients
from eventum.issues.settings import AddressRouting, General, Smtp
from eventum.mail.address import Address
from eventum.mail.reading import Attachment

TEMPLATES = Path(__file__).parents[2] / "templates" / "notifications"
JINJA = Environment(
    loader=FileSystemLoader(TEMPLATES),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    autoescape=False,
)
WITH_TEXT = [name for name, notice in NOTICES.items() if notice.template]


@pytest.mark.parametrize(
    ("notice", "original", "line"),
    [
        ("new_issue", "", "[#42] New Issue: The printer is on fire"),
        ("new_issue_assigned", "", "[#42] New Issue Assigned: The printer is on fire"),
        ("assignment", "", "[#42] New Assignment: The printer is on fire"),
        ("acknowledgement", "", "[#42] Issue Created: The printer is on fire"),
        ("closed", "", "[#42] Closed: The printer is on fire"),
        ("email", "Re: it burns", "[#42] Re: it burns"),
        ("email", "Re: [#42] it burns", "[#42] Re: it burns"),
        ("email", "Re: [#42] New Issue Assigned: it burns", "[#42] Re: it burns"),
        ("email", "AW: Re: [#42] Issue Created: New Issue: x", "[#42] AW: Re: New Issue: x"),
        ("note", "water?", "[#42] Note: water?"),
        ("note", "Re: [#42] Note: water?", "[#42] Note: water?"),
        ("blocked", "hello", "[#42] BLOCKED: hello"),
        ("blocked", "AW: [#42] BLOCKED: hello", "[#42] BLOCKED: hello"),
        ("email", "", "[#42]"),
        ("note", "a\r\nBcc: evil@evil.example", "[#42] Note: a Bcc: evil@evil.example"),
    ],
)
def test_the_subject_of_each_notice(world: Any, notice: str, original: str, line: str) -> None:
    assert subject(notice, world.issue(), original) == line


def test_a_subject_does_not_grow_with_every_answer(world: Any) -> None:
    line = subject("note", world.issue(), "water?")
    for _ in range(5):
        line = subject("note", world.issue(), f"Re: {line}")
    assert line == "[#42] Note: water?"


def test_a_summary_of_kilobytes_is_clipped_in_subjects(world: Any) -> None:
    assert len(subject("acknowledgement", world.issue(summary="spam " * 1000))) < 230


ROUTING = General(
    smtp=Smtp(from_='"Eventum, Help" <eventum@example.org>'),
    email_routing=AddressRouting(enabled=True, prefix="issue-", host="example.org"),
    note_routing=AddressRouting(enabled=True, prefix="note-", host="example.org"),
)
PLAIN = General(smtp=ROUTING.smtp)


@pytest.mark.parametrize(
    ("notice", "general", "project_sender", "who", "name", "address"),
    [
        ("email", ROUTING, "support@example.org", "Ann", "Ann", "issue-42@example.org"),
        ("note", ROUTING, "support@example.org", "Ann", "Ann", "note-42@example.org"),
        ("blocked", ROUTING, "support@example.org", "Eve", "Eventum, Help", "issue-42@example.org"),
        ("acknowledgement", ROUTING, "support@example.org", "Eve", "Eventum, Help", "issue-42@example.org"),
        ("note", replace(ROUTING, note_routing=PLAIN.note_routing), "S@example.org", "Ann", "Ann", "s@example.org"),
        ("email", PLAIN, "support@example.org", "Ann", "Ann", "support@example.org"),
        ("email", PLAIN, "", "Ann", "Ann", "eventum@example.org"),
        ("email", PLAIN, "", "", "Eventum, Help", "eventum@example.org"),
        ("email", PLAIN, "", "ann@else.example", "Eventum, Help", "eventum@example.org"),
        ("email", General(), "", "Ann", "Ann", ""),
        ("acknowledgement", General(), "", "Ann", "Support", ""),
    ],
)
def test_the_from_of_a_notice(
    world: Any, notice: str, general: General, project_sender: str, who: str, name: str, address: str
) -> None:
    project = replace(world.project, sender_email=project_sender)
    assert sender(notice, world.issue(), project, general, author=who) == Address(name, address)


def test_the_name_of_a_project_goes_before_that_of_the_installation(world: Any) -> None:
    project = replace(world.project, sender_name="Printer Team")
    assert sender("blocked", world.issue(), project, PLAIN).name == "Printer Team"


def test_the_author_is_named_as_he_names_himself_in_his_mail(world: Any) -> None:
    bob = world.user("bob")
    people = world.people(bob)
    assert author(world.event(Filed(world.filing(from_=Address("Bobby", bob.email))), who=bob.id), people) == "Bobby"
    assert author(world.event(Filed(world.filing(from_=Address("", bob.email))), who=bob.id), people) == "Bob"
    assert author(world.event(Closed(), who=bob.id), people) == "Bob"
    assert author(world.event(Closed()), people) == ""


def told(world: Any, notice: str) -> tuple[Recipient, Any, Issue, People]:
    """A recipient of the notice, as the table of recipients makes him."""
    bob = world.user("bob", preferences={"support": Preferences(all_new=True)})
    message = world.filing(attachments=(Attachment("2", "photo.png", "image/png", 9),), subject="Re: it burns")
    listed = (Subscription(bob.email, bob.id),)
    what, fields = {
        "new_issue": (Opened(by_mail=True), {}),
        "new_issue_assigned": (Opened(by_mail=True), {"assignees": (bob.id,)}),
        "acknowledgement": (Opened(by_mail=True, acknowledge="customer@else.example"), {}),
        "assignment": (Assigned((bob.id,)), {"assignees": (bob.id,)}),
        "email": (Filed(message), {"subscriptions": listed}),
        "note": (Filed(replace(message, kind="note", outgoing=True)), {"subscriptions": listed}),
        "blocked": (Filed(replace(message, kind="note", blocked="not_entitled")), {"subscriptions": listed}),
        "closed": (Closed("We put it out."), {"subscriptions": listed}),
    }[notice]
    issue = world.issue(description="It burns.\nHelp!", priority="High", category="Fire", **fields)
    people = world.people(bob, world.user("boss", Role.manager))
    event = world.event(what, who="u-boss" if notice in ("assignment", "note", "closed") else "customer@else.example")
    found = recipients(event, issue, people, world.own)
    return next(one for one in found if one.notice == notice), event, issue, people


@pytest.mark.parametrize("notice", list(NOTICES))
def test_every_notice_that_the_table_gives_has_its_row(world: Any, notice: str) -> None:
    recipient, *_ = told(world, notice)
    assert recipient.why.rule in notices.WHY
    assert NOTICES[notice].internal == (notice in ("note", "blocked"))


@pytest.mark.parametrize("notice", WITH_TEXT)
def test_each_text_says_which_issue_where_and_why(world: Any, notice: str) -> None:
    recipient, event, issue, people = told(world, notice)
    general = replace(world.general, base_url="https://issues.example.org")
    seen = context(recipient, event, issue, people, general=general, text="Please hurry.")
    text = JINJA.get_template(NOTICES[notice].template).render(seen)
    assert "[#42] The printer is on fire" in text
    assert "Support" in text
    assert seen["why"] in text and "\n-- \n" in text
    assert ("https://issues.example.org/issues/42" in text) == (notice != "acknowledgement")
    assert ("Please hurry." in text) == (notice in ("note", "blocked"))
    assert "\n\n\n" not in text and text.endswith("\n") and not text.startswith("\n")
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("notice", WITH_TEXT)
def test_each_text_does_without_what_is_not_known(world: Any, notice: str) -> None:
    recipient, event, issue, people = told(world, notice)
    bare = replace(issue, description="", priority="", category="", reporter="")
    event = replace(event, who="")
    seen = context(replace(recipient, name="", user=""), event, bare, people, general=General())
    text = JINJA.get_template(NOTICES[notice].template).render(seen)
    assert "http" not in text and "None" not in text and "\n\n\n" not in text and not text.startswith("\n")


def test_the_texts_use_only_what_the_context_promises() -> None:
    files = sorted(path.name for path in TEMPLATES.glob("*.txt"))
    letters = [letter.template for letter in LETTERS.values()]
    assert files == sorted([*(NOTICES[name].template for name in WITH_TEXT), *letters])
    for name in files:
        promised = LetterContext if name in letters else Context
        try:
            used = meta.find_undeclared_variables(JINJA.parse((TEMPLATES / name).read_text()))
        except TemplateSyntaxError as error:
            pytest.fail(f"{name}: {error}")
        assert used <= set(promised.__annotations__), name


def test_an_acknowledgement_carries_nothing_of_a_strangers_mail_but_the_summary(world: Any) -> None:
    recipient, event, issue, people = told(world, "acknowledgement")
    issue = replace(issue, summary="Buy " * 200, description="Cheap pills at http://evil.example")
    general = replace(world.general, base_url="https://issues.example.org")
    seen = context(recipient, event, issue, people, general=general, text="Cheap pills at http://evil.example")
    text = JINJA.get_template("acknowledgement.txt").render(seen)
    assert "pills" not in text and "http" not in text and len(text) < 900
    assert "reply to this mail" in text


def test_a_known_reporter_who_sees_the_issue_is_given_its_page(world: Any) -> None:
    bob = world.user("bob")
    issue = world.issue(reporter=bob.email)
    event = world.event(Opened(by_mail=True, acknowledge=bob.email), who=bob.id)
    people = world.people(bob)
    (recipient,) = recipients(event, issue, people, world.own)
    general = replace(world.general, base_url="https://issues.example.org/")
    assert context(recipient, event, issue, people, general=general)["link"] == "https://issues.example.org/issues/42"


def test_a_blocked_mail_says_why_and_who_claims_to_have_sent_it(world: Any) -> None:
    recipient, event, issue, people = told(world, "blocked")
    seen = context(recipient, event, issue, people, general=world.general, text="x")
    assert seen["blocked"] == "the sender may not mail this issue"
    assert seen["sender"] == "Customer <customer@else.example>" and seen["attachments"] == ["photo.png"]


def test_long_texts_are_cut_and_marked() -> None:
    assert clipped("x" * 10, 10) == "x" * 10
    assert clipped("x" * 11, 10) == "x" * 9 + "…"
    assert one_line("a\tb\r\n c\x07\u202e") == "a b c"


def test_every_reason_to_be_told_is_a_rule_of_the_table() -> None:
    assert set(notices.WHY) <= {rule.name for rule in RECIPIENTS.rules}
