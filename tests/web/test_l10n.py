"""Language and time, as the reader has them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from eventum.errors import Refused
from eventum.tracker import membership
from eventum.tracker.membership import UserForm
from eventum.web import l10n
from tests.house import NOW, House
from tests.web.browser import Site


@pytest.fixture
def reader(site: Site, house: House) -> Iterator[Site]:
    """A request of somebody in Tokyo; it is Sunday there, 22 November, 21:00."""
    house.user("mei", timezone="Asia/Tokyo")
    cookie = site.browser("mei@example.org").client.get_cookie("eventum")
    assert cookie is not None
    with site.app.test_request_context("/", headers={"Cookie": f"eventum={cookie.value}"}):
        yield site


@pytest.mark.parametrize(
    ("moment", "short", "dated"),
    [
        (NOW - timedelta(hours=2), "19:00", "Today, 19:00"),
        (NOW - timedelta(hours=22), "Sat", "Sat 21 Nov, 23:00"),
        (NOW - timedelta(days=6), "Mon", "Mon 16 Nov, 21:00"),
        (NOW - timedelta(days=7), "15 Nov", "15 Nov, 21:00"),
        (NOW - timedelta(days=400), "18 Oct 2025", "18 Oct 2025, 21:00"),
        (NOW + timedelta(days=1), "23 Nov", "23 Nov, 21:00"),
    ],
)
def test_a_moment_is_as_short_as_it_is_near(reader: Site, moment: datetime, short: str, dated: str) -> None:
    assert (l10n.short(moment), l10n.dated(moment)) == (short, dated)


def test_the_whole_moment_with_its_zone_is_in_the_element(reader: Site) -> None:
    element = l10n.when(NOW)
    assert 'title="Sun 22 Nov 2026, 21:00 JST"' in element and 'datetime="2026-11-22T12:00:00+00:00"' in element
    assert l10n.when(None) == ""


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (88_000, "88 KB"),
        (1_400_000, "1.4 MB"),
        (250_000_000, "250 MB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_said_as_people_do(count: int, said: str) -> None:
    assert l10n.size(count) == said


def test_an_error_is_said_with_its_values(reader: Site) -> None:
    assert l10n.said(Refused("{name!r} is archived.", name="{x}")) == "'{x}' is archived."


def test_the_language_is_the_users_then_the_browsers(site: Site, house: House) -> None:
    with site.app.test_request_context("/", headers={"Accept-Language": "ja;q=0.9, fr"}):
        assert l10n.language() == "ja"
    with site.app.test_request_context("/", headers={"Accept-Language": "fr"}):
        assert l10n.language() == "en"
    membership.save_user(house.tracker, "dev@example.org", UserForm(language="ja"))
    cookie = site.browser("dev@example.org").client.get_cookie("eventum")
    assert cookie is not None
    with site.app.test_request_context("/", headers={"Cookie": f"eventum={cookie.value}", "Accept-Language": "en"}):
        assert l10n.language() == "ja"
