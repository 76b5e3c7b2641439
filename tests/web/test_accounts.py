"""Manage Email Accounts in the browser: added, changed, tested, downloaded, paused, deleted; no password shown."""

import os
import re
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.runners import detached
from tests.house import House, mail
from tests.web.browser import Browser, Page, Site

LIST = "/admin/accounts"
SERVER = {"type": "imap/ssl", "host": "mail.example.org", "username": "help", "password": "correct horse"}


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


def one(house: House) -> str:
    return f"{LIST}/{house.account.id}"


def imap(house: House, browser: Browser) -> str:
    """The page of an account on a server, added in the browser."""
    page = browser.submit(f"{LIST}/new", f"{LIST}/new", **SERVER, addresses="it@example.org")
    assert page.status == 303, page.text
    return page.path


def box(house: House, *mails: bytes) -> None:
    for part in ("new", "cur", "tmp"):
        (Path(house.account.folder) / part).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(mails):
        (Path(house.account.folder) / "new" / f"{number}.host").write_bytes(raw)


def stored(house: House, path: str) -> object:
    return house.tracker.settings.account(path.rpartition("/")[2])


@pytest.mark.parametrize("path", ["", "/new", "/{id}", "/{id}/auto-creation", "/{id}/delete", "/{id}/progress"])
def test_only_administrators_see_accounts(house: House, site: Site, path: str) -> None:
    path = LIST + path.format(id=house.account.id)
    assert site.browser("admin@example.org").get(path).status == 200
    assert site.browser("dev@example.org").get(path).status == 403
    assert site.browser().get(path).path == "/login"


def test_the_list_names_each_account_with_its_state_and_the_way_to_its_auto_creation(
    house: House, admin: Browser
) -> None:
    page = admin.get(LIST)
    assert "Existing Accounts" in page.text and "help@example.org" in page.text and "Not fetched yet" in page.text
    assert f"{one(house)}/auto-creation" in page.links and "Enabled" in page.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"last_success": timedelta(0)}, "Working"),
        ({"last_success": timedelta(hours=1)}, "Overdue"),
        ({"error": "It said no.", "error_since": timedelta(hours=1), "failures": 3}, "3 attempts It said no."),
        ({"last_success": timedelta(0), "passed_over": ("7: too large",)}, "Mail left on the server"),
    ],
)
def test_the_list_says_how_an_account_is_doing(
    house: House, admin: Browser, fields: dict[str, object], words: str
) -> None:
    given = {name: house.now - value if isinstance(value, timedelta) else value for name, value in fields.items()}
    state = msgspec.structs.replace(house.tracker.state.fetch(house.account.id), **given)
    house.tracker.state.save_fetch(house.account.id, state)
    assert words in admin.get(LIST).text


def test_without_an_account_the_list_says_what_to_do(house: House, admin: Browser) -> None:
    house.tracker.settings.delete_account(house.account)
    page = admin.get(LIST)
    assert "No account yet" in page.text and f"{LIST}/new" in page.links


def test_an_account_is_added_once_however_often_its_form_is_sent(house: House, admin: Browser) -> None:
    page = admin.get(f"{LIST}/new")
    first = admin.submit(page, f"{LIST}/new", **SERVER)
    again = admin.submit(page, f"{LIST}/new", **SERVER)
    assert first.location == again.location
    assert len(house.tracker.settings.accounts()) == 2
    account = house.tracker.settings.account(first.path.rpartition("/")[2])
    assert (account.port, house.tracker.settings.account_password(account)) == (993, "correct horse")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"host": ""}, "host", "Name the server"),
        ({"host": "http://mail"}, "host", "is not a host name"),
        ({"port": "imap"}, "port", "1 to 65535"),
        ({"port": "70000"}, "port", "1 to 65535"),
        ({"username": ""}, "username", "user name that logs in"),
        ({"password": ""}, "password", "Give the password of help"),
        ({"folder": ""}, "folder", "usually INBOX"),
        ({"type": "maildir"}, "folder", "path of the Maildir"),
        ({"type": "delivered"}, "addresses", "delivered here"),
        ({"addresses": "help"}, "addresses", "not an e-mail address"),
        ({"quiet_before": "soon"}, "quiet_before", "never"),
    ],
)
def test_what_cannot_be_taken_stands_at_its_field_and_nothing_else_is_lost(
    house: House, admin: Browser, fields: dict[str, str], field: str, words: str
) -> None:
    page = admin.submit(f"{LIST}/new", f"{LIST}/new", **{**SERVER, "start": "now", **fields})
    assert page.status == 422
    shown = re.search(rf'id="{field}-error"[^>]*>(.*?)</div>', page.html, re.DOTALL)
    assert shown and words in shown[1] and "--" not in page.text.replace("---", "")
    assert page.form(f"{LIST}/new").values["start"] == ["now"]
    assert "correct horse" not in page.html
    assert len(house.tracker.settings.accounts()) == 1


