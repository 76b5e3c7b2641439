"""Every screen on a phone, for everybody: nothing is wrong that `window` looks for."""

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.server import Server
from tests.browser.walking import WHO, look_around
from tests.browser.window import PHONE


@pytest.mark.parametrize("who", WHO)
def test_every_screen_can_be_used(server: Server, window: OpenWindow, who: str) -> None:
    look_around(server, window(server, WHO[who], width=PHONE), who)
