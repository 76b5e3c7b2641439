from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from eventum.issues.events import Event, Filed, TakenOut
from eventum.mail.address import Address
from eventum.store.index import Index
from eventum.store.index_lists import SORTS, Listing
from eventum.store.index_tables import EVERYBODY
from eventum.store.index_texts import Scope
from tests.store.parts import NOW, Parts, filed, filing, issue
from tests.store.test_index import follow, is_true, publish, put, save

BOTH = Scope(projects=("desk", "sales"), staff=("desk",))


@pytest.fixture
def index(parts: Parts) -> Iterator[Index]:
    """Four issues: 1 and 4 of the desk, 2 of sales, 3 of nobody's project; 3 is closed, 4 changed last."""
    publish(parts, issue(1, filed(1, "aa"), assignees=("ana",), priority="High", updated=NOW))
    values = {"project": "sales", "status": "waiting", "assignees": ("ana", "ben"), "category": "bills"}
    publish(parts, issue(2, filed(1, "bb"), updated=NOW + timedelta(1), summary="a quote", **values))
    publish(parts, issue(3, project="other", status="closed", closed=NOW, updated=NOW + timedelta(2)))
    publish(parts, issue(4, reporter="zoe@x", updated=NOW + timedelta(3), priority="Low", summary="B"))
    index = parts.index()
    index.catch_up()
    yield index
    index.close()


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Listing(), [4, 3, 2, 1]),
        (Listing(descending=False), [1, 2, 3, 4]),
        (Listing(limit=2, offset=1), [3, 2]),
        (Listing(limit=-1), [4, 3, 2, 1]),
        (Listing(is_closed=False), [4, 2, 1]),
        (Listing(is_closed=True), [3]),
        (Listing(project="desk"), [4, 1]),
        (Listing(project="desk", is_closed=False), [4, 1]),
        (Listing(project="other", scope=BOTH), []),
        (Listing(scope=BOTH), [4, 2, 1]),
        (Listing(scope=BOTH, is_closed=False), [4, 2, 1]),
        (Listing(scope=Scope(projects=(), staff=())), []),
        (Listing(status="waiting"), [2]),
        (Listing(priority="High"), [1]),
        (Listing(category="bills"), [2]),
        (Listing(reporter="zoe@x"), [4]),
        (Listing(assignee="ana"), [2, 1]),
        (Listing(assignee="ana", sort="number"), [2, 1]),
        (Listing(assignee="ana", is_closed=False, project="desk"), [1]),
        (Listing(assignee="ben", is_closed=False, status="waiting"), [2]),
        (Listing(assignee="", is_closed=False), [4]),
        (Listing(assignee="nobody-of-us"), []),
        (Listing(sort="number", descending=False), [1, 2, 3, 4]),
        (Listing(sort="summary", descending=False), [2, 4, 1, 3]),
        (Listing(sort="priority", descending=False, ranks=("High", "Low")), [1, 4, 3, 2]),
        (Listing(sort="status", descending=False, ranks=("waiting", "new", "closed")), [2, 4, 1, 3]),
        (Listing(sort="assignee", descending=False, ranks=("ben", "ana")), [2, 1, 4, 3]),
        (Listing(sort="reporter", descending=True), [4, 3, 2, 1]),
    ],
)
def test_a_list_has_what_is_wanted_in_its_order_and_knows_how_many_there_are(
    index: Index, wanted: Listing, numbers: list[int]
) -> None:
    assert [line.number for line in index.lines(wanted)] == numbers
    whole = msgspec.structs.replace(wanted, limit=-1, offset=0)
    assert index.count(wanted) == len(index.lines(whole))


@pytest.mark.parametrize("column", SORTS)
@pytest.mark.parametrize("descending", [True, False])
def test_every_column_sorts_both_ways(index: Index, column: str, descending: bool) -> None:
    listing = Listing(sort=column, descending=descending, ranks=("desk", "new", "High", "ana"))
    assert sorted(line.number for line in index.lines(listing)) == [1, 2, 3, 4]


