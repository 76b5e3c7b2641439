"""Where a page leads next, and what every page has around it."""

import pytest

from eventum.web.page import initials, safe_path
from tests.web.browser import Site


@pytest.mark.parametrize("path", ["/", "/issues", "/issues?status=open&page=2", "/issues/7#m3", "/mails/0a1b/html"])
def test_a_path_of_ours_is_followed(path: str) -> None:
    expected = path if "#" not in path else ""
    assert safe_path(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        *("//e", "https:e", "/\\e", "\\\\e", "/%09/e", "/\t/e", " //e", "javascript:alert(1)", "https://e", "", None),
        *("/a//e", "/\n/e", "/ e", "///e", "/.e", "/..//e", "http:/e", "/\x00", "/" + "a" * 2000),
    ],
)
def test_nothing_else_is(path: str | None) -> None:
    assert safe_path(path) == ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Ruiz", "AR"),
        ("ana@example.org", "AO"),
        ("佐藤 美咲", "佐美"),
        ("", "?"),
        ("x", "X"),
        ("Ana Maria Ruiz", "AR"),
    ],
)
def test_a_face_has_two_letters(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_static_files_are_kept_as_long_as_their_content_is_the_same(site: Site) -> None:
    page = site.browser("admin@example.org").get("/no/such/page")
    (sheet,) = [one["href"] for tag, one in page.elements if tag == "link" and "/style.css" in one.get("href", "")]
    assert "immutable" in site.browser().get(sheet).headers["Cache-Control"]
    assert site.browser().get("/static/style.css").headers["Cache-Control"] == "no-cache"
