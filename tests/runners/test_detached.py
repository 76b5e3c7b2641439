"""Download now: a run of its own, its progress from the store, and never two at once."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from eventum.errors import Refused
from eventum.runners import detached
from eventum.runners.fetching import Download
from eventum.store.downloads import Progress
from tests.house import House, mail


def box(house: House, *mails: bytes) -> None:
    folder = Path(house.account.folder)
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(mails):
        (folder / "new" / f"{number}.host").write_bytes(raw)


def ended(house: House) -> detached.Seen:
    """The run once it is over; a process of its own needs its time."""
    until = time.monotonic() + 60
    while (found := detached.seen(house.tracker, house.account)).goes_on and time.monotonic() < until:
        os.sched_yield()
    return found


def test_nothing_is_seen_of_an_account_that_was_never_fetched(house: House) -> None:
    assert detached.seen(house.tracker, house.account).phase == "none"


def test_a_run_notes_how_far_it_came(house: House) -> None:
    box(house, mail("One"), mail("Two"))
    Download(house.tracker).run([house.account])
    found = detached.seen(house.tracker, house.account)
    assert found.phase == "done"
    assert (found.progress.waiting, found.progress.fetched, found.progress.outcomes) == (2, 2, {"new_issue": 2})


def test_a_run_that_fails_says_why(house: House) -> None:
    Download(house.tracker).run([house.account])
    found = detached.seen(house.tracker, house.account)
    assert found.phase == "failed" and "no Maildir" in found.progress.error


def test_download_now_fetches_in_a_process_of_its_own_and_a_second_click_begins_nothing(house: House) -> None:
    house.now = house.now.now(house.now.tzinfo)
    box(house, mail("One"))
    assert detached.begin(house.tracker, house.account)
    assert not detached.begin(house.tracker, house.account)
    found = ended(house)
    assert (found.phase, found.progress.fetched, found.progress.error) == ("done", 1, "")
    assert house.issue(1).summary == "One"
    assert detached.begin(house.tracker, house.account), "the next one may begin when this one is over"
    assert ended(house).phase == "done"


def test_a_run_that_another_began_is_the_one_to_watch(house: House) -> None:
    house.tracker.downloads.note(house.account.id, Progress(maker=house.tracker.maker.id, started=house.now, waiting=9))
    assert detached.seen(house.tracker, house.account).phase == "running"
    assert not detached.begin(house.tracker, house.account)


def test_a_run_that_died_is_told_from_one_that_goes_on(house: House) -> None:
    house.tracker.downloads.note(house.account.id, Progress(maker="host-1-00000000", started=house.now))
    with house.tracker.downloads.output(house.account.id) as output:
        output.write(b"Error: the disk is full.\n")
    found = detached.seen(house.tracker, house.account)
    assert (found.phase, found.words) == ("died", "Error: the disk is full.\n")
    assert not (house.tracker.layout.locks / "leases" / "host-1-00000000.lock").exists()


def test_a_process_that_never_began_is_told(house: House) -> None:
    house.tracker.downloads.note(house.account.id, Progress(asked=house.now))
    assert detached.seen(house.tracker, house.account).phase == "starting"
    house.now += timedelta(minutes=1)
    assert detached.seen(house.tracker, house.account).phase == "died"


@pytest.mark.parametrize("fields", [{"paused": True}, {"type": "delivered"}])
def test_what_is_not_fetched_is_not_begun(house: House, fields: dict[str, object]) -> None:
    house.set_account(**fields)
    with pytest.raises(Refused, match="not fetched"):
        detached.begin(house.tracker, house.account)


def test_a_process_of_its_own_gets_the_store_and_nothing_of_the_server(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WERKZEUG_SERVER_FD", "3")
    monkeypatch.setenv("FLASK_DEBUG", "1")
    found = detached.surroundings(house.tracker)
    assert found["EVENTUM_DATA"] == str(house.config.data) and found["EVENTUM_CACHE"] == str(house.config.cache)
    assert not {"WERKZEUG_SERVER_FD", "FLASK_DEBUG"} & set(found)


def test_the_command_that_is_started_is_one_of_ours() -> None:
    command = [sys.executable, "-m", "flask", "--app", "app", "download-emails", "--help"]
    shown = subprocess.run(command, cwd=detached.ROOT, capture_output=True, text=True, check=True)
    assert "--account" in shown.stdout
