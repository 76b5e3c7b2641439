"""The issues and the pool under inspection: records, history, and the mails they name, byte for byte.

Flows in: an inspection. Flows out: its findings, and where each mail is, for what must hold between issues and pool.
"""

from collections import defaultdict
from pathlib import Path

from eventum.issues.events import Event, Filing
from eventum.issues.issue import Issue, messages
from eventum.store import files
from eventum.store.inspection import BACKUP, Inspection
from eventum.store.issues import History
from eventum.store.layout import POOLS, maildir
from eventum.store.pool import Pooled


class Issues:
    """One look over all issues."""

    def __init__(self, look: Inspection) -> None:
        self._look = look
        self.numbers: list[int] = []
        self.projects: dict[str, list[int]] = defaultdict(list)  # their issues, by id
        self.homes: dict[str, list[int]] = defaultdict(list)  # key -> the issues that name the mail

    def run(self) -> None:
        """Look at every issue, then at what must hold between them."""
        for shard in self._look.entries(self._look.layout.issues):
            if shard.name == self._look.layout.issues_tmp.name:
                continue
            if not (shard.name.isdigit() and shard.is_dir(follow_symlinks=False)):
                self._look.stranger(shard.path)
                continue
            for entry in self._look.entries(Path(shard.path)):
                if not (entry.name.isdigit() and entry.is_dir(follow_symlinks=False)):
                    self._look.stranger(entry.path)
                elif self._look.layout.issue(int(entry.name)) != Path(entry.path):
                    self._look.note(entry.path, "this issue lies in a folder of other numbers", "move it to its place")
                else:
                    self._issue(int(entry.name))
        for project, numbers in self.projects.items():
            path = self._look.layout.projects / f"{project}.json"
            if not files.exists(path):
                what = f"this project is missing, and issue {numbers[0]} belongs to it ({len(numbers)} in all)"
                self._look.note(path, what, BACKUP)
        for key, numbers in self.homes.items():
            if len(numbers) > 1:
                path = self._look.layout.issue(numbers[-1]) / "issue.json"
                said = ", ".join(map(str, numbers))
                self._look.note(path, f"the mail {key} is named more than once: in issues {said}", "take it out of one")

    def _issue(self, number: int) -> None:
        folder = self._look.layout.issue(number)
        self.numbers.append(number)
        for entry in self._look.entries(folder):
            if entry.name not in ("issue.json", "mail", "history"):
                self._look.stranger(entry.path)
        issue = self._look.record(folder / "issue.json", Issue)
        if issue is None:
            return
        if issue.number != number:
            self._look.note(folder / "issue.json", f"it is the record of issue {issue.number}", BACKUP)
        self.projects[issue.project].append(number)
        named = messages(self._events(folder, issue))
        for filing in named:
            self.homes[filing.key].append(number)
        self._mails(folder, named)

    def _events(self, folder: Path, issue: Issue) -> list[Event]:
        """All events; they must be numbered without a gap from 1 to the last one, and all be announced."""
        older: list[Event] = []
        if (folder / "history").is_dir():
            for entry in self._look.plain_files(folder / "history"):
                stem, dot, _ = entry.name.partition(".json")
                if not (dot and stem.isdigit()):
                    self._look.stranger(entry.path)
                elif moved := self._look.record(Path(entry.path), History):
                    older += [event for event in moved.events if event.number < issue.first_event]
        events = [*sorted(older, key=lambda event: event.number), *issue.events]
        numbers = [event.number for event in events]
        path = folder / "issue.json"
        if numbers != list(range(1, issue.next_event)):
            missing = sorted(set(range(1, issue.next_event)) - set(numbers))
            what = f"events {missing} are missing" if missing else "its events are not numbered in order"
            if missing and missing[0] < issue.first_event:
                path = folder / "history" / f"{missing[0]}.json"
            self._look.note(path, what, BACKUP)
        path = folder / "issue.json"
        if issue.announced != issue.next_event - 1:
            what = f"nobody was told of the events after {issue.announced}"
            self._look.note(path, what, "the next change of the issue tells them")
        return events

    def _mails(self, folder: Path, named: tuple[Filing, ...]) -> None:
        wanted = {filing.key: filing for filing in named}
        lying: set[str] = set()
        tmp, new, cur = maildir(folder / "mail")
        for part in (new, cur):
            for entry in self._look.mails(part):
                if entry.key in lying:
                    self._look.note(entry.path, "the mail lies here twice", "compare the files and remove one")
                elif entry.key in wanted:
                    self._content(entry.path, wanted[entry.key])
                else:
                    # Also what a run linked that died before its record said so: the mail itself is in the spool.
                    self._look.note(entry.path, "the issue's record does not name it", "look at it and move it away")
                lying.add(entry.key)
        for left in self._look.entries(tmp):
            self._look.left_over(left.path, "somebody left this half written")
        for key in wanted.keys() - lying:
            self._look.note(cur / f"{key}:2,S", "the mail is missing", BACKUP)

    def _content(self, path: str, filing: Filing) -> None:
        if filing.outgoing:  # What we wrote has no key made of its bytes.
            self._look.bytes_of(path)
        else:
            self._look.mail(path, filing.key, filing.destination or None)


class Pools:
    """One look over the mail of no issue."""

    def __init__(self, look: Inspection) -> None:
        self._look = look
        self.accounts: dict[str, list[str]] = defaultdict(list)  # key -> the accounts in whose pool it lies

    def run(self, homes: dict[str, list[int]]) -> None:
        """Look at the pool of every account; `homes` says which mails are in issues."""
        for entry in self._look.entries(self._look.layout.pool):
            if entry.is_dir(follow_symlinks=False):
                self._account(Path(entry.path), homes)
            else:
                self._look.stranger(entry.path)

    def _account(self, folder: Path, homes: dict[str, list[int]]) -> None:
        lying = self._mails(folder)
        for entry in self._look.plain_files(folder, *POOLS):
            key, dot, _ = entry.name.partition(".json")
            if not dot:
                self._look.stranger(entry.path)
                continue
            path = Path(entry.path)
            if key not in lying:
                self._look.left_over(path, "a record without its mail, left by a run that died")
                continue
            pooled = self._look.record(path, Pooled)
            if pooled is not None and (pooled.mail.key, pooled.account) != (key, folder.name):
                self._look.note(path, f"it is the record of {pooled.mail.key} of account {pooled.account}", BACKUP)
        for key, paths in lying.items():
            self.accounts[key].append(folder.name)
            if not files.exists(folder / f"{key}.json"):
                self._look.note(paths[0], "a mail without its record", "move it to spool/in/new, to be decided anew")
            if len(paths) > 1:
                self._look.note(paths[1], f"the mail also lies at {paths[0]}", "compare the files and remove one")
            if key in homes:
                what = f"the mail is in issue {homes[key][0]} as well"
                self._look.note(paths[0], what, "`flask emails show` says why; remove it from the list")

    def _mails(self, folder: Path) -> dict[str, list[str]]:
        lying: dict[str, list[str]] = defaultdict(list)
        for outcome in POOLS:
            if not (folder / outcome).is_dir():
                continue
            tmp, new, cur = maildir(folder / outcome)
            for part in (new, cur):
                for entry in self._look.mails(part):
                    lying[entry.key].append(entry.path)
                    self._look.mail(entry.path, entry.key)
            for left in self._look.entries(tmp):
                self._look.left_over(left.path, "somebody left this half written")
        return lying
