"""A table asks its rules in order and keeps what each saw."""

import pytest

from eventum.issues.trace import Row, Rule, Table

SIGN: Table[int, str] = Table(
    "sign",
    (
        Rule("negative", lambda n: (str(n), "below" if n < 0 else None)),
        Rule("zero", lambda n: (str(n), "nothing" if n == 0 else None)),
        Rule("positive", lambda n: (str(n), "above" if n > 0 else None)),
    ),
    str.upper,
)


@pytest.mark.parametrize(
    ("number", "answer", "rows"),
    [
        (-1, "below", [("negative", "BELOW")]),
        (0, "nothing", [("negative", "pass"), ("zero", "NOTHING")]),
        (5, "above", [("negative", "pass"), ("zero", "pass"), ("positive", "ABOVE")]),
    ],
)
def test_the_first_rule_that_answers_decides(number: int, answer: str, rows: list[tuple[str, str]]) -> None:
    said, trace = SIGN.decide(number)
    assert said == answer
    assert trace == tuple(Row("sign", rule, str(number), told) for rule, told in rows)


def test_a_table_whose_last_rule_passes_is_a_fault_of_ours() -> None:
    with pytest.raises(AssertionError, match="table half"):
        Table("half", SIGN.rules[:1], str).decide(1)
