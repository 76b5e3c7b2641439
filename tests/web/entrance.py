"""Going in by the door: a password whose hash costs nothing to check, and a try to log in with it."""

import hashlib

from tests.web.browser import Browser, Page

PASSWORD = "correct horse"


def quick_hash(password: str) -> str:
    """A hash that costs nothing to check."""
    key = hashlib.scrypt(password.encode(), salt=b"salt", n=1024, r=8, p=1).hex()
    return f"scrypt:1024:8:1$salt${key}"


def try_in(browser: Browser, email: str = "dev@example.org", password: str = PASSWORD, **more: object) -> Page:
    """What comes back when somebody types this at the door."""
    return browser.post("/login", {"email": email, "password": password}, **more)
