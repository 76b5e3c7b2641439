"""Where everything lies under `data/`: the paths, and nothing else.

Flows in: the root of the store and ids. Flows out: paths. No file is touched here, but for `create`, which `flask init`
calls. Every id that becomes part of a path is checked here, so that no other module has to.
"""

import re
from pathlib import Path

from eventum.errors import NotFound
from eventum.store import files

SCHEMA = 1
SHARD = 1000  # Issues a folder: small enough for a person to look at, large enough to stay few.
STRIPES = 256  # Locks shared by all issues.

# The outcomes under which mail of no issue is kept.
POOLS = ("unassociated", "removed", "refused", "ignored", "duplicate")
# The Maildirs of the spool.
SPOOLS = ("in", "out", "sent", "held", "failed", "done", "dead", "kept")

_ID = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}\Z")


def checked(name: str) -> str:
    """The id itself when it is fit to be part of a path. Raises `NotFound` otherwise."""
    if not _ID.match(name):
        raise NotFound(f"{name!r} is not an id: ids are lower-case letters and digits.")
    return name


def maildir(root: Path) -> tuple[Path, Path, Path]:
    """The three folders of a Maildir (https://cr.yp.to/proto/maildir.html)."""
    return root / "tmp", root / "new", root / "cur"


class Layout:
    """The places of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / "spool"
        self.incoming = self.spool / "in"
        self.outgoing = self.spool / "out"
        self.out_log = self.outgoing / "log"
        self.sent = self.spool / "sent"
        self.held = self.spool / "held"
        self.failed = self.spool / "failed"
        self.done = self.spool / "done"
        self.dead = self.spool / "dead"
        self.kept = self.spool / "kept"
        self.issues = root / "issues"
        self.issues_tmp = self.issues / ".tmp"
        self.pool = root / "pool"
        self.users = root / "people" / "users"
        self.projects = root / "people" / "projects"
        self.settings = root / "settings"
        self.accounts = self.settings / "accounts"
        self.responses = self.settings / "responses"
        self.templates = self.settings / "templates"
        self.general = self.settings / "general.json"
        self.state = root / "state"
        self.state_tmp = self.state / ".tmp"
        self.store = self.state / "store.json"
        self.number = self.state / "number.json"
        self.fetch = self.state / "fetch"
        self.downloads = self.state / "downloads"
        self.first_visit = self.state / "first-visit.json"
        self.imports = self.state / "imports"
        self.runs = self.state / "runs"
        self.intents = self.state / "intents"
        self.hands = self.state / "hands"
        self.drafts = self.state / "drafts"
        self.writing = self.state / "writing"
        self.filters = self.state / "filters"
        self.logins = self.state / "logins"
        self.tries = self.state / "tries.json"
        self.place = self.state / "place.json"
        self.sending = self.state / "sending.json"
        self.alerts = self.state / "alerts.json"
        self.fuse = self.state / "fuse.json"
        self.journal = root / "journal"
        self.locks = root / "locks"

    def folders(self) -> list[Path]:
        """Every folder a store has from its first day."""
        maildirs = [folder for name in SPOOLS for folder in maildir(self.spool / name)]
        return [
            *maildirs,
            self.out_log,
            self.issues_tmp,
            self.pool,
            self.users,
            self.projects,
            self.accounts,
            self.responses,
            self.templates,
            self.state_tmp,
            self.fetch,
            self.downloads,
            self.imports,
            self.runs,
            self.intents,
            self.hands,
            self.drafts,
            self.writing,
            self.filters,
            self.logins,
            self.journal,
            self.locks / "issues",
            self.locks / "leases",
        ]

    def create(self) -> None:
        """Make all folders, durable; those that exist stay as they are."""
        files.make_folders(self.folders())

    def shard(self, number: int) -> Path:
        """The folder that holds the issue's folder."""
        return self.issues / str(number // SHARD)

    def issue(self, number: int) -> Path:
        """The folder of one issue."""
        return self.issues / str(number // SHARD) / str(number)

    def pool_of(self, account: str, outcome: str) -> Path:
        """The Maildir of an account's mail that ended with this outcome."""
        return self.pool / checked(account) / outcome

    def account(self, account: str) -> Path:
        """The file of one e-mail account."""
        return self.accounts / f"{checked(account)}.json"

    def began_of(self, account: str) -> Path:
        """When one e-mail account was fetched first."""
        return self.accounts / f"{checked(account)}.began"

    def daily(self, direction: str) -> Path:
        """How many mails came `in` or went `out`, by day."""
        return self.state / f"daily-{direction}.json"

    def fetch_of(self, account: str) -> Path:
        """What is noted about fetching one account."""
        return self.fetch / f"{checked(account)}.json"

    def download_of(self, account: str) -> Path:
        """How far the last run of one account came."""
        return self.downloads / f"{checked(account)}.json"

    def import_of(self, ident: str) -> Path:
        """The record of one import."""
        return self.imports / f"{checked(ident)}.json"

    def filters_of(self, user: str) -> Path:
        """The filters a user saved."""
        return self.filters / f"{checked(user)}.json"

    def login_of(self, user: str) -> Path:
        """What is noted about the logins of one user."""
        return self.logins / f"{checked(user)}.json"

    def draft_of(self, user: str, form: str) -> Path:
        """What one user typed into one form."""
        return self.drafts / f"{checked(user)}-{checked(form)}.json"

    def draft_files(self, user: str, form: str) -> Path:
        """The files that one user chose for one form."""
        return self.drafts / f"{checked(user)}-{checked(form)}"

    def writing_of(self, number: int) -> Path:
        """Who is writing to an issue."""
        return self.writing / f"{number}.json"
