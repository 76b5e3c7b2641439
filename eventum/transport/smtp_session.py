"""The beginning of an SMTP session: dialling, greeting, STARTTLS and login.

In flows the server's credentials, out flows a dialogue that is ready for mail, or an error that names the step. It
sends no mail.
"""

import smtplib
from base64 import b64encode

from eventum.errors import Busy, Refused
from eventum.transport import dialling
from eventum.transport.mailbox import OnStep, Timeouts
from eventum.transport.smtp import Smtp
from eventum.transport.smtp_dialogue import Dialogue, Reply, said_as
from eventum.wording import N_


def opened(server: Smtp, timeouts: Timeouts, on_step: OnStep) -> Dialogue:
    """A session that has greeted, is encrypted as asked and logged in. Raises Busy or Refused."""
    where = dialling.named(server.host, server.port)
    trust = dialling.context(verify=True) if server.security != "none" else None
    at_once = trust if server.security == "tls" else None
    sock = dialling.dial(server, tls=at_once, timeouts=timeouts, on_step=on_step)
    dialogue = Dialogue(server, timeouts)
    dialogue.sock = sock
    done = False
    doing = N_("greeting")
    try:
        greeting = dialogue.getreply()
        greet(dialogue, greeting)
        if server.security == "starttls":
            if not dialogue.has_extn("starttls"):
                raise Refused(
                    N_("{where} offers no STARTTLS; set smtp.security to tls or none, or mend the server."), where=where
                )
            answer = dialogue.docmd("STARTTLS")
            if answer[0] != 220:
                raise Busy(
                    N_('{where} does not begin TLS: "{answer}"; the next run tries again.'),
                    where=where,
                    answer=said_as(answer),
                )
            # Somebody on the way may have put something behind the answer: under TLS it would pass for the server's.
            dialogue.tell(b"")
            dialogue.sock = dialling.encrypted(
                dialogue.far_end(), server.host, server.port, tls=trust, timeouts=timeouts, on_step=on_step
            )
            greet(dialogue, greeting)
        if server.username:
            on_step("login", dialling.secured(dialogue.far_end(), verify=True))
            doing = N_("logging in")
            log_in(dialogue, server)
        done = True
    except smtplib.SMTPServerDisconnected as error:
        raise Busy(
            N_("{where} broke off at the beginning ({reason}); the next run tries again."),
            where=where,
            reason=dialling.said(str(error)),
        ) from error
    except smtplib.SMTPException as error:
        raise Busy(
            N_("{where} is not ready: {reason}; the next run tries again."),
            where=where,
            reason=dialling.said(str(error)),
        ) from error
    except OSError as error:
        raise dialling.trouble(where, doing, error, timeouts.command) from error
    finally:
        if not done:
            dialogue.drop()
    return dialogue


def greet(dialogue: Dialogue, greeting: Reply) -> None:
    """EHLO, or HELO to a server that does not know it. Raises Busy when it takes no mail now."""
    if greeting[0] != 220:
        raise Busy(
            N_('{where} takes no mail now: "{greeting}"; the next run tries again.'),
            where=dialogue.where,
            greeting=said_as(greeting),
        )
    if dialogue.ehlo()[0] // 100 != 2:
        answer = dialogue.helo()
        if answer[0] // 100 != 2:
            raise Busy(
                N_('{where} takes no mail from us: "{answer}"; ask its administrator.'),
                where=dialogue.where,
                answer=said_as(answer),
            )


def log_in(dialogue: Dialogue, server: Smtp) -> None:
    """AUTH by PLAIN or LOGIN, tried once: many tries of a wrong password lock an account. Raises Refused, Busy."""
    where = dialogue.where
    if not dialling.may_show_password(dialogue.far_end(), ""):
        raise Refused(
            N_(
                "{where} is not this machine and smtp.security is none: the password is not sent in "
                "clear text. Set smtp.security to starttls or tls."
            ),
            where=where,
        )
    ways = dialogue.esmtp_features.get("auth", "").upper().split()
    if not ways:
        raise Refused(
            N_("{where} offers no login; remove smtp.username, or set smtp.security to starttls or tls."), where=where
        )
    secret = f"\0{server.username}\0{server.password}".encode()
    if "PLAIN" in ways:
        reply = dialogue.docmd("AUTH", "PLAIN " + b64encode(secret).decode())
    elif "LOGIN" in ways:
        reply = dialogue.docmd("AUTH", "LOGIN")
        for word in (server.username, server.password):
            if reply[0] == 334:
                reply = dialogue.docmd(b64encode(word.encode()).decode())
    else:
        raise Refused(
            N_("{where} logs in by {reason} only; ask its administrator for PLAIN."),
            where=where,
            reason=dialling.said(" ".join(ways)),
        )
    words = dialling.said(said_as(reply), hide=server.password)
    if reply[0] // 100 == 5:
        raise Refused(
            N_('{where} refused the login of {user}: "{words}"; check smtp.username and smtp.password.'),
            where=where,
            user=server.username,
            words=words,
        )
    if reply[0] != 235:
        raise Busy(N_('{where} takes no login now: "{words}"; the next run tries again.'), where=where, words=words)
