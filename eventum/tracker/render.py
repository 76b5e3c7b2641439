"""The text of a notice: its template and its context in, plain text out.

The admin's own templates in the store go before those of the program. Nothing here knows who is told or sends. A
template can only read its context: it is rendered in Jinja's sandbox, because it may have been written in a browser.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from eventum.errors import Damaged

OURS = Path(__file__).parent.parent.parent / "templates" / "notifications"

# What the text of a template can bring about: its syntax, its encoding, and what its expressions do with their values.
FAULTS = (TemplateError, UnicodeError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, OSError)


@lru_cache(maxsize=8)
def _environment(own: str) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader([own, str(OURS)]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Plain text: nothing in it is markup.
        undefined=StrictUndefined,
    )


def rendered(own: Path, template: str, context: Any) -> str:
    """The text of a notice; `own` is the folder of the admin's templates. Raises `Damaged` naming the template."""
    try:
        return _environment(str(own)).get_template(template).render(context)
    except FAULTS as error:
        path = own / template if (own / template).exists() else OURS / template
        reason = str(error).rstrip(".")
        raise Damaged(f"The notification template {path} cannot be used: {reason}. Mend it or delete it.") from error
