"""Cron and mail server: the page with this installation's own lines."""

from eventum.tracker import lines
from tests.house import House
from tests.web.browser import Site

PAGE = "/admin/lines"


def test_only_administrators_see_it(site: Site) -> None:
    assert site.browser("admin@example.org").get(PAGE).status == 200
    assert site.browser("dev@example.org").get(PAGE).status == 403
    assert site.browser().get(PAGE).path == "/login"


def test_the_lines_of_cron_can_be_copied_as_they_are(house: House, site: Site) -> None:
    page = site.browser("admin@example.org").get(PAGE)
    copied = [given["data-copy"] for tag, given in page.elements if tag == "button" and "data-copy" in given]
    assert set(lines.lines(house.config).values()) <= set(copied)
    assert all(f"EVENTUM_DATA={house.config.data}" in line for line in lines.lines(house.config).values())


def test_each_mail_server_has_its_part_with_the_maildir_of_the_account(house: House, site: Site) -> None:
    text = site.browser("admin@example.org").get(PAGE).text
    for name in ("systemd", "Postfix", "Exim", "Sendmail", "qmail"):
        assert name in text
    assert text.count(house.account.folder) > 8 and "is an example" not in text


def test_without_such_an_account_it_says_that_it_is_an_example(house: House, site: Site) -> None:
    house.tracker.settings.delete_account(house.account)
    page = site.browser("admin@example.org").get(PAGE)
    assert "is an example" in page.text and "/admin/accounts/new" in page.links
