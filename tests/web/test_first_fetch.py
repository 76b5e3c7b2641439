"""The First fetch panel of an account, and its imports."""

import os
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.runners import detached, imports
from eventum.runners.importing import Plan
from eventum.tracker.imports import LEASE, state_of
from tests.house import House, mail
from tests.web.browser import Browser, Site

LIST = "/admin/accounts"
LINE = b"From ana@example.org Mon Jan  5 10:00:00 2026\n"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


def maildir(house: House, days: tuple[int, ...] = (0, 100, 3000)) -> str:
    """A Maildir whose mails came so many days ago."""
    box = house.root / "old"
    for part in ("cur", "new", "tmp"):
        (box / part).mkdir(parents=True)
    for at, ago in enumerate(days):
        path = box / "new" / f"{at}"
        path.write_bytes(mail(f"Mail {at}", Message_ID=f"<{at}@x>"))
        then = (house.now - timedelta(days=ago, hours=1)).timestamp()
        os.utime(path, (then, then))
    return str(box)


def added(house: House, admin: Browser, folder: str) -> str:
    """The page of an account that was added in the browser."""
    page = admin.get(f"{LIST}/new")
    page = admin.submit(page, f"{LIST}/new", type="maildir", folder=folder, addresses="")
    assert "Nothing is fetched before you press Start." in admin.get(page.path).text
    return page.path


def until_done(house: House, path: str) -> None:
    account = house.tracker.settings.account(path.rpartition("/")[2])
    until = time.monotonic() + 60
    while detached.seen(house.tracker, account).goes_on and time.monotonic() < until:
        time.sleep(0.05)


def test_an_account_added_in_the_browser_waits_until_somebody_saw_what_there_is(house: House, admin: Browser) -> None:
    path = added(house, admin, maildir(house))
    account = house.tracker.settings.account(path.rpartition("/")[2])
    assert account.paused and "Waits for Start" in admin.get(LIST).text
    page = admin.get(f"{path}/first-fetch")
    assert "With these settings 3 are taken: 2 are filed quietly, 1 are told like new mail." in page.text
    page = admin.get(f"{path}/first-fetch?start=all&quiet_before=never")
    assert "0 are filed quietly, 3 are told" in page.text
    assert house.tracker.settings.account(account.id) == account


def test_start_saves_what_was_chosen_and_begins(house: House, admin: Browser) -> None:
    path = added(house, admin, maildir(house))
    counted = admin.get(f"{path}/first-fetch")
    page = admin.submit(counted, f"{path}/first-fetch", start="all", quiet_before="2026-01-01")
    until_done(house, path)
    account = house.tracker.settings.account(path.rpartition("/")[2])
    assert (account.paused, account.quiet_before, page.path) == (False, "2026-01-01", path)
    assert "First fetch" not in admin.get(path).text


def test_what_cannot_be_counted_or_taken_is_said_and_nothing_begins(house: House, admin: Browser) -> None:
    path = added(house, admin, maildir(house))
    page = admin.get(f"{path}/first-fetch?start=all&quiet_before=soon")
    assert "Write a number of days or hours" in page.text
    page = admin.submit(admin.get(f"{path}/first-fetch"), f"{path}/first-fetch", quiet_before="soon")
    assert page.status == 422 and "Write a number of days or hours" in page.text
    os.rename(house.root / "old", house.root / "gone")
    assert "There is no Maildir" in admin.get(f"{path}/first-fetch").text
    assert house.tracker.settings.account(path.rpartition("/")[2]).paused


def test_mail_that_is_delivered_to_us_needs_no_start(house: House, admin: Browser) -> None:
    page = admin.get(f"{LIST}/new")
    page = admin.submit(page, f"{LIST}/new", type="delivered", addresses="new@example.org")
    account = house.tracker.settings.account(page.path.rpartition("/")[2])
    assert not account.paused and "First fetch" not in admin.get(page.path).text


def brought(house: House, count: int = 2) -> str:
    path = house.root / "old.mbox"
    path.write_bytes(b"".join(LINE + mail(f"Old {n}", Message_ID=f"<old{n}@x>") + b"\n" for n in range(count)))
    return imports.bring(house.tracker, house.account, Plan(path=str(path), by=house.dev.id)).one.id


def test_an_import_is_seen_with_who_made_it_and_undone_from_its_account(house: House, admin: Browser) -> None:
    ident = brought(house)
    page = admin.get(f"{LIST}/{house.account.id}")
    assert "2 mails imported" in page.text and "by Dev" in page.text and "old.mbox" in page.text
    admin.submit(page, f"{LIST}/imports/{ident}/undo")
    until = time.monotonic() + 60
    while state_of(house.tracker, house.tracker.imports.load(ident)) != "undone" and time.monotonic() < until:
        time.sleep(0.05)
    page = admin.get(f"{LIST}/{house.account.id}")
    assert "undone: 2 issues closed, 2 mails removed" in page.text
    assert f"{LIST}/imports/{ident}/undo" not in page.html


def test_an_undoing_that_broke_off_can_be_gone_on_with(house: House) -> None:
    one = house.tracker.imports.load(brought(house))
    asked = house.tracker.imports.save(msgspec.structs.replace(one, undoing=house.now))
    assert state_of(house.tracker, asked) == "undoing"
    house.now += timedelta(minutes=1)
    assert state_of(house.tracker, asked) == "undoing broke off"
    lease = house.tracker.locks.lease(LEASE)
    assert lease is not None
    with lease:
        assert state_of(house.tracker, asked) == "undoing"


def test_nobody_but_an_administrator_sees_or_does_any_of_it(house: House, site: Site) -> None:
    ident = brought(house)
    dev = site.browser("dev@example.org")
    for path in (f"{LIST}/{house.account.id}/first-fetch", f"{LIST}/{house.account.id}"):
        assert dev.get(path).status == 403
    assert dev.post(f"{LIST}/imports/{ident}/undo", {}).status == 403
    assert Path(house.root / "old.mbox").exists()