def test_an_empty_password_keeps_the_stored_one_and_no_page_shows_it(house: House, admin: Browser) -> None:
    path = imap(house, admin)
    assert admin.submit(path, path, folder="Support", password="").status == 303
    account = stored(house, path)
    assert account.folder == "Support" and house.tracker.settings.account_password(account) == "correct horse"  # type: ignore[attr-defined, arg-type]
    for each in (path, LIST, f"{path}/auto-creation", f"{path}/delete"):
        html = admin.get(each).html
        assert "correct horse" not in html and account.password not in html  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "fields", [{"host": "evil.example"}, {"port": "143"}, {"username": "eve"}, {"type": "imap/notls"}]
)
def test_a_password_is_not_carried_to_another_server(house: House, admin: Browser, fields: dict[str, str]) -> None:
    path = imap(house, admin)
    page = admin.submit(path, path, **fields)
    assert page.status == 422 and "Type the password again" in page.text
    page = admin.submit(path, f"{path}", **fields, password="staple")
    assert page.status == 303
    assert house.tracker.settings.account_password(stored(house, path)) == "staple"  # type: ignore[arg-type]


def test_a_password_is_not_carried_away_by_way_of_another_type(house: House, admin: Browser) -> None:
    path = imap(house, admin)
    assert admin.submit(path, path, type="delivered").status == 303
    assert admin.submit(path, path, type="imap/ssl", host="evil.example").status == 422


def test_a_port_that_was_the_usual_one_follows_the_type(house: House, admin: Browser) -> None:
    path = imap(house, admin)
    assert admin.submit(path, path, type="pop3/ssl", password="staple").status == 303
    assert stored(house, path).port == 995  # type: ignore[attr-defined]


def test_who_saves_second_is_told_what_changed_and_may_save_over_it(house: House, admin: Browser) -> None:
    page = admin.get(one(house))
    house.set_account(quiet_before="3d")
    told = admin.submit(page, one(house), quiet_before="5d")
    assert told.status == 409 and "“3d” now, you typed “5d”" in told.text
    assert admin.submit(told, one(house)).status == 303
    assert house.tracker.settings.account(house.account.id).quiet_before == "5d"


def test_auto_creation_is_set_on_its_page(house: House, admin: Browser) -> None:
    path = f"{one(house)}/auto-creation"
    assert admin.submit(path, path, enabled="no", priority="Low", assign=None).status == 303
    auto = house.tracker.settings.account(house.account.id).auto_create
    assert (auto.enabled, auto.priority, auto.assign) == (False, "Low", ())
    assert "Disabled" in admin.get(LIST).text


def test_auto_creation_says_what_it_would_have_done_with_mail_that_waits(house: House, admin: Browser) -> None:
    path = f"{one(house)}/auto-creation"
    assert "Mail that waits" not in admin.get(path).text
    house.set_account(auto_create=msgspec.structs.replace(house.account.auto_create, enabled=False))
    house.arrive(mail("One"), mail("Two"), mail("Three", Auto_Submitted="auto-generated"))
    text = admin.get(path).text
    assert "2 would have opened issues" in text and "1 would have stayed" in text


def test_auto_creation_names_what_the_project_no_more_has(house: House, admin: Browser) -> None:
    auto = msgspec.structs.replace(house.account.auto_create, category="Gone")
    house.set_account(auto_create=auto)
    path = f"{one(house)}/auto-creation"
    page = admin.submit(path, path)
    assert page.status == 422 and "has no category" in page.text


def test_an_account_is_paused_and_goes_on(house: House, admin: Browser) -> None:
    assert admin.submit(LIST, f"{one(house)}/pause").path == LIST
    page = admin.get(LIST)
    assert house.tracker.settings.account(house.account.id).paused and "Paused" in page.text
    admin.submit(page, f"{one(house)}/resume")
    assert not house.tracker.settings.account(house.account.id).paused