def test_tallies_count_by_person_and_status(index: Index) -> None:
    assert sorted(index.tallies(BOTH, (EVERYBODY, "", "ana", "nobody"))) == [
        ("", "new", False, 1),
        (EVERYBODY, "new", False, 2),
        (EVERYBODY, "waiting", False, 1),
        ("ana", "new", False, 1),
        ("ana", "waiting", False, 1),
    ]


def test_tallies_follow_every_change(parts: Parts, index: Index) -> None:
    value = parts.issues.load(1)
    save(parts, msgspec.structs.replace(value, status="closed", closed=NOW, assignees=("ben",), project="sales"))
    index.catch_up()
    assert index.tallies(Scope(projects=("desk",)), ("ana",)) == []
    assert index.count(Listing(assignee="ben", is_closed=True)) == 1
    assert [line.number for line in index.lines(Listing(assignee="ben", is_closed=True))] == [1]
    assert index.count(Listing(is_closed=False)) == 2
    assert is_true(parts, index)


def test_a_line_says_who_the_reporter_is_and_who_wrote_last(parts: Parts, index: Index) -> None:
    (line,) = (line for line in index.lines(Listing()) if line.number == 1)
    assert (line.reporter_name, line.last_sender, line.last_who) == (
        "Ana",
        "ana@customer.example",
        "ana@customer.example",
    )

    value = parts.issues.load(1)
    ours = filing("cc", outgoing=True, from_=Address("Dev", "dev@x"))
    event = Event(number=2, when=NOW, who="dev", what=Filed(ours))
    save(parts, msgspec.structs.replace(value, events=(*value.events, event), next_event=3))
    index.catch_up()
    (line,) = (line for line in index.lines(Listing()) if line.number == 1)
    assert (line.reporter_name, line.last_sender, line.last_who) == ("Ana", "", "dev")
    assert is_true(parts, index)


def test_a_blocked_mail_waits_until_it_is_filed_anew_or_taken_out(parts: Parts, index: Index) -> None:
    value = parts.issues.load(1)
    blocked = [filing(key, blocked="not_entitled") for key in ("c1", "c2", "c3")]
    events = [Event(number=at, when=NOW, what=Filed(mail)) for at, mail in enumerate(blocked, 2)]
    save(parts, msgspec.structs.replace(value, events=(*value.events, *events), next_event=5))
    index.catch_up()
    assert sorted(index.blocked(BOTH)) == [(1, "c1"), (1, "c2"), (1, "c3")]
    assert (index.waiting(BOTH), index.waiting(Scope(projects=("desk",), staff=()))) == (3, 0)
    value = parts.issues.load(1)
    later = (
        Event(number=5, when=NOW, what=Filed(filing("c1"))),
        Event(number=6, when=NOW, what=Filed(filing("c2", blocked="not_entitled", handled="ignored"))),
        Event(number=7, when=NOW, what=TakenOut("c3")),
    )
    save(parts, msgspec.structs.replace(value, events=(*value.events, *later), next_event=8))
    index.catch_up()
    assert index.blocked(BOTH) == [] and index.waiting(BOTH) == 0
    assert (index.filed("c1"), index.filed("c2"), index.filed("c3")) == (1, 1, None)
    assert is_true(parts, index)


def test_what_a_form_made_is_known_by_its_nonce(parts: Parts, index: Index) -> None:
    publish(parts, issue(9, Event(number=1, when=NOW, what=Filed(filing("zz")), nonce="0123456789abcdef")))
    index.catch_up()
    assert (index.made("0123456789abcdef"), index.made("f" * 16)) == (9, None)


def test_mail_of_no_issue_is_counted_where_somebody_is_staff(parts: Parts, index: Index) -> None:
    put(parts, "p1")
    put(parts, "p2", "ignored")
    index.catch_up()
    assert index.pooled_count(Scope(), "unassociated") == 1
    assert index.pooled_count(BOTH, "unassociated") == 1
    assert index.pooled_count(Scope(projects=("desk",), staff=()), "unassociated") == 0


def test_an_issue_that_grows_keeps_its_place_among_the_assigned(parts: Parts, index: Index) -> None:
    follow(parts, 1, "k1", "k2")
    follow(parts, 2, "k3")
    index.catch_up()
    assert [line.number for line in index.lines(Listing(assignee="ana"))] == [2, 1]
    assert is_true(parts, index)
