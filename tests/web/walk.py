"""All pages that somebody can get to by following links, as a person would find them.

Flows in: a site and who walks. Flows out: paths with their pages. Lists can be sorted and filtered in hundreds of
ways, so of each route only so many addresses are opened, those with other names in their query first.
"""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from werkzeug.exceptions import HTTPException

from tests.web.browser import Browser, Page, Site

SAME = 2  # Addresses of one route that differ only in their values.


def walked(site: Site, browser: Browser, *begins: str, same: int = SAME) -> Iterator[tuple[str, Page]]:
    """Each page with its path, from the first ones on, as far as links lead; redirects and files among them."""
    paths = site.app.url_map.bind("localhost")
    seen: Counter[tuple[str, ...]] = Counter()
    met = set(begins or ("/",))
    left = deque(begins or ("/",))
    while left:
        path = left.popleft()
        parts = urlsplit(path)
        try:
            endpoint, _ = paths.match(parts.path, method="GET")
        except HTTPException:
            endpoint = f"nowhere {path}"
        kind = (endpoint, *sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}))
        seen[kind] += 1
        if endpoint == "static" or seen[kind] > same:
            continue
        page = browser.get(path)
        yield path, page
        for link in _ways(page):
            found = urlsplit(link)
            following = (found.path or parts.path) + (f"?{found.query}" if found.query else "")
            if link and not found.scheme and not found.netloc and following not in met:
                met.add(following)
                left.append(following)


def _ways(page: Page) -> Iterator[str]:
    """Where a page leads without sending anything: links, frames, what scripts load, and forms that only ask."""
    yield page.location
    yield from page.links
    for _, attributes in page.elements:
        yield from (attributes[name] for name in ("hx-get", "src") if attributes.get(name))
    yield from (form.action for form in page.forms if form.method == "get")


def endpoint_of(site: Site, path: str) -> str:
    """The route of a path."""
    endpoint, _ = site.app.url_map.bind("localhost").match(urlsplit(path).path, method="GET")
    return str(endpoint)
