import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventum.mail.envelope import Envelope
from eventum.runners.incoming import Incoming, prune
from eventum.runners.runner import running
from eventum.store import files
from eventum.tracker.disposition import Disposition
from eventum.tracker.limits import Limits
from eventum.tracker.reading import Reader
from eventum.tracker.tracker import Tracker
from tests.house import House, mail


def accept(house: House, *mails: bytes) -> list[str]:
    return house.tracker.spool.accept(
        [(Envelope(destination=house.account.id, received=house.now), raw) for raw in mails]
    )


def work(house: House) -> list[str]:
    told: list[Disposition] = []
    Incoming(house.tracker, told.append).work()
    return [one.outcome for one in told]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in files.listing(folder))


def make_due(house: House) -> None:
    """What waits for its next attempt is due now: a name without its mark."""
    folder = house.tracker.layout.incoming / "new"
    for name in names(folder):
        (folder / name).rename(folder / name.partition(",N=")[0])


def test_mail_is_decided_in_the_order_of_its_arrival_in_many_batches(house: House) -> None:
    root = mail(Message_ID="<root@x>")
    answers = [mail("Re: x", str(n), Message_ID=f"<{n}@x>", In_Reply_To="<root@x>") for n in range(230)]
    accept(house, root)
    accept(house, *answers)
    assert work(house) == ["new_issue", *["filed"] * 230]
    assert house.tracker.spool.backlog() == 0
    assert len(names(house.tracker.layout.done / "cur")) == 231


def test_what_another_run_decides_is_left_to_it(house: House) -> None:
    accept(house, mail())
    other = Tracker(house.config)
    incoming = Incoming(other)
    with house.tracker.locks.record("incoming"):
        assert incoming.work() == 0
    assert incoming.held_by_another
    assert house.tracker.spool.backlog() == 1
    other.close()


def test_a_mail_that_cannot_be_read_is_put_off_twice_and_then_buried_with_its_reason(house: House) -> None:
    (key,) = accept(house, mail())
    house.tracker.__dict__["reader"] = Reader(house.tracker.cache, Limits(answer=1))
    for _ in range(2):
        incoming = Incoming(house.tracker)
        incoming.work()
        assert any("is tried again" in problem for problem in incoming.problems)
        assert house.tracker.spool.waiting() == []
        make_due(house)
    told: list[Disposition] = []
    Incoming(house.tracker, told.append).work()
    assert [(one.outcome, one.account) for one in told] == [("failed", house.account.id)]
    ((dead, path),) = house.tracker.spool.dead()
    assert (dead.key, dead.attempts) == (key, 3)
    assert "gave an answer of" in dead.reason
    assert path.exists()
    house.tracker.reader.close()
    del house.tracker.__dict__["reader"]
    house.tracker.spool.retry(key)
    assert work(house) == ["new_issue"]


def test_a_damaged_issue_holds_up_only_its_own_mail(house: House) -> None:
    accept(house, mail(Message_ID="<root@x>"))
    work(house)
    (house.tracker.layout.issue(1) / "issue.json").write_text("{")
    accept(house, mail("Re: x", Message_ID="<a@x>", In_Reply_To="<root@x>"), mail("Other", Message_ID="<o@x>"))
    outcomes = work(house)
    assert "new_issue" in outcomes
    assert house.tracker.spool.dead() == []


def test_a_cache_that_cannot_be_written_costs_no_mail(house: House) -> None:
    house.tracker.index.catch_up()
    (house.tracker.cache / "readings").write_text("in the way of a folder")
    accept(house, mail())
    assert work(house) == ["new_issue"]
    assert house.tracker.spool.dead() == []


@pytest.mark.parametrize("slip", [b'{{ 1 + "x" }}', b"{{ nothing.at.all }}", b"{% if %}", "Grüße".encode("latin-1")])
def test_a_slip_in_an_administrators_template_accuses_no_mail(house: House, slip: bytes) -> None:
    template = house.tracker.layout.templates / "acknowledgement.txt"
    template.write_bytes(slip)
    accept(house, mail())
    incoming = Incoming(house.tracker)
    incoming.work()
    (entry,) = names(house.tracker.layout.incoming / "new")
    assert ",A=" not in entry
    assert any(str(template) in said for said in [*incoming.damaged, *incoming.problems])
    template.unlink()
    make_due(house)
    assert work(house) == ["new_issue"]


