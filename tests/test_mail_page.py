"""docs/mail.md names every limit of the readers with its number, and every defect that says that one was reached."""

import importlib
import re
from pathlib import Path

from eventum.tracker.limits import LIMITS
from tests.mail.corpus_mails import MAILS

ROOT = Path(__file__).parent.parent
MAIL = ROOT / "eventum" / "mail"
PAGE = (ROOT / "docs" / "mail.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [^|]+ \| ([\d,.]+)[^|]* \| `([A-Za-z_.]+\.[A-Za-z_]+)` \|", re.MULTILINE)


def constants() -> dict[str, int]:
    """Every limit of a module of `eventum/mail`, by `module.NAME` below it, where it is defined."""
    found = {}
    for path in sorted(MAIL.rglob("[!_]*.py")):
        module = ".".join(path.relative_to(MAIL).with_suffix("").parts)
        values = vars(importlib.import_module(f"eventum.mail.{module}"))
        source = path.read_text(encoding="utf-8")
        for name in re.findall(r"^(_?MAX[A-Z_]*)(?:: Final(?:\[int\])?)? = ", source, re.MULTILINE):
            found[f"{module}.{name}"] = values[name]
    return found


def on_the_page() -> dict[str, float]:
    """What the page says, in the unit of the constant."""
    return {name: float(number.replace(",", "")) for number, name in ROW.findall(PAGE)}


def test_every_limit_is_on_the_page_with_its_number() -> None:
    said = {name: number for name, number in on_the_page().items() if not name.startswith("Limits.")}
    assert said == constants()


def test_the_limits_of_the_guarded_child_are_on_the_page() -> None:
    said = {name: number for name, number in on_the_page().items() if name.startswith("Limits.")}
    megabytes = {"Limits.memory": LIMITS.memory >> 20, "Limits.answer": LIMITS.answer >> 20}
    seconds = {f"Limits.{name}": getattr(LIMITS, name) for name in ("work", "wait", "start")}
    assert said == megabytes | seconds


def test_every_defect_that_names_a_limit_is_on_the_page() -> None:
    sources = [path.read_text(encoding="utf-8") for path in MAIL.rglob("*.py")]
    given = {name for source in sources for name in re.findall(r'"(limit-[a-z]+)"', source)}
    assert given and given <= set(re.findall(r"`(limit-[a-z]+)`", PAGE))


def test_the_number_of_mails_of_the_corpus_is_no_boast() -> None:
    number = re.search(r"`tests/corpus` holds (?:more than )?([\d,]+) mails", PAGE)
    assert number is not None and 120 <= int(number[1].replace(",", "")) <= len(MAILS)
