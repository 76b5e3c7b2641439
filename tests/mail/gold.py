"""How often our reading is what other projects' tests state of their mails: GOLD.jsonl in a folder of mails.

A line of that file names a mail (`source`, `file`) and what upstream's tests expect of it, field by field.  That is
upstream's policy, no law: where ours differs on purpose, `gold_differences.toml` names the rule, its reason and the
mails, and these are left out of the field's count.  A field that is not known here does not hold.

    python tests/mail/gold.py FOLDER [FIELD...]    the table; with fields, each miss and each difference in them
"""

import json
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mail.gold_case import Case, Held  # noqa: E402
from tests.mail.gold_fields import FIELDS, NOT_FIELDS  # noqa: E402
from tests.mail.gold_policy import POLICIES  # noqa: E402

LEAST = 0.98  # of what is no deliberate difference has to hold, in each field
DIFFERENCES = Path(__file__).with_name("gold_differences.toml")


class Rule(msgspec.Struct, frozen=True):
    """A deliberate difference: why, in which fields, of which mails; a policy of the same name finds more of them."""

    name: str
    reason: str
    fields: tuple[str, ...]
    mails: tuple[str, ...] = ()


class Miss(msgspec.Struct, frozen=True):
    """A field of a mail that is not as stated; `rule` when that is on purpose."""

    mail: str
    field: str
    wanted: Any
    ours: Any
    rule: str = ""


class Score(msgspec.Struct):
    """What came out for one field."""

    of: int = 0
    holds: int = 0
    deliberate: int = 0

    @property
    def rest(self) -> int:
        """How many there are besides the deliberate differences."""
        return self.of - self.deliberate

    @property
    def share(self) -> float:
        """How much of the rest holds."""
        return self.holds / self.rest if self.rest else 1.0


def rules() -> list[Rule]:
    """The deliberate differences as they are written down."""
    found = tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))
    return msgspec.convert(found["rule"], list[Rule])


def cases(folder: Path) -> Iterator[Case]:
    """The mails of which something is stated."""
    for line in (folder / "GOLD.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        path = folder / row["source"] / row["file"]
        if path.is_file():
            yield Case(row, path.read_bytes())


def held(case: Case, field: str) -> Held:
    """Whether a field holds; a reading that raises does not."""
    judge = FIELDS.get(field)
    if judge is None:
        return Held(False, "a field that is not known here")
    try:
        return judge(case, case.row[field])
    except Exception as error:  # One mail must not hide what the others are like.
        return Held(False, repr(error))


def excuse(case: Case, field: str, found: Held, known: list[Rule]) -> str:
    """The rule by which this miss is on purpose, or ""."""
    for rule in known:
        if field not in rule.fields:
            continue
        if case.name in rule.mails or _applies(rule.name, case, field, found):
            return rule.name
    return ""


def _applies(name: str, case: Case, field: str, found: Held) -> bool:
    policy = POLICIES.get(name)
    try:
        return policy is not None and policy(case, case.row[field], found.ours)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError):
        return False  # what is stated has another shape than this policy is about


def score(folder: Path) -> tuple[dict[str, Score], list[Miss]]:
    """The scores by field, and every miss with its rule."""
    known = rules()
    scores: dict[str, Score] = defaultdict(Score)
    misses: list[Miss] = []
    for case in cases(folder):
        for field in case.row.keys() - NOT_FIELDS:
            mark, found = scores[field], held(case, field)
            mark.of += 1
            mark.holds += found.holds
            if not found.holds:
                rule = excuse(case, field, found, known)
                mark.deliberate += bool(rule)
                misses.append(Miss(case.name, field, case.row[field], found.ours, rule))
    return dict(scores), misses


def run(folder: Path, show: Callable[[str], None], fields: tuple[str, ...] = ()) -> int:
    """Print the table; the number of fields of which too little holds."""
    scores, misses = score(folder)
    for miss in misses:
        if miss.field in fields or "all" in fields:
            why = f"[{miss.rule}]" if miss.rule else "MISS"
            show(f"{miss.field} {miss.mail} {why}\n    stated {_short(miss.wanted)}\n    ours   {_short(miss.ours)}")
    show(f"{'field':26}{'of':>6}{'holds':>7}{'deliberate':>12}{'missed':>8}{'share':>8}")
    low = 0
    for field in sorted(scores, key=lambda name: list(FIELDS).index(name) if name in FIELDS else 99):
        mark = scores[field]
        low += mark.share < LEAST
        missed = mark.rest - mark.holds
        line = f"{field:26}{mark.of:6}{mark.holds:7}{mark.deliberate:12}{missed:8}{mark.share:8.1%}"
        show(line + ("" if mark.share >= LEAST else "  too little"))
    used = Counter(miss.rule for miss in misses if miss.rule)
    show("deliberate: " + ", ".join(f"{name} {count}" for name, count in used.most_common()))
    return low


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 600 else text[:600] + "..."


if __name__ == "__main__":
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / "GOLD.jsonl").is_file():
        sys.exit("usage: gold.py FOLDER-WITH-GOLD.jsonl [FIELD|all ...]")
    sys.exit(1 if run(Path(sys.argv[1]), print, tuple(sys.argv[2:])) else 0)
