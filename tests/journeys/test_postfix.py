"""The whole circle through real servers: Postfix takes and delivers, Dovecot keeps, Eventum stands between."""

import smtplib
from email import message_from_bytes
from email.policy import default

from tests.journeys.clients import Answer, answered, gmail, letter, outlook
from tests.journeys.team import Team
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import DOMAIN, running, until

HELP, DEE, ANA, GONE = (f"{name}@{DOMAIN}" for name in ("help", "dee", "ana", "gone"))


def test_mail_goes_round_and_what_cannot_be_delivered_comes_back(team: Team, dovecot: Dovecot) -> None:
    with running(dovecot, (HELP, DEE, ANA)) as port:
        team.done("projects", "set", "Help desk", "--sender-email", HELP)
        team.done("users", "set", "dee@example.org", "--email", DEE)
        team.done("users", "set", "boss@example.org", "--inactive")
        team.done("settings", "set", "smtp.port", str(port))
        team.account(dovecot, HELP, "--auto-create", "--assign", DEE, "--address", HELP)

        def write(sender: str, mail: bytes, expected: int) -> None:
            """Send a mail to the help desk, and wait until that many lie there."""
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.sendmail(sender, HELP, mail)
            arrive(HELP, expected)

        def arrive(who: str, count: int) -> list[bytes]:
            new = dovecot.maildir(who)
            until(lambda: len([*new.glob("new/*"), *new.glob("cur/*")]) >= count, f"Mail {count} for {who}")
            return dovecot.left(who)

        # Ana writes, with a colleague in Cc whose mailbox is gone.
        write(ANA, letter(f"Ana <{ANA}>", HELP, "No picture", f"<first@{DOMAIN}>", f"Cc: {GONE}"), 1)
        assert team.fetch() == {"downloaded": 1, "new_issue": 1}
        assert team.send()["sent"] == 2
        [thanks], [notice] = arrive(ANA, 1), arrive(DEE, 1)
        # Thanks have the null sender, so nothing comes back to be thanked for.
        assert message_from_bytes(thanks)["Return-Path"] == "<>"

        write(ANA, outlook(answered(thanks), Answer(f"Ana <{ANA}>", f"<second@{DOMAIN}>")), 2)
        write(DEE, gmail(answered(notice), Answer(f"Dee <{DEE}>", f"<third@{DOMAIN}>")), 3)
        assert team.fetch() == {"downloaded": 2, "filed": 2}
        assert team.send()["sent"] == 4  # Ana's words to Dee and to the colleague, Dee's to Ana and to the colleague.
        assert b"Thank you, it works now." in arrive(ANA, 2)[1]
        assert b"Thank you, it works now." in arrive(DEE, 2)[1]

        # Both mails to the colleague come back, as Postfix says it; nobody is told, and nothing is opened.
        returned = arrive(HELP, 5)[3:]
        assert {message_from_bytes(mail, policy=default).get_content_type() for mail in returned} == {
            "multipart/report"
        }
        outcomes = team.fetch()
        assert outcomes == {"downloaded": 2, "blocked": 2}
        assert team.ask("emails", "list") == []
        assert team.send()["sent"] == 0
        # What Postfix gives back names our mails: they failed, and their issue says to whom and why.
        failed = team.ask("queue", "list", "--status", "failed")
        assert {(row["recipient"], row["reported"], row["reason"]) for row in failed} == {
            (GONE, "failed", "no such mailbox")
        }
        said = [one["detail"] for one in team.issue(1)["history"] if one["what"] == "delivery_failed"]
        assert len(failed) == len(said) == 2
        assert all(one.startswith(f"Not delivered to {GONE}: no such mailbox. The far end said: ") for one in said)
        assert len(team.ask("issues", "list")) == 1