def test_deleting_asks_first_and_names_the_milder_way(house: House, admin: Browser) -> None:
    house.arrive(mail(Auto_Submitted="auto-generated"))
    page = admin.get(f"{one(house)}/delete")
    assert "Stays" in page.text and "Pause instead" in page.text
    assert admin.submit(page, f"{one(house)}/delete").path == LIST
    assert house.tracker.settings.accounts() == ()


def test_a_test_lists_all_steps_and_says_which_failed(house: House, admin: Browser) -> None:
    page = admin.submit(LIST, f"{one(house)}/test")
    assert "Folder opened" in page.text and "no Maildir at" in page.text and "not tried" in page.text
    box(house, mail())
    assert "1 mail" in admin.submit(LIST, f"{one(house)}/test").text


def test_with_htmx_only_the_steps_come_back(house: House, admin: Browser) -> None:
    box(house)
    page = admin.post(f"{one(house)}/test", headers={"HX-Request": "true"})
    assert page.status == 200 and "<html" not in page.html and "0 mails" in page.text


def test_an_unsaved_form_can_be_tested_and_is_not_saved_by_it(house: House, admin: Browser) -> None:
    box(house, mail())
    form = admin.get(f"{LIST}/new").form(f"{LIST}/new").values
    page = admin.post(f"{LIST}/new/test", {**form, "type": "maildir", "folder": house.account.folder})
    assert page.status == 200 and "1 mail" in page.text
    assert page.form(f"{LIST}/new").values["folder"] == [house.account.folder]
    assert len(house.tracker.settings.accounts()) == 1
    bad = admin.post(f"{LIST}/new/test", {**form, "host": ""}, headers={"HX-Request": "true"})
    assert bad.status == 200 and "Name the server" in bad.text


def test_a_test_does_not_send_the_stored_password_elsewhere(house: House, admin: Browser) -> None:
    path = imap(house, admin)
    form = admin.get(path).form(path).values
    page = admin.post(f"{path}/test", {**form, "host": "evil.example"})
    assert page.status == 422 and "Type the password again" in page.text


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "169.254.169.254",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
        ),
        *("100.64.0.1", "fc00::1", "fe80::1", "0x7f000001", "2130706433", "127.1", "localhost"),
    ],
)
def test_a_test_reaches_nothing_inside_our_network(house: House, admin: Browser, host: str) -> None:
    form = admin.get(f"{LIST}/new").form(f"{LIST}/new").values
    page = admin.post(f"{LIST}/new/test", {**form, **SERVER, "host": host})
    assert "not an address of the public internet" in page.text, page.text


@pytest.mark.parametrize("port", ["22", "80", "6379", "8080"])
def test_a_test_reaches_no_port_but_those_of_mail(house: House, admin: Browser, port: str) -> None:
    form = admin.get(f"{LIST}/new").form(f"{LIST}/new").values
    page = admin.post(f"{LIST}/new/test", {**form, **SERVER, "port": port})
    assert "no port of mail servers" in page.text


def test_download_now_shows_how_far_the_run_is_and_what_became_of_the_mail(house: House, admin: Browser) -> None:
    house.now = house.now.now(house.now.tzinfo)
    box(house, mail("One"), mail("Two"))
    started: list[Page] = [admin.submit(one(house), f"{one(house)}/download") for _ in range(2)]
    assert {page.path for page in started} == {one(house)}
    until = time.monotonic() + 60
    while detached.seen(house.tracker, house.account).goes_on and time.monotonic() < until:
        os.sched_yield()
    page = admin.get(one(house))
    assert "2 mails fetched: 2 new issues" in page.text
    assert house.issue(1).summary == "One" and house.issue(2).summary == "Two"
    assert "hx-trigger" not in admin.get(f"{one(house)}/progress").html, "a run that is over is not asked about again"


def test_a_run_that_goes_on_is_asked_about_again(house: House, admin: Browser) -> None:
    running = detached.Progress(maker=house.tracker.maker.id, started=house.now, waiting=64, fetched=41)
    house.tracker.downloads.note(house.account.id, running)
    page = admin.get(f"{one(house)}/progress")
    assert "41 of 64 mails" in page.text and 'hx-trigger="every 2s"' in page.html
    admin.submit(one(house), f"{one(house)}/download")
    assert "A run holds this account already" in admin.get(one(house)).text


def test_an_account_that_is_not_there_is_not_found(admin: Browser) -> None:
    assert admin.get(f"{LIST}/0123456789abcdef").status == 404
    assert admin.get(f"{LIST}/..%2f..%2fstate").status == 404
