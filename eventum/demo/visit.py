"""A first visit to the demo's screens, over HTTP, as a browser makes it: log in, and see the dashboard.

Flows in: where the screens are, who logs in. Flows out: what was not as it should be. Nothing is known of how the pages
are made.
"""

import re
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode

PATIENCE = 30.0  # Seconds: the first request loads the screens.

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def visited(url: str, email: str, password: str, name: str) -> list[str]:
    """Log in and open the dashboard, which names who is there; what is wrong, a sentence each."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def page(path: str, form: dict[str, str] | None = None) -> str:
        data = None if form is None else urlencode(form).encode()
        with browser.open(f"{url}{path}", data, PATIENCE) as answer:
            text: str = answer.read().decode()
            return text

    try:
        token = _TOKEN.search(page("/login"))
        if token is None:
            return ["The page to log in has no form."]
        page("/login", {"csrf_token": token[1], "email": email, "password": password})
        if name not in page("/"):
            return [f"The dashboard does not know {name}."]
    except (urllib.error.URLError, TimeoutError) as error:
        return [f"The screens at {url} do not answer as they should: {error}."]
    return []
