"""Every screen on a desk, for everybody: nothing is wrong that `window` looks for."""

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.server import Server
from tests.browser.walking import NOT_LED_TO, WHO, begins, look_around
from tests.browser.window import WIDE
from tests.web.walk import endpoint_of, walked


@pytest.mark.parametrize("who", WHO)
def test_every_screen_can_be_used(server: Server, window: OpenWindow, who: str) -> None:
    look_around(server, window(server, WHO[who], width=WIDE), who)


def test_every_page_is_led_to(server: Server) -> None:
    site = server.site
    there = {rule.endpoint for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    met = set()
    for path, page in walked(site, site.browser(WHO["administrator"]), *begins(server.scene), same=1):
        if page.status < 400:
            met.add(endpoint_of(site, path))
    assert there - met - {"static", "login.login"} == NOT_LED_TO
