"""What the servers of the far end are told to do: the jobs of the rows, each with what may be different afterwards.

In flow lengths of conversations, out flow orders by a name of their own. It knows no store and starts nothing.
"""

from typing import Any, NamedTuple

from tests.faults.cuts import ENDS, HARMLESS, LATE


class Job(NamedTuple):
    """One trial: what the server is told to do, and what may be different afterwards."""

    orders: dict[str, Any]
    leaves: bool = False  # the account leaves a copy on the server
    harmless: bool = False  # the run must bear it without a word
    stays: bool = False  # the server says that it removed mails and did not: they may be left there
    gone: tuple[int, ...] = ()  # mails that the server itself took away, by number
    more: tuple[bytes, ...] = ()  # mails that came meanwhile
    later: bool = False  # the server says that it is done and it is not, which the next run mends
    hostile: bool = False  # time and memory of the run are looked at
    code: str = ""  # what a mail may end as: "failed" where the server refuses for good, else it must go out


def cuts(lengths: tuple[int, int], places: int) -> dict[str, Job]:
    """The connection is cut after so many of the bytes the server says, and of those it hears; every tenth stalls."""
    jobs = {}
    for side, most in zip(("down", "up"), lengths, strict=True):
        for nth in range(min(places, most)):
            at = 1 + nth * (most - 1) // min(places, most)
            for how in ("fin", "rst") if nth % 10 else ENDS:
                jobs[f"{side} {at} {how}"] = Job({"cut": {"side": side, "at": at, "how": how}})
    return jobs


IMAP_TURNS = ("GREETING", "CAPABILITY", "AUTHENTICATE", "SELECT", "UID SEARCH", "SIZES", "BODIES", "UID STORE")
IMAP_TURNS += ("UID EXPUNGE", "LOGOUT")
IMAP_KINDS = ("no", "unavailable", "bad", "esc", "undone-ok", "done-no", "bye", "other-tag", "lower", "unasked")
COMMON = ("garbage", "blank", "half", "done-fin", "done-rst", "done-stall", "twice", *ENDS)
POP3_TURNS = ("GREETING", "CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR", "DELE", "QUIT")
POP3_KINDS = ("err", "temporary", "esc", "undone-ok", "done-err", "no-block")
SMTP_TURNS = ("GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT", "QUIT")
CODES = ("421 4.3.2 closing", "450 4.2.0 later", "451 4.3.0 later", "452 4.2.2 full", "550 5.1.1 nobody")
CODES += ("554 5.7.1 never", "530 5.7.0 log in", "535 5.7.8 wrong", "552 5.2.2 full", "250 fine", "354 go on")
SMTP_KINDS = ("mixed", "multi", "twice", "other", "far-code")


def odd(at: str, kind: str, nth: int = 1, **more: Any) -> dict[str, Any]:
    """Orders for one odd answer."""
    return {"odd": {"at": at, "kind": kind, "nth": nth}, **more}


def imap_answers() -> dict[str, Job]:
    """Every command meets every answer; then the worlds."""
    jobs = {}
    for at in IMAP_TURNS:
        for kind in (*IMAP_KINDS, *COMMON):
            # What says that it removed something and did not is believed.
            lies = kind == "undone-ok" and at in ("UID STORE", "UID EXPUNGE")
            jobs[f"{at} {kind}"] = Job(odd(at, kind), harmless=kind in HARMLESS, stays=lies)
    for kind in ("no", "bad", "bye", "fin", "undone-ok"):
        jobs[f"second CAPABILITY {kind}"] = Job(odd("CAPABILITY", kind, 2))
        jobs[f"BODIES always {kind}"] = Job(odd("BODIES", kind, 0))
        jobs[f"plain EXPUNGE {kind}"] = Job(odd("EXPUNGE", kind, features=["no-uidplus"]), stays=kind == "undone-ok")
        jobs[f"LOGIN {kind}"] = Job(odd("LOGIN", kind, features=["login"]))
    for by in (-1000, -20, -3, -2, -1, 1, 2, 3, 5, 20, 60, 200, 5000):
        jobs[f"literal {by:+}"] = Job({"world": f"literal:{by}"})
    for world in ("literal-huge", "literal-cut", "nil", "empty", "quoted", "no-uid", "left-out", "sizes-left-out"):
        jobs[world] = Job({"world": world})
    for world in ("other-section", "never-asked", "again-other", "no-validity"):
        jobs[world] = Job({"world": world})
    # That it holds nothing, and that it has one mail of a number that it has not, can only be believed.
    jobs["search-odd"] = Job({"world": "search-odd"})
    for world in ("late-uid", "more", "no-uidnext", "size-small"):
        jobs[world] = Job({"world": world}, harmless=True)
    jobs["size-zero"], jobs["size-huge"] = Job({"world": "size-zero"}, harmless=True), Job({"world": "size-huge"})
    jobs["vanish-sizes"] = Job({"world": "vanish-sizes"}, gone=(0, 2))
    jobs["vanish-bodies"] = Job({"world": "vanish-bodies"}, gone=(0, 2))
    jobs["validity-within"] = Job({"world": "validity-within"}, gone=(0, 1), more=(LATE,))
    return jobs


