"""The spool under inspection: what came in, what goes out, and what lies aside.

Flows in: an inspection. Flows out: its findings. What a mail says is not looked at.
"""

from collections import defaultdict
from pathlib import Path

from eventum.mail.envelope import Posting, read
from eventum.store import files
from eventum.store.inspection import BY_NEXT_RUN, Inspection
from eventum.store.layout import SPOOLS, maildir
from eventum.store.maildir import Entry
from eventum.store.spool import Dead

OUTGOING = ("out", "sent", "held", "failed")


class Spools:
    """One look over the spool."""

    def __init__(self, look: Inspection) -> None:
        self._look = look
        self._states: dict[str, list[str]] = defaultdict(list)  # key of an outgoing entry -> where it lies

    def run(self) -> None:
        """Look at every Maildir of the spool."""
        for entry in self._look.entries(self._look.layout.spool):
            if entry.name not in SPOOLS:
                self._look.stranger(entry.path)
        for name in SPOOLS:
            root = self._look.layout.spool / name
            tmp, new, cur = maildir(root)
            for folder in (new, cur):
                for mail in self._look.mails(folder):
                    self._mail(name, mail, is_claimed=folder == cur and name in ("in", "out"))
            self._look.temporary(tmp)
            for entry in self._look.entries(root):
                if entry.name not in ("tmp", "new", "cur") and (name, entry.name) != ("out", "log") and name != "dead":
                    self._look.stranger(entry.path)
        for key, places in self._states.items():
            if len(places) > 1:
                self._look.note(places[1], f"the entry {key} also lies at {places[0]}", "remove one: it is one mail")
        self._logs()
        self._reasons()

    def _mail(self, name: str, mail: Entry, is_claimed: bool) -> None:
        if is_claimed and (not mail.maker or self._look.is_dead(mail.maker)):
            self._look.note(mail.path, "a run that died had it in hand", BY_NEXT_RUN)
        if name not in OUTGOING:
            self._look.mail(mail.path, mail.key)
            if name == "dead":
                self._states[mail.key].append(mail.path)
            return
        self._states[mail.key].append(mail.path)
        data = self._look.bytes_of(mail.path)
        posting = None if data is None else read(data)[0]
        if data is not None and not isinstance(posting, Posting):
            what = "it does not begin with the envelope of a queue entry, so it cannot be sent"
            self._look.note(mail.path, what, "look at it and move it away")
        elif isinstance(posting, Posting) and posting.key != mail.key:
            self._look.note(mail.path, f"by its envelope it is the entry {posting.key}", "rename it to that")

    def _logs(self) -> None:
        for entry in self._look.plain_files(self._look.layout.out_log):
            key, dot, _ = entry.name.partition(".jsonl")
            if not dot:
                self._look.stranger(entry.path)
            elif key not in self._states:
                self._look.left_over(entry.path, "the log of an entry that is gone")
            else:
                self._look.lines(entry.path)

    def _reasons(self) -> None:
        root = self._look.layout.dead
        lying = {mail.key for folder in maildir(root)[1:] for mail in self._look.mails(folder)}
        for entry in self._look.plain_files(root, "tmp", "new", "cur"):
            key, dot, _ = entry.name.partition(".json")
            if not dot:
                self._look.stranger(entry.path)
            elif key not in lying:
                self._look.left_over(entry.path, "the reason of a mail that is here no more")
            else:
                self._look.record(Path(entry.path), Dead)
        for key in lying:
            if not files.exists(root / f"{key}.json"):
                what = "why this mail lies here was lost"
                self._look.note(root / f"{key}.json", what, "`flask dead show` shows the mail itself")
