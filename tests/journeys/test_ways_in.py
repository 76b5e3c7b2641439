"""What claims a mail besides its headers, who may not come in, and what nothing claims; `trace` says why for each."""

from typing import Any

import pytest

from tests.journeys.clients import Answer, answered, gmail, letter
from tests.journeys.team import ANA, BOSS, DEE, HELP, Team, decided, got
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import Sink

ORIGINAL, LATER = "<original@customer.example>", "<later@customer.example>"
EVE = "eve@elsewhere.example"


def mail(who: str = ANA, subject: str = "No picture", message_id: str = ORIGINAL, to: str = HELP, *more: str) -> bytes:
    return letter(f"Somebody <{who}>", to, subject, message_id, *more)


@pytest.fixture
def user(team: Team, dovecot: Dovecot) -> str:
    """A mailbox with an account that opens issues for Dee and takes routed mail; issue 1 is Ana's, and told."""
    user = dovecot.user()
    team.account(dovecot, user, "--auto-create", "--assign", DEE, "--routing")
    dovecot.deliver(user, mail())
    assert team.fetch() == {"downloaded": 1, "new_issue": 1}
    team.send()
    return user


def routing(team: Team, kind: str, prefix: str) -> None:
    """Switch address routing of one kind on; it also goes by an old name of the host."""
    for key, value in (
        ("host", "issues.example.org"),
        ("prefix", prefix),
        ("host_aliases", "old.example.org"),
        ("enabled", "true"),
    ):
        team.done("settings", "set", f"{kind}_routing.{key}", value)


def trace_of(team: Team, number: int, message_id: str) -> Any:
    return team.messages(number)[message_id]["trace"]


@pytest.mark.parametrize("subject", ["[#1] No picture", "Re: [#1] No picture", "AW: WG: [#1]no picture [#1]"])
def test_the_number_in_a_subject_counts_when_it_is_switched_on(
    team: Team, dovecot: Dovecot, user: str, subject: str
) -> None:
    team.done("settings", "set", "subject_routing.enabled", "true")
    dovecot.deliver(user, mail(ANA, subject, LATER))
    assert team.fetch() == {"downloaded": 1, "filed": 1}
    assert decided(trace_of(team, 1, LATER), "association") == ("subject_tag", "email:1")


def test_the_number_in_a_subject_is_ignored_when_it_is_off(team: Team, dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, mail(ANA, "Re: [#1] No picture", LATER))
    assert team.fetch() == {"downloaded": 1, "new_issue": 1}
    trace = trace_of(team, 2, LATER)
    assert {"table": "association", "rule": "subject_tag", "saw": "off", "answer": "pass"} in trace
    assert decided(trace, "association") == ("new", "new_issue")


def test_a_number_that_no_issue_has_does_not_stop_the_headers(team: Team, dovecot: Dovecot, user: str) -> None:
    team.done("settings", "set", "subject_routing.enabled", "true")
    answer = gmail(answered(mail(subject="[#4711] No picture")), Answer(ANA, LATER))
    dovecot.deliver(user, answer, mail(ANA, "[#4711] Something else", "<other@customer.example>"))
    assert team.fetch() == {"downloaded": 2, "filed": 1, "new_issue": 1}
    assert {"table": "association", "rule": "subject_tag", "saw": "unknown:4711", "answer": "pass"} in trace_of(
        team, 1, LATER
    )
    assert decided(trace_of(team, 1, LATER), "association") == ("headers", "email:1")


@pytest.mark.parametrize(
    ("to", "more"),
    [
        ("issue-1@issues.example.org", ()),
        ("Issue-1@OLD.example.org", ()),
        ("Undisclosed recipients:;", ("Delivered-To: issue-1@issues.example.org",)),
        (f"{HELP}, issue-1@issues.example.org", ()),
    ],
)
def test_mail_to_the_address_of_an_issue_goes_there(
    team: Team, dovecot: Dovecot, user: str, to: str, more: tuple[str, ...]
) -> None:
    routing(team, "email", "issue-")
    dovecot.deliver(user, mail(ANA, "Something else", LATER, to, *more))
    assert team.fetch() == {"downloaded": 1, "filed": 1}
    assert decided(trace_of(team, 1, LATER), "association") == ("address", "email:1")
    assert decided(trace_of(team, 1, LATER), "admission") == ("reporter", "accepted")
    # Routed mail is never left on the server.
    assert dovecot.left(user) == []