def test_a_damaged_project_accuses_no_mail(house: House) -> None:
    (house.tracker.layout.projects / f"{house.project.id}.json").write_text("{")
    del house.tracker.__dict__["people"]  # What was read a moment ago would be believed for two seconds.
    accept(house, mail())
    incoming = Incoming(house.tracker)
    incoming.work()
    assert house.tracker.spool.backlog() == 1
    assert any(house.project.id in problem for problem in incoming.damaged)
    (entry,) = [name for name in names(house.tracker.layout.incoming / "new")]
    assert ",A=" not in entry


def test_two_runs_at_once_decide_every_mail_once(house: House) -> None:
    accept(house, *(mail(f"Mail {n}", From=f"ana@customer{n}.example", Message_ID=f"<{n}@x>") for n in range(120)))
    outcomes: list[str] = []

    def one_run() -> None:
        tracker = Tracker(house.config, clock=lambda: house.now)
        Incoming(tracker, lambda told: outcomes.append(told.outcome)).work()
        tracker.close()

    threads = [threading.Thread(target=one_run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["new_issue"] * 120
    assert sorted(house.tracker.issues.numbers()) == list(range(1, 121))


def test_numbers_that_were_reserved_and_not_used_are_given_back(house: House) -> None:
    accept(house, *(mail("Same", Message_ID="<same@x>", Received=str(n)) for n in range(5)))
    work(house)
    house.tracker.close()
    accept(house, mail("Next"))
    work(house)
    assert sorted(house.tracker.issues.numbers()) == [1, 2]


def test_claims_of_a_run_that_died_are_taken_back_and_only_the_mail_in_hand_is_accused(house: House) -> None:
    first, second = accept(house, mail("One"), mail("Two"))
    dead = Tracker(house.config)
    dead.spool.claim(dead.spool.waiting())
    dead.spool.hold(second)
    # The process is gone without a good-bye: its lease is free, its names are left.
    dead.maker._lease.release()  # type: ignore[union-attr]
    with running(house.tracker, "download-emails"):
        left = names(house.tracker.layout.incoming / "new")
        assert left == sorted([first, f"{second},A=1"])
        assert work(house) == ["new_issue", "new_issue"]
    assert names(house.tracker.layout.hands) in ([], [house.tracker.maker.id])


@pytest.mark.parametrize("hours", [25, 24 * 366, -24 * 366])
def test_a_clock_that_jumps_makes_nothing_old(house: House, hours: int) -> None:
    (key,) = accept(house, mail())
    work(house)
    house.now = datetime.now(UTC)
    prune(house.tracker)
    for _ in range(4):
        house.now += timedelta(hours=hours)
        prune(house.tracker)
        house.now += timedelta(hours=1)
        prune(house.tracker)
        house.now -= timedelta(hours=hours)
        prune(house.tracker)
    assert names(house.tracker.layout.done / "cur") == [f"{key}:2,S"]


def test_what_was_handled_is_forgotten_after_a_day(house: House) -> None:
    (key,) = accept(house, mail())
    work(house)
    done = house.tracker.layout.done / "cur"
    handled = datetime.fromtimestamp((done / f"{key}:2,S").stat().st_ctime, UTC)
    house.now = handled - timedelta(hours=1)
    for _ in range(25):
        house.now += timedelta(hours=1)
        prune(house.tracker)
    assert names(done) == [f"{key}:2,S"]
    house.now += timedelta(hours=1)
    prune(house.tracker)
    assert names(done) == []
    assert house.tracker.issues.mail_path(1, key).exists()


def test_notices_that_could_not_be_laid_out_at_once_are_before_the_run_says_it_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(house, mail(Message_ID="<1@x>"), mail("Another", Message_ID="<2@x>"))
    real, refused = files.move, []

    def full_once(source: Path | str, target: Path | str) -> None:
        if "/spool/out/new/" in str(target) and not refused:
            refused.append(target)
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(files, "move", full_once)
    work(house)
    assert refused and names(house.tracker.layout.outgoing / "tmp") == []
    assert sorted(notice for notice, _ in house.told()) == ["acknowledgement"] * 2 + ["new_issue_assigned"] * 2
