"""Sending, when the server is away, when it is busy, and when it refuses one of several."""

from collections import Counter

import pytest

from tests.journeys.clients import Answer, gmail, letter, undelivered
from tests.journeys.team import ANA, BOSS, DEE, HELP, Team, got
from tests.servers.dovecot import Dovecot, free_ports
from tests.servers.smtp_sink import Sink


@pytest.fixture
def user(team: Team, dovecot: Dovecot) -> str:
    """A mailbox from which two issues were opened; six mails wait to be sent."""
    user = dovecot.user()
    team.account(dovecot, user, "--auto-create", "--assign", DEE)
    mails = (letter(f"Ana <{ANA}>", HELP, f"Question {n}", f"<{n}@customer.example>") for n in (1, 2))
    dovecot.deliver(user, *mails)
    assert team.fetch() == {"downloaded": 2, "new_issue": 2}
    return user


def recipients(sink: Sink) -> Counter[str]:
    return Counter(recipient for mail in sink.received for recipient in mail.recipients)


def test_while_the_server_is_away_mail_waits_and_afterwards_each_is_delivered_once(
    team: Team, user: str, sink: Sink
) -> None:
    away = free_ports(1)[0]
    team.done("settings", "set", "smtp.port", str(away))
    for _ in range(3):
        result = team.flask("process-queue")
        assert result.exit_code == 1
        assert result.stdout == "0 sent, 0 deferred, 0 failed, 6 remaining\n"
        assert result.stderr.count("\n") == 1
        assert f"localhost:{away} refuses connections" in result.stderr and "6 mails wait" in result.stderr
    rows = team.ask("queue", "list")
    # The server's absence is no mail's fault, and no mail waits longer for it.
    assert {(row["status"], row["attempts"], row["next_attempt"]) for row in rows} == {("pending", 0, None)}

    team.done("settings", "set", "smtp.port", str(sink.port))
    assert team.send() == {"sent": 6, "deferred": 0, "failed": 0, "remaining": 0, "error": None}
    assert team.send()["sent"] == 0
    assert recipients(sink) == {ANA: 2, DEE: 2, BOSS: 2}
    assert {row["status"] for row in team.ask("queue", "list")} == {"sent"}


def test_the_reason_is_in_the_json_too(team: Team, user: str) -> None:
    away = free_ports(1)[0]
    team.done("settings", "set", "smtp.port", str(away))
    result = team.flask("process-queue", "--json")
    assert result.exit_code == 1
    assert f'"error": "localhost:{away} refuses connections' in result.stdout


def test_a_refused_recipient_touches_no_other_and_shows_on_the_issue(team: Team, user: str, sink: Sink) -> None:
    sink.at_rcpt[ANA] = "550 5.1.1 There is no ana here"
    result = team.flask("process-queue")
    assert (result.exit_code, result.stdout) == (1, "4 sent, 0 deferred, 2 failed, 0 remaining\n")
    assert recipients(sink) == {DEE: 2, BOSS: 2}
    for number in (1, 2):
        failures = [one for one in team.issue(number)["history"] if one["what"] == "delivery_failed"]
        assert len(failures) == 1
        assert ANA in failures[0]["detail"] and "There is no ana here" in failures[0]["detail"]
    failed = team.ask("queue", "list", "--status", "failed")
    assert [(row["recipient"], row["attempts"]) for row in failed] == [(ANA, 1)] * 2
    assert {row["last_reply"] for row in failed} == {"550 5.1.1 There is no ana here"}

    # Not tried again by itself; when the far end is mended, by hand.
    assert team.send()["sent"] == 0
    sink.at_rcpt.clear()
    team.done("queue", "retry", "--all-failed")
    assert team.send()["sent"] == 2
    assert recipients(sink) == {ANA: 2, DEE: 2, BOSS: 2}


def test_a_recipient_who_is_busy_is_tried_later_and_nobody_is_written_to_twice(
    team: Team, user: str, sink: Sink
) -> None:
    sink.at_rcpt[DEE] = "450 4.2.0 Greylisted, try again"
    result = team.flask("process-queue")
    assert result.stdout == "4 sent, 2 deferred, 0 failed, 2 remaining\n"
    deferred = team.ask("queue", "list", "--status", "deferred")
    assert {(row["recipient"], row["attempts"]) for row in deferred} == {(DEE, 1)}
    assert all(row["next_attempt"] and row["last_reply"].startswith("450 4.2.0") for row in deferred)
    sink.at_rcpt.clear()
    # Not due yet, unless a person asks for it.
    assert team.send()["sent"] == 0
    for row in deferred:
        team.done("queue", "retry", row["id"][:8])
    assert team.send()["sent"] == 2
    assert recipients(sink) == {ANA: 2, DEE: 2, BOSS: 2}


def test_delivery_shows_at_the_message_that_was_sent_on(team: Team, dovecot: Dovecot, user: str, sink: Sink) -> None:
    team.send()
    notice = got(sink)[DEE][0]
    number = 1 if "Question 1" in notice.subject else 2
    dovecot.deliver(user, gmail(notice, Answer(DEE, "<answer@example.org>")))
    assert team.fetch() == {"downloaded": 1, "filed": 1}

    def delivery() -> list[dict[str, str]]:
        found: list[dict[str, str]] = team.messages(number)["<answer@example.org>"]["delivery"]
        return [{"recipient": one["recipient"], "status": one["status"]} for one in found]

    assert delivery() == [{"recipient": ANA, "status": "pending"}]
    team.send()
    assert delivery() == [{"recipient": ANA, "status": "sent"}]


def test_a_reply_that_comes_back_days_later_is_failed_in_the_queue_and_on_the_issue(
    team: Team, dovecot: Dovecot, user: str, sink: Sink
) -> None:
    team.send()
    team.done("issues", "reply", "1", "--as", DEE, "--text", "Is it plugged in?")
    sink.forget()
    assert team.send()["sent"] == 1
    mail = got(sink)[ANA][0]
    dovecot.deliver(user, undelivered(mail.message_id, ANA, "552 5.2.2 <ana@customer.example>: Quota exceeded"))
    sink.forget()
    assert team.fetch() == {"downloaded": 1, "blocked": 1}

    [row] = team.ask("queue", "list", "--status", "failed")
    assert (row["recipient"], row["issue"], row["reported"], row["reason"]) == (ANA, 1, "failed", "mailbox full")
    assert "Quota exceeded" in team.done("queue", "show", row["id"]).stdout
    [said] = [one["detail"] for one in team.issue(1)["history"] if one["what"] == "delivery_failed"]
    assert said.startswith(f"Not delivered to {ANA}: mailbox full.")
    sent_on = [one for message in team.messages(1).values() for one in message["delivery"]]
    assert [(one["recipient"], one["status"]) for one in sent_on] == [(ANA, "failed")]
    # Nobody is written to because of it, and it can be sent again when Ana has made room.
    assert team.send()["sent"] == 0
    team.done("queue", "retry", row["id"])
    assert team.send()["sent"] == 1
    assert recipients(sink) == {ANA: 1}


def test_a_limit_leaves_the_rest_for_the_next_run(team: Team, user: str, sink: Sink) -> None:
    assert team.ask("process-queue", "--limit", "4")["remaining"] == 2
    assert team.send()["sent"] == 2
    assert recipients(sink) == {ANA: 2, DEE: 2, BOSS: 2}