@pytest.mark.parametrize(
    "to", ["issue-4711@issues.example.org", "issue-1@elsewhere.example", "xissue-1@issues.example.org"]
)
def test_an_address_that_only_looks_like_that_of_an_issue_opens_one(
    team: Team, dovecot: Dovecot, user: str, to: str
) -> None:
    routing(team, "email", "issue-")
    dovecot.deliver(user, mail(ANA, "Something else", LATER, to))
    assert team.fetch() == {"downloaded": 1, "new_issue": 1}


def test_when_issues_have_addresses_ours_comes_from_there_and_answers_go_there(
    team: Team, dovecot: Dovecot, user: str, sink: Sink
) -> None:
    routing(team, "email", "issue-")
    dovecot.deliver(user, mail(ANA, "Something else", LATER))
    team.fetch()
    team.send()
    thanks = got(sink)[ANA][-1]
    assert thanks.sender == "issue-2@issues.example.org"
    # An answer that lost its headers on the way.
    dovecot.deliver(user, mail(ANA, "Re: whatever", "<bare@customer.example>", thanks.sender))
    assert team.fetch() == {"downloaded": 1, "filed": 1}
    assert decided(trace_of(team, 2, "<bare@customer.example>"), "association") == ("address", "email:2")


@pytest.mark.parametrize(("who", "outcome", "blocked"), [(DEE, "filed", None), (ANA, "blocked", "not_entitled")])
def test_mail_to_the_address_of_notes_is_a_note_for_staff_only(
    team: Team, dovecot: Dovecot, user: str, sink: Sink, who: str, outcome: str, blocked: str | None
) -> None:
    routing(team, "note", "note-")
    sink.forget()
    dovecot.deliver(user, mail(who, "The fuser is dead", LATER, "note-1@issues.example.org"))
    assert team.fetch() == {"downloaded": 1, outcome: 1}
    message = team.messages(1)[LATER]
    assert (message["kind"], message["blocked"]) == ("note", blocked)
    assert decided(message["trace"], "association") == ("address", "note:1")
    team.send()
    assert ANA not in got(sink)


@pytest.mark.parametrize("way", ["headers", "subject_tag", "address"])
def test_a_strangers_mail_into_an_issue_becomes_a_blocked_note(
    team: Team, dovecot: Dovecot, user: str, sink: Sink, way: str
) -> None:
    team.done("settings", "set", "subject_routing.enabled", "true")
    routing(team, "email", "issue-")
    sink.forget()
    mails = {
        "headers": gmail(answered(mail()), Answer(f"Eve <{EVE}>", LATER)),
        "subject_tag": mail(EVE, "Re: [#1] No picture", LATER),
        "address": mail(EVE, "Hello", LATER, "issue-1@issues.example.org"),
    }
    dovecot.deliver(user, mails[way])
    assert team.fetch() == {"downloaded": 1, "blocked": 1}
    issue = team.issue(1)
    message = next(one for one in issue["messages"] if one["message_id"] == LATER)
    assert (message["kind"], message["blocked"]) == ("note", "not_entitled")
    assert decided(message["trace"], "association") == (way, "email:1")
    assert decided(message["trace"], "admission") == ("stranger", "blocked:not_entitled")
    assert EVE not in [one["address"] for one in issue["notification_list"]]
    # Staff hears of it; neither the customer nor the stranger does.
    team.send()
    assert {address: [one.subject for one in mails] for address, mails in got(sink).items()} == {
        DEE: [one.subject for one in got(sink)[DEE]]
    }
    assert got(sink)[DEE][0].subject.startswith("[#1] BLOCKED: ")


