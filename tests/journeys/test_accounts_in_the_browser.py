"""An account on a real server, set up in the browser: added, tested, downloaded; its password nowhere to be seen."""

import base64
import os
import time
from collections.abc import Iterator

import pytest

from eventum.runners import detached
from tests.house import House, mail
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.web.browser import Browser, Site

LIST = "/admin/accounts"


@pytest.fixture
def admin(house: House) -> Iterator[Browser]:
    house.now = house.now.now(house.now.tzinfo)
    site = Site(house)
    yield site.browser("admin@example.org")
    site.close()


def allow(house: House, admin: Browser, dovecot: Dovecot, user: str, kind: str) -> dict[str, str]:
    """What somebody types for this mailbox, which the administrator has listed as one inside."""
    server = dovecot.server(user, kind.partition("/")[0])
    admin.submit(
        "/admin/general",
        "/admin/general/network",
        network_allowed_hosts=server.host,
        network_allowed_ports=str(server.port),
    )
    return {
        "type": kind,
        "host": server.host,
        "port": str(server.port),
        "username": server.username,
        "password": server.password,
    }


@pytest.mark.parametrize("kind", ["imap/ssl", "pop3/ssl"])
def test_an_account_is_tested_before_it_is_saved_and_then_brings_its_mail(
    house: House, admin: Browser, dovecot: Dovecot, trust: Certificates, kind: str
) -> None:
    user = dovecot.user()
    dovecot.deliver(user, mail("One"), mail("Two"), mail("Three"))
    fields = allow(house, admin, dovecot, user, kind)
    form = admin.get(f"{LIST}/new").form(f"{LIST}/new").values
    tested = admin.post(f"{LIST}/new/test", {**form, **fields})
    assert tested.status == 200 and "3 mails" in tested.text and "certificate verified" in tested.text, tested.text
    assert "not tried" not in tested.text
    added = admin.submit(f"{LIST}/new", f"{LIST}/new", **fields)
    path = added.path
    assert added.status == 303 and "3 mails" in admin.submit(LIST, f"{path}/test").text, "with the stored password"
    admin.submit(f"{path}/auto-creation", f"{path}/auto-creation", enabled="yes")
    admin.submit(f"{path}/first-fetch", f"{path}/first-fetch")
    account = house.tracker.settings.account(path.rpartition("/")[2])
    until = time.monotonic() + 60
    while detached.seen(house.tracker, account).goes_on and time.monotonic() < until:
        os.sched_yield()
    page = admin.get(path)
    assert "3 mails fetched: 3 new issues" in page.text and "Working" in page.text


def test_a_wrong_password_is_told_in_the_words_of_the_server_and_mended_on_the_spot(
    house: House, admin: Browser, dovecot: Dovecot, trust: Certificates
) -> None:
    fields = allow(house, admin, dovecot, dovecot.user(), "imap/ssl")
    path = admin.submit(f"{LIST}/new", f"{LIST}/new", **{**fields, "password": "not it"}).path
    page = admin.submit(LIST, f"{path}/test")
    assert "AUTHENTICATIONFAILED" in page.text and "not it" not in page.html
    mended = admin.submit(page, f"{path}/password", password=fields["password"])
    assert "0 mails" in mended.text and fields["password"] not in mended.html


def test_the_password_is_in_no_page_no_file_and_no_output(
    house: House, admin: Browser, dovecot: Dovecot, trust: Certificates
) -> None:
    fields = {**allow(house, admin, dovecot, dovecot.user(), "imap/ssl"), "password": "zebra-crossing-42"}
    path = admin.submit(f"{LIST}/new", f"{LIST}/new", **fields).path
    pages = [admin.get(one).data for one in (LIST, path, f"{path}/auto-creation", f"{path}/delete")]
    pages.append(admin.submit(LIST, f"{path}/test").data)
    admin.submit(f"{path}/first-fetch", f"{path}/first-fetch")
    account = house.tracker.settings.account(path.rpartition("/")[2])
    until = time.monotonic() + 60
    while detached.seen(house.tracker, account).goes_on and time.monotonic() < until:
        os.sched_yield()
    pages.append(admin.get(path).data)
    secret = fields["password"]
    plain = f"\0{fields['username']}\0{secret}".encode()
    wanted = [secret.encode(), base64.b64encode(secret.encode()), base64.b64encode(plain)]
    files = [one.read_bytes() for one in house.root.rglob("*") if one.is_file()]
    assert not any(word in data for word in wanted for data in (*pages, *files))


def test_a_server_that_nobody_listed_is_not_reached(
    house: House, admin: Browser, dovecot: Dovecot, trust: Certificates
) -> None:
    fields = allow(house, admin, dovecot, dovecot.user(), "imap/ssl")
    path = admin.submit(f"{LIST}/new", f"{LIST}/new", **fields).path
    admin.submit(
        "/admin/general", "/admin/general/network", network_allowed_hosts="", network_allowed_ports=fields["port"]
    )
    assert "not an address of the public internet" in admin.submit(LIST, f"{path}/test").text
