"""What a window is to find is found: each fault is put into a page on purpose."""

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.server import Server

FAULTS = {
    "no name": "document.querySelector('main').insertAdjacentHTML('beforeend', '<input type=text>')",
    "no picture": "document.querySelector('use').setAttribute('href', '/static/icons.svg#nothing')",
    "wider than the window: ": "document.querySelector('form').style.width = '2000px'",
    "axe: ": "document.querySelector('html').removeAttribute('lang')",
    "axe, in the dark: ": "document.querySelector('h1').style.color = 'rgb(60, 60, 60)'",
    "console: policy: script-src": "document.body.insertAdjacentHTML('beforeend', '<b onclick=\"1\">x</b>')",
    "console: policy: style-src": "document.body.insertAdjacentHTML('beforeend', '<b style=\"color: red\">x</b>')",
    "console: policy: connect-src": "fetch('https://elsewhere.example/').catch(() => null)",
    "404 for GET": "fetch('/static/nothing.js')",
    "console: broken": "console.error('broken')",
    "script: ": "setTimeout(() => { throw new Error('slip'); })",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(server: Server, window: OpenWindow, fault: str) -> None:
    looking = window(server)
    page = looking.go("/login")
    looking.look()
    assert looking.faults == []
    page.evaluate(f"() => {{ {FAULTS[fault]}; return null; }}")
    page.wait_for_load_state("networkidle")
    looking.look()
    assert any(fault in one for one in looking.faults), looking.faults
    looking.faults.clear()