MACHINES = {
    "a newsletter": ("Precedence: bulk",),
    "an absence notice": ("Auto-Submitted: auto-replied",),
    "a failure notice": (
        "Return-Path: <>",
        "Auto-Submitted: auto-replied",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"',
    ),
}


@pytest.mark.parametrize("kind", MACHINES)
def test_mail_of_a_program_opens_no_issue_and_waits_in_the_list(
    team: Team, dovecot: Dovecot, user: str, sink: Sink, kind: str
) -> None:
    sink.forget()
    dovecot.deliver(user, mail(EVE, "Hello", LATER, HELP, *MACHINES[kind]))
    assert team.fetch() == {"downloaded": 1, "unassociated": 1}
    [row] = team.ask("emails", "list", "--state", "unassociated")
    assert (row["message_id"], row["from"], row["state"]) == (LATER, EVE, "unassociated")
    assert decided(row["trace"], "association") == ("machine", "unassociated")
    assert team.send()["sent"] == 0


@pytest.mark.parametrize("kind", MACHINES)
def test_mail_of_a_program_into_an_issue_is_kept_there_and_answered_to_nobody(
    team: Team, dovecot: Dovecot, user: str, sink: Sink, kind: str
) -> None:
    thanks = got(sink)[ANA][0]
    sink.forget()
    dovecot.deliver(user, mail(ANA, "Hello", LATER, HELP, f"In-Reply-To: {thanks.message_id}", *MACHINES[kind]))
    assert team.fetch() == {"downloaded": 1, "blocked": 1}
    assert decided(trace_of(team, 1, LATER), "association") == ("headers", "email:1")
    assert decided(trace_of(team, 1, LATER), "admission")[0] in ("automatic", "bounce")
    assert team.send()["sent"] == 0


def test_a_mail_nothing_claims_waits_in_the_list_until_somebody_decides(
    team: Team, dovecot: Dovecot, sink: Sink
) -> None:
    user = dovecot.user()
    account = team.account(dovecot, user)
    dovecot.deliver(user, mail(), mail(ANA, "More", LATER))
    assert team.fetch() == {"downloaded": 2, "unassociated": 2}
    rows = {row["message_id"]: row for row in team.ask("emails", "list")}
    assert {(row["account"], row["project"], row["state"]) for row in rows.values()} == {
        (account, "Help desk", "unassociated")
    }
    assert decided(rows[ORIGINAL]["trace"], "association") == ("auto_creation", "unassociated")
    assert team.send()["sent"] == 0
    team.done("emails", "new-issue", rows[ORIGINAL]["id"])
    team.done("emails", "associate", rows[LATER]["id"][:8], "1")
    assert list(team.messages(1)) == [ORIGINAL, LATER]
    assert team.ask("emails", "list") == []
    team.send()
    assert [one.subject for one in got(sink)[ANA]] == ["[#1] Issue Created: No picture"]
    # The answer finds its issue though the account opens none.
    dovecot.deliver(user, gmail(got(sink)[ANA][0], Answer(ANA, "<answer@customer.example>")))
    assert team.fetch() == {"downloaded": 1, "filed": 1}


def test_a_notice_of_ours_that_comes_back_is_put_aside(team: Team, dovecot: Dovecot, user: str, sink: Sink) -> None:
    dovecot.deliver(user, *(mail.data for mail in sink.received))
    outcomes = team.fetch()
    assert outcomes == {"downloaded": len(sink.received), "ignored": len(sink.received)}
    assert {decided(row["trace"], "association")[0] for row in team.ask("emails", "list", "--state", "ignored")} == {
        "own_notice"
    }
    assert team.send()["sent"] == 0


def test_a_customer_is_thanked_five_times_a_day_and_no_more(
    team: Team, dovecot: Dovecot, user: str, sink: Sink
) -> None:
    dovecot.deliver(user, *(mail(ANA, f"Again {n}", f"<again.{n}@customer.example>") for n in range(7)))
    assert team.fetch() == {"downloaded": 7, "new_issue": 7}
    team.send()
    assert len(got(sink)[ANA]) == 5
    assert len(got(sink)[DEE]) == len(got(sink)[BOSS]) == 8
