"""What other people wrote is what their packages hold, and every picture that a page names is there."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.browser.vendoring import VENDOR as TOOLS
from tests.browser.vendoring import digests
from tests.vendoring import STATIC, VENDOR

ROOT = STATIC.parent
# The document around a mail's own HTML has a policy of its own, and the style of its sheet in it.
OF_A_MAIL = ROOT / "templates" / "mail" / "frame.html"
TEMPLATES = sorted({*(ROOT / "templates").rglob("*.html")} - {OF_A_MAIL})
# `icon("house")`, and macros that hand a name on to it, as their first or a named argument.
ICON = re.compile(r"""\bicon\(\s*["']([a-z0-9-]+)["']""")
# A handler of an event, a style, or a script that is not a file: the policy of our pages forbids all three.
INLINE = re.compile(
    r"""
    <[a-z][^<>]*\s on[a-z]+ \s*=        # onclick=...
    | <[a-z][^<>]*\s style \s*=         # style=...
    | <style\b
    | <script\b (?![^<>]*\ssrc=)        # a script that stands in the page
    | \bhx-on\b | \bhx-vals\s*=\s*["']js:
    | javascript:
    """,
    re.VERBOSE | re.IGNORECASE,
)


def test_what_browsers_are_given_is_what_the_packages_hold() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    there = {
        path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*VENDOR.rglob("*"), STATIC / "icons.svg"]
        if path.is_file() and path.name != "manifest.json"
    }
    assert there == manifest


def test_every_package_has_its_licence_beside_it() -> None:
    for place in [*VENDOR.iterdir(), *TOOLS.iterdir()]:
        if place.is_dir():
            assert "ermi" in (place / "LICENSE").read_text(encoding="utf-8"), place


def test_the_tools_of_tests_are_what_their_package_holds() -> None:
    assert digests(TOOLS) == json.loads((TOOLS / "manifest.json").read_text())


def test_every_picture_that_is_named_is_there() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in ICON.findall(path.read_text(encoding="utf-8"))}
    assert "chevron-left" in named
    assert named <= drawn, "run `python tests/vendoring.py`"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_has_no_script_style_or_handler_in_it(path: Path) -> None:
    # What Jinja decides is no attribute; its values are escaped.
    text = re.sub(r"{%.*?%}|{#.*?#}|{{.*?}}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = INLINE.search(text)
    assert not found, found


@pytest.mark.parametrize(
    "text",
    [
        '<a href="/" onclick="x()">',
        "<p class='a' style='color: red'>",
        "<style>",
        "<script>x()</script>",
        '<a href="javascript:x()">',
        '<button hx-on:click="x()">',
    ],
)
def test_what_stands_in_a_page_would_be_found(text: str) -> None:
    assert INLINE.search(text)


@pytest.mark.parametrize("text", ['<script src="/static/app.js" defer></script>', "<p>one style = many</p>", "<br>"])
def test_what_does_not_is_not(text: str) -> None:
    assert not INLINE.search(text)


def test_nothing_in_our_style_sheets_comes_from_elsewhere() -> None:
    for path in (*STATIC.glob("*.css"), *STATIC.glob("*.js"), *VENDOR.rglob("*.css")):
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", path.read_text(encoding="utf-8")):
            assert address.startswith(("data:", "#")), (path, address)
