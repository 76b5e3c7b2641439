"""data/README.md is the storage format; its tables are compared with the records of the program."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from eventum.issues.accounts import Account, AutoCreation
from eventum.issues.events import Event, Filing, What
from eventum.issues.issue import ACTIONS, Issue, Subscription
from eventum.issues.people import Preferences, Project, Role, User
from eventum.issues.responses import Response
from eventum.issues.settings import AddressRouting, Defaults, Disk, Fuse, General, Metrics, Network, Smtp, Switch
from eventum.issues.trace import Row
from eventum.mail.address import Address
from eventum.mail.message import Attachment
from eventum.store import layout
from eventum.store.alerts import Alert, AlertState, Letter
from eventum.store.daily import KEPT, Daily
from eventum.store.downloads import Progress
from eventum.store.drafts import KeptFile, Typed, Writers
from eventum.store.filters import Filters, SavedFilter
from eventum.store.first_visit import FirstVisit
from eventum.store.fuses import FuseState
from eventum.store.identity import Identity
from eventum.store.imports import Import
from eventum.store.issues import KEEP, MOST, History, Next
from eventum.store.layout import Layout
from eventum.store.logins import Link, LoginState, Tries
from eventum.store.outbox import BACK_OFF, Attempt
from eventum.store.place import Place
from eventum.store.pool import Pooled
from eventum.store.said import Said
from eventum.store.settings import Began
from eventum.store.spool import Dead
from eventum.store.state import FetchState, Intent, Move, Run, SendState

PAGE = (Path(__file__).parent.parent / "data" / "README.md").read_text(encoding="utf-8")

RECORDS: dict[str, type[msgspec.Struct]] = {
    "state/store.json": Identity,
    "issue.json": Issue,
    "Event": Event,
    "Message": Filing,
    "history/&lt;first&gt;.json": History,
    "pool/&lt;account&gt;/&lt;key&gt;.json": Pooled,
    "spool/dead/&lt;key&gt;.json": Dead,
    "spool/out/log/&lt;key&gt;.jsonl": Attempt,
    "people/users/&lt;id&gt;.json": User,
    "people/projects/&lt;id&gt;.json": Project,
    "settings/accounts/&lt;id&gt;.json": Account,
    "settings/accounts/&lt;id&gt;.began": Began,
    "settings/general.json": General,
    "settings/responses/&lt;id&gt;.json": Response,
    "state/logins/&lt;user&gt;.json": LoginState,
    "state/tries.json": Tries,
    "state/sending.json": SendState,
    "state/alerts.json": AlertState,
    "state/fuse.json": FuseState,
    "state/number.json": Next,
    "state/place.json": Place,
    "state/fetch/&lt;account&gt;.json": FetchState,
    "state/imports/&lt;id&gt;.json": Import,
    "state/downloads/&lt;account&gt;.json": Progress,
    "state/first-visit.json": FirstVisit,
    "state/runs/&lt;command&gt;.json": Run,
    "state/daily-in.json": Daily,
    "state/intents/&lt;maker&gt;.json": Intent,
    "state/filters/&lt;user&gt;.json": Filters,
    "state/drafts/&lt;user&gt;-&lt;form&gt;.json": Typed,
    "state/writing/&lt;N&gt;.json": Writers,
}
# Values inside a record: the field that holds them, and the names that its row must say.
INSIDE: list[tuple[str, str, type[msgspec.Struct]]] = [
    ("issue.json", "subscriptions", Subscription),
    ("Message", "from", Address),
    ("Message", "attachments", Attachment),
    ("Message", "trace", Row),
    ("people/users/&lt;id&gt;.json", "preferences", Preferences),
    ("settings/accounts/&lt;id&gt;.json", "auto_create", AutoCreation),
    ("state/logins/&lt;user&gt;.json", "invitation", Link),
    ("settings/general.json", "smtp", Smtp),
    ("settings/general.json", "subject_routing", Switch),
    ("settings/general.json", "email_routing", AddressRouting),
    ("settings/general.json", "network", Network),
    ("settings/general.json", "defaults", Defaults),
    ("settings/general.json", "disk", Disk),
    ("settings/general.json", "fuse", Fuse),
    ("settings/general.json", "metrics", Metrics),
    ("state/alerts.json", "alerts", Alert),
    ("state/alerts.json", "alerts", Said),
    ("state/alerts.json", "letter", Letter),
    ("state/intents/&lt;maker&gt;.json", "moves", Move),
    ("state/drafts/&lt;user&gt;-&lt;form&gt;.json", "files", KeptFile),
    ("state/filters/&lt;user&gt;.json", "filters", SavedFilter),
]


def fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def section(title: str) -> str:
    _, found, rest = PAGE.partition(f"\n### {title}\n")
    assert found, title
    return re.split(r"\n##", rest)[0]


def rows(title: str) -> dict[str, str]:
    """Each name of the first column of the first table of a section, and the text of its row."""
    table = re.search(r"\n\| field .*?(?=\n\n|\Z)", section(title), re.DOTALL)
    assert table
    lines = [line.split("|")[1:3] for line in table[0].strip().splitlines()[2:]]
    return {name: text for cell, text in lines for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("title", RECORDS)
def test_the_page_names_each_field_of_a_record_and_no_other(title: str) -> None:
    assert sorted(rows(title)) == sorted(fields(RECORDS[title]))


@pytest.mark.parametrize(("title", "field", "kind"), INSIDE)
def test_the_page_names_what_is_inside_a_field(title: str, field: str, kind: type[msgspec.Struct]) -> None:
    assert set(fields(kind)) <= set(re.findall(r"`([a-z_0-9.]+)`", rows(title)[field]))


def test_the_page_names_every_type_of_event_with_its_fields() -> None:
    table = {
        cells[1].strip(" `"): re.findall(r"`([a-z_]+)`", cells[2])
        for line in section("Event").splitlines()
        if len(cells := line.split("|")) == 4 and cells[1].strip().startswith("`")
    }
    for kind in get_args(What):
        assert table[kind.__struct_config__.tag] == fields(kind)


def test_the_page_names_the_folders_of_a_store_and_the_numbers_of_the_format() -> None:
    root = Layout(Path("/data"))
    tree = PAGE.partition("## Where everything lies")[2].partition("## Mail")[0]
    for folder in root.folders():
        parts = folder.relative_to("/data").parts
        assert parts[-1] in tree and parts[0] in tree, folder
    assert PAGE.startswith(f"# The storage format, schema {layout.SCHEMA}\n")
    for outcome in layout.POOLS:
        assert f"`{outcome}`" in PAGE
    for role in Role:
        assert f"{int(role)} {role.name}" in PAGE
    assert " ".join(ACTIONS) in PAGE
    assert f"when there are {MOST}, all but the newest {KEEP}" in PAGE
    assert f"of the last {KEPT} days" in PAGE
    minutes = [str(seconds // 60) for seconds in BACK_OFF]
    assert f"{', '.join(minutes[:-1])}, then {minutes[-1]} minutes later" in PAGE