def marked_answers() -> dict[str, Job]:
    """Mails that others marked as deleted lie in the folder, with and without UIDPLUS."""
    return {
        f"others marked {' '.join(features)}".strip(): Job(
            {"features": features, "world": "others"}, more=(LATE,), stays="no-uidplus" in features
        )
        for features in ([], ["no-uidplus"])
    }


def pop3_answers() -> dict[str, Job]:
    """Every command meets every answer, with PIPELINING and without; then the worlds."""
    jobs = {}
    for at in POP3_TURNS:
        for kind in (*POP3_KINDS, *COMMON):
            lies = kind in ("undone-ok", "no-block") and at in ("DELE", "QUIT")
            # To whom it does not know it shows an empty mailbox: nobody can tell that from one without mail.
            later = lies or (at, kind) in (("DELE", "twice"), ("USER", "undone-ok"))
            jobs[f"{at} {kind}"] = Job(odd(at, kind), later=later)
        for kind in ("err", "fin", "done-fin"):
            jobs[f"{at} {kind} singly"] = Job(odd(at, kind, features=["no-pipelining"]))
            jobs[f"{at} {kind} third"] = (
                Job(odd(at, kind, 3, features=["no-pipelining"])) if at in ("RETR", "DELE") else (Job(odd(at, kind)))
            )
    for world in (
        "uidl-repeated",
        "uidl-missing",
        "uidl-long",
        "list-huge",
        "cut-dots",
        "retr-empty",
        "stat-many",
        "stat-few",
    ):
        jobs[world] = Job({"world": world})
    for world in ("uidl-path", "list-small", "list-large", "list-none", "stat-few"):
        jobs[world] = Job({"world": world}, harmless=True)
    jobs["uidl-changed"] = Job({"world": "uidl-changed:1", "then": "uidl-changed:2"}, harmless=True)
    return jobs


def smtp_answers() -> dict[str, Job]:
    """Every command meets every answer, with PIPELINING and without."""
    jobs = {}
    for features in ([], ["no-pipelining"]):
        for at in SMTP_TURNS:
            for kind in (*CODES, *SMTP_KINDS, *COMMON):
                expected = {"GREETING": "220", "DATA": "354", "AUTH": "235", "QUIT": "221"}.get(at, "250")
                final = at in ("MAIL", "RCPT", "DATA", "DOT") and kind[:3] in ("550", "554", "552")
                same = kind[:3] == expected
                more = {"features": features} | ({"login": True} if at == "AUTH" else {})
                jobs[f"{at} {kind} {' '.join(features)}".strip()] = Job(
                    odd(at, kind, **more),
                    code="failed" if final else "",
                    harmless=kind == "multi" and at != "DATA" and not same,
                )
    jobs["no STARTTLS"] = Job({"starttls": True})
    return {name: job for name, job in jobs.items() if not (name.startswith(("DOT 250", "RCPT 250", "MAIL 250")))}


def hostile_jobs(protocol: str) -> dict[str, Job]:
    """At every command an answer without end: lines, one line, a byte now and then; and sizes of 10 GB."""
    turns = {"imap": IMAP_TURNS, "pop3": POP3_TURNS, "smtp": SMTP_TURNS}[protocol]
    lies = {"imap": ("literal-huge", "size-huge"), "pop3": ("list-huge", "uidl-path", "uidl-long"), "smtp": ()}[
        protocol
    ]
    jobs = {world: Job({"world": world}, hostile=True) for world in lies}
    for at in turns:
        for kind in ("flood", "endless", "drip", "garbage"):
            login = {"login": True} if (protocol, at) == ("smtp", "AUTH") else {}
            # "+OK still here" is a confirmation: only the next session can see that nothing is gone.
            later = (protocol, kind) in (("pop3", "drip"), ("pop3", "flood")) and at in ("DELE", "QUIT")
            jobs[f"{at} {kind}"] = Job(odd(at, kind, **login), hostile=True, later=later)
    return jobs


# What each broken copy must be found out by: the protocol and these jobs.
FINDS: dict[str, tuple[str, dict[str, Job]]] = {
    "cut": ("pop3", {"cut-dots": Job({"world": "cut-dots"})}),
    "others": (
        "imap",
        {"others marked": Job({"features": ["no-uidplus"], "world": "others"}, more=(LATE,), stays=True)},
    ),
    "temporary": ("smtp", {"RCPT 450": Job(odd("RCPT", CODES[1])), "DOT 451": Job(odd("DOT", CODES[2]))}),
    "final": ("smtp", {"RCPT 550": Job(odd("RCPT", CODES[4]), code="failed")}),
}
