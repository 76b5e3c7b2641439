import tempfile
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.errors import Damaged
from eventum.store import files
from eventum.store.layout import Layout
from eventum.store.state import FetchState, Intent, Move, Run
from tests.store.parts import NOW, Parts

# The ids of a POP3 server: visible ASCII, at most 70 (RFC 1939 section 7).
ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=70)


def uidl(layout: Layout) -> Path:
    return layout.fetch / "account.uidl"


def test_an_intent_is_seen_until_it_is_fulfilled(parts: Parts) -> None:
    intent = Intent(parts.maker.id, (("k1", 1), ("k2", 0)), (Move("account", "k3", 1),))
    parts.state.intend(intent)
    assert list(parts.state.intents()) == [intent]
    assert list(files.listing(parts.layout.state_tmp)) == []
    for _ in range(2):
        parts.state.fulfilled(parts.maker.id)
        assert list(parts.state.intents()) == []


def test_a_run_has_one_intent_the_last(parts: Parts) -> None:
    other = Parts(parts.layout)
    theirs = Intent(other.maker.id, (("k9", 9),))
    ours = [Intent(parts.maker.id, ((f"k{number}", number),)) for number in range(3)]
    other.state.intend(theirs)
    for intent in ours:
        parts.state.intend(intent)
    assert set(parts.state.intents()) == {theirs, ours[-1]}
    other.close()


def test_an_intent_that_cannot_be_read_hides_no_other(parts: Parts) -> None:
    (parts.layout.intents / "dead-1-00000000.json").write_bytes(b"{")
    intent = Intent(parts.maker.id, ())
    parts.state.intend(intent)
    assert list(parts.state.intents()) == [intent]


def test_an_account_that_was_never_fetched_begins_at_the_beginning(parts: Parts) -> None:
    assert parts.state.fetch("account") == FetchState()
    assert parts.state.fetched_ids("account") == set()


def test_how_far_an_account_is_fetched_is_read_as_it_was_written(parts: Parts) -> None:
    state = FetchState(
        validity="1764",
        last=42,
        todo=("7", "9"),
        owed=("1",),
        first_fetch=NOW,
        last_run=NOW + timedelta(microseconds=1),
        error="The server is away.",
        failures=3,
        started=True,
        passed_over=("8: too large",),
    )
    for written in (FetchState(), state):
        parts.state.save_fetch("account", written)
        assert parts.state.fetch("account") == written
    assert parts.state.fetch("other") == FetchState()


def test_a_position_that_cannot_be_read_is_never_taken_for_the_beginning(parts: Parts) -> None:
    parts.layout.fetch_of("account").write_bytes(b"{")
    with pytest.raises(Damaged, match="account.json"):
        parts.state.fetch("account")


@settings(max_examples=20)
@given(st.lists(st.lists(ids, max_size=5), max_size=5), st.lists(ids, max_size=5))
def test_the_ids_that_were_noted_are_known(batches: list[list[str]], left: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        parts = Parts(layout)
        for batch in batches:
            parts.state.add_fetched_ids("account", batch)
        assert parts.state.fetched_ids("account") == {one for batch in batches for one in batch}
        parts.state.set_fetched_ids("account", left)
        assert parts.state.fetched_ids("account") == set(left)
        parts.close()


@settings(max_examples=20)
@given(st.lists(ids, min_size=1, max_size=4, unique=True), st.lists(ids, min_size=1, max_size=4), st.data())
def test_an_id_that_a_crash_cut_short_is_no_id_and_hides_no_other(
    before: list[str], after: list[str], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        parts = Parts(layout)
        parts.state.add_fetched_ids("account", before)
        whole = uidl(layout).read_bytes()
        kept = whole[: data.draw(st.integers(0, len(whole)))]
        uidl(layout).write_bytes(kept)
        survivors = set(before[: kept.count(b"\n")])
        assert parts.state.fetched_ids("account") == survivors
        parts.state.add_fetched_ids("account", after)
        assert parts.state.fetched_ids("account") == survivors | set(after)
        parts.close()


def test_bytes_that_are_no_text_are_an_odd_id_and_nothing_more(parts: Parts) -> None:
    uidl(parts.layout).write_bytes(b"\xff\xfe\nid-2\n")
    assert "id-2" in parts.state.fetched_ids("account")


def test_how_the_last_run_of_a_command_went_is_known(parts: Parts) -> None:
    assert parts.state.run("download-emails") is None
    runs = [
        Run(command="download-emails", started=NOW, ended=NOW + timedelta(seconds=number), ok=bool(number), summary="")
        for number in range(2)
    ]
    for run in runs:
        parts.state.save_run(run)
    assert parts.state.run("download-emails") == runs[-1]
    assert parts.state.run("process-queue") is None


def test_a_field_that_a_newer_program_wrote_stops_no_older_one(parts: Parts) -> None:
    data = msgspec.to_builtins(FetchState(last=5)) | {"later": 1}
    parts.layout.fetch_of("account").write_bytes(msgspec.json.encode(data))
    assert parts.state.fetch("account").last == 5
