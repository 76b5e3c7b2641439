"""Catalogues of what the web interface says: `python -m tests.catalogues` (make translations).

Flows in: the texts that templates and modules mark. Flows out: translations/messages.pot with all of them, and each
language's messages.po brought up to date and compiled. What is new in a .po is empty until somebody translates it; a
test says so. Line numbers are left out, so that moving a line changes no catalogue.
"""

import io
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "translations"
LANGUAGES = ("ja",)  # English is what the source says.
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    # What an error says is said to people too, but for what is damaged: that names files, and is for the log.
    **dict.fromkeys(("Refused", "NotFound", "Conflict", "Busy"), (1,)),
}
# What no page shows: commands are in English, and the demo speaks to a terminal.
NOT_SHOWN = ("eventum/commands/", "eventum/demo/", "eventum/__main__.py")
# What WTForms says by itself in forms as we use them (wtforms 3.2).
OF_WTFORMS = (
    "Not a valid choice.",
    "Not a valid integer value.",
    "Not a valid choice: could not coerce.",
    "Invalid Choice: could not coerce.",
    "This field is required.",
    "'%(value)s' is not a valid choice for this field.",
    "'%(value)s' are not valid choices for this field.",
    "Invalid input.",
)
# When the tools were last run says nothing, and would change the file every time.
MADE = datetime(2026, 11, 22, tzinfo=UTC)
PLACE = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+(?:![rsa])?(?::[^{}]*)?\}|\{\}")


def places(text: str) -> list[str]:
    """The places for values in a text, in an order that does not matter."""
    return sorted(PLACE.findall(text))


def extracted() -> Catalog:
    """All texts that can be shown, as they stand in the source."""
    catalogue = Catalog(project="Eventum", version="0", copyright_holder="", creation_date=MADE, charset="utf-8")
    catalogue.header_comment = "# What the web interface of Eventum says. Made by `make translations`."
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for text, comments, context in _texts(path):
            catalogue.add(text, locations=[(name, 0)], auto_comments=comments, context=context)
    for text in OF_WTFORMS:
        catalogue.add(text, locations=[("wtforms", 0)])
    return catalogue


def sources() -> list[Path]:
    """Everything that says something on a page."""
    found = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "eventum").rglob("*.py")]
    return sorted(path for path in found if not path.relative_to(ROOT).as_posix().startswith(NOT_SHOWN))


def _texts(path: Path) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    is_template = path.suffix == ".html"
    options = {"silent": "false", "trimmed": "false"} if is_template else {}
    method: str | Callable[..., object] = babel_extract if is_template else "python"
    with path.open("rb") as file:
        for _, text, comments, context in extract(method, file, KEYWORDS, ("For translators:",), options):
            if text and text != ("",):
                yield text, comments, context


def po_of(language: str) -> Path:
    """The catalogue people write."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def mo_of(language: str) -> Path:
    """The one the program reads."""
    return po_of(language).with_suffix(".mo")


def read(path: Path, language: str | None = None) -> Catalog:
    """A catalogue as it lies there."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts_of(catalogue: Catalog) -> list[Message]:
    """Its messages without the header, and without those that are not said any more."""
    return [message for message in catalogue if message.id]


def compiled(catalogue: Catalog) -> bytes:
    """The file the program reads, made of what is translated."""
    made = io.BytesIO()
    write_mo(made, catalogue, use_fuzzy=False)
    return made.getvalue()


def _write(path: Path, catalogue: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = io.BytesIO()
    write_po(made, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    path.write_bytes(made.getvalue())


def main() -> int:
    """Bring all of them up to date; 1 when a language lacks something."""
    template = extracted()
    _write(FOLDER / "messages.pot", template)
    missing = 0
    for language in LANGUAGES:
        path = po_of(language)
        catalogue = read(path, language) if path.exists() else Catalog(locale=language, charset="utf-8")
        # Guessing from texts that are alike makes sentences that are wrong and look right.
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.creation_date = catalogue.revision_date = MADE
        catalogue.header_comment = template.header_comment
        catalogue.last_translator, catalogue.language_team = "Eventum", language
        _write(path, catalogue)
        mo_of(language).write_bytes(compiled(catalogue))
        empty = [message for message in texts_of(catalogue) if not is_said(message)]
        missing += len(empty)
        print(f"{language}: {len(texts_of(catalogue))} texts, {len(empty)} to be translated")
    return 1 if missing else 0


def is_said(message: Message) -> bool:
    """Whether a language has all forms of it, and nobody doubts them."""
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings) and not message.fuzzy


if __name__ == "__main__":
    sys.exit(main())
