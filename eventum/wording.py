"""Marks sentences that are said in the reader's language, wherever they are written down.

Rules, events and settings keep sentences as constants or in tables, and whoever shows one translates it then. The mark
changes nothing; it lets the catalogues under `translations/` find them. Everybody may import this, as `errors`.
"""

from collections.abc import Callable

Say = Callable[[str], str]
"""Gives a marked sentence in some reader's language, its places for values still in it."""


class Phrase(str):
    """A marked sentence that stands as a value in another one: who translates that one translates it too."""


def N_(sentence: str) -> str:  # noqa: N802 - the name every gettext tool knows
    """The sentence itself."""
    return sentence
