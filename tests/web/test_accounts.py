"""Manage Email Accounts in the browser: added, changed, tested, downloaded, paused, deleted; no password shown."""

import os
import re
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from eventum.issues.settings import Network
from eventum.runners import detached
from eventum.store.said import Said
from eventum.store.state import FetchState
from tests.house import House, mail
from tests.servers import scripted
from tests.servers.dovecot import free_ports
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
    house.tracker.state.save_fetch(house.account.id, FetchState(first_fetch=house.now))
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


def test_a_test_that_may_not_go_there_is_allowed_in_place_and_repeated(house: House, admin: Browser) -> None:
    [port] = free_ports(1)
    form = {**admin.get(f"{LIST}/new").form(f"{LIST}/new").values, **SERVER, "host": "localhost", "port": str(port)}
    page = admin.post(f"{LIST}/new/test", form)
    assert (
        f"Allow localhost (port {port}) and test again" in page.text and house.tracker.settings.general().revision == 0
    )
    for headers in ({}, {"HX-Request": "true"}):
        page = admin.post(f"{LIST}/new/test", {**form, "allow": f"localhost {port}"}, headers=headers)
        assert f"Tests may reach localhost, port {port} from now on." in page.text, page.text
        assert "refuses connections" in page.text and "Allow localhost" not in page.text
    network = house.tracker.settings.general().network
    assert (network.allowed_hosts, network.allowed_ports) == (("localhost",), (port,))
    assert len(house.tracker.settings.accounts()) == 1


def test_a_port_of_mail_need_not_be_listed_to_be_allowed(house: House, admin: Browser) -> None:
    form = {**admin.get(f"{LIST}/new").form(f"{LIST}/new").values, **SERVER, "host": "127.0.0.1", "port": "143"}
    admin.post(f"{LIST}/new/test", {**form, "allow": "127.0.0.1 143"})
    network = house.tracker.settings.general().network
    assert (network.allowed_hosts, network.allowed_ports) == (("127.0.0.1",), ())


def test_what_was_typed_stays_when_a_place_is_allowed_and_the_password_is_asked_for_again(
    house: House, admin: Browser
) -> None:
    form = {**admin.get(f"{LIST}/new").form(f"{LIST}/new").values, **SERVER, "host": "10.1.2.3", "password": ""}
    page = admin.post(f"{LIST}/new/test", {**form, "allow": "10.1.2.3 993"})
    assert page.status == 422 and "Tests may reach 10.1.2.3" in page.text and "Give the password" in page.text
    assert page.form(f"{LIST}/new").values["username"] == ["help"]


@pytest.mark.parametrize("place", ["a/b 25", "mail.lan 0", "mail.lan x", "mail.lan 99999", "10.0.0.0/8 25"])
def test_only_one_host_and_one_port_are_allowed(house: House, admin: Browser, place: str) -> None:
    form = {**admin.get(f"{LIST}/new").form(f"{LIST}/new").values, **SERVER}
    assert admin.post(f"{LIST}/new/test", {**form, "allow": place}).status == 422
    assert house.tracker.settings.general().revision == 0


def test_a_saved_account_is_allowed_from_the_list_and_tested_again(house: House, admin: Browser) -> None:
    path = admin.submit(f"{LIST}/new", f"{LIST}/new", **{**SERVER, "host": "127.0.0.1", "port": "1"}).path
    page = admin.submit(LIST, f"{path}/test")
    button = next(form for form in page.forms if form.action == f"{path}/test")
    assert "Allow 127.0.0.1 (port 1) and test again" in page.text and 'form="test-again"' in page.html
    page = admin.post(f"{path}/test", {**button.values, "allow": "127.0.0.1 1"})
    assert "Tests may reach 127.0.0.1, port 1" in page.text and "refuses connections" in page.text


def test_a_good_step_keeps_its_words_when_a_later_one_fails(house: House, admin: Browser) -> None:
    with scripted.running(scripted.imap({"AUTHENTICATE PLAIN": scripted.hang})) as (port, _):
        general = house.tracker.settings.general()
        network = Network(allowed_hosts=("localhost",), allowed_ports=(port,))
        house.tracker.settings.save_general(msgspec.structs.replace(general, network=network))
        given = {**SERVER, "type": "imap/notls", "host": "localhost", "port": str(port)}
        form = {**admin.get(f"{LIST}/new").form(f"{LIST}/new").values, **given}
        page = admin.post(f"{LIST}/new/test", form)
    assert "localhost is 127.0.0.1" in page.text or "localhost is ::1" in page.text
    assert f"port {port}" in page.text and "did not answer" in page.text


def test_the_state_above_is_another_as_soon_as_the_run_is_over(house: House, admin: Browser) -> None:
    ended = detached.Progress(
        maker=house.tracker.maker.id,
        ended=house.now,
        waiting=3,
        fetched=3,
        outcomes={"new_issue": 2, "unassociated": 1},
    )
    house.tracker.downloads.note(house.account.id, ended)
    page = admin.get(f"{one(house)}/progress")
    assert 'id="account-state" hx-swap-oob="true"' in page.html and "2 new issues , 1 unassociated" in page.text
    assert {"/issues", f"/emails?list=unassociated&account={house.account.id}"} <= set(page.links)
    assert "hx-swap-oob" not in admin.get(one(house)).html
    running = msgspec.structs.replace(ended, ended=None)
    house.tracker.downloads.note(house.account.id, running)
    assert "account-state" not in admin.get(f"{one(house)}/progress").html


def test_auto_creation_says_what_those_do_who_can_be_assigned(house: House, admin: Browser) -> None:
    house.set_account(auto_create=msgspec.structs.replace(house.account.auto_create, assign=(house.dev.id,)))
    house.arrive(mail("One"), mail("Two"))
    text = admin.get(f"{one(house)}/auto-creation").text
    assert "Developer, 2 open issues" in text or "Standard user, 2 open issues" in text, text
    assert "Administrator, 0 open issues" in text


def test_an_account_that_waits_says_when_it_is_tried_again_and_that_download_now_tries_at_once(
    house: House, admin: Browser
) -> None:
    state = msgspec.structs.replace(
        house.tracker.state.fetch(house.account.id),
        error="mail.example.org:993 refuses connections.",
        why=Said(message="{where} refuses connections.", values={"where": "mail.example.org:993"}),
        error_since=house.now - timedelta(hours=1),
        failures=5,
        next_try=house.now + timedelta(minutes=10),
        tried=house.account.revision,
    )
    house.tracker.state.save_fetch(house.account.id, state)
    for path in (LIST, one(house)):
        text = admin.get(path).text
        assert "mail.example.org:993 refuses connections." in text
        assert "Next try" in text and "Download now tries at once" in text


@pytest.mark.parametrize("is_piece", [False, True])
def test_an_account_is_compared_with_its_server(house: House, admin: Browser, is_piece: bool) -> None:
    box(house, mail(), mail("Another"))
    path = f"{one(house)}/compare"
    values = admin.get(one(house)).form(path).values
    page = admin.post(path, values, **({"headers": {"HX-Request": "true"}} if is_piece else {}))
    assert "2 on the server, 0 here. Nothing was fetched or changed." in page.text
    assert "2 mails On the server and not fetched yet: the next run takes them." in page.text
    assert ("Auto-Creation of Issues" in page.text) != is_piece


def test_a_server_that_is_away_is_not_compared_and_says_so(house: House, admin: Browser) -> None:
    path = f"{one(house)}/compare"
    page = admin.post(path, admin.get(one(house)).form(path).values)
    assert "It was not compared." in page.text and house.account.folder in page.text
