"""Whatever stands in a mail, no parser raises what its contract does not name, hangs, or grows faster than its input.

A few seconds within `make test`; `make fuzz` gives each module a minute of ever new examples (`FUZZ_SECONDS`), shared
by its functions, none of which gets less than two; seconds are of CPU.
"""

import importlib
import os
import random
import time
import zlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.inputs import HEAD, PIECES
from tests.fuzz.parsers import NO_PARSERS, THROUGH_OTHERS, Parser, modules, parsers

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
FEW = 8  # examples of each parser within `make test`
MANY = 500  # between two looks at the clock
LEAST = 2.0  # seconds for a function of a module of many
LIMIT = 2.0  # seconds of CPU for one example
LONG = 100_000  # bytes: what is long enough to tell growth from noise
QUICK = 0.15  # seconds below which nobody asks how it grew
KINDS = (b"", b"Content-Type: text/html\n", b"Content-Type: multipart/mixed; boundary=b\n")
NOT_TIMED = {"html.markup.cleaned": "`markup` looks first whether a mail is too large or too deep to be cleaned"}
ALL = {parser.name: parser for parser in parsers()}


def encodes(value: object) -> bool:
    """Whether it can be written to a file: no lone surrogate, nothing that is no value."""
    if isinstance(value, str):
        return bool(value.encode("utf-8")) or not value
    if isinstance(value, msgspec.Struct) and type(value).__name__ == "Message":
        return bool(msgspec.json.encode(value))
    return True


def tried(parser: Parser, arguments: tuple[object, ...]) -> None:
    """Call it once, and look at the clock and at what comes back."""
    began = time.process_time()
    try:
        value = parser.call(*arguments)
        if isinstance(value, Iterator):
            list(value)
    except parser.may_raise:
        return
    assert time.process_time() - began < LIMIT
    assert encodes(value)


def examined(parser: Parser, number: int, examples: int) -> None:
    """Let hypothesis look for an example that breaks it."""

    @seed(number)
    @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
    @given(parser.arguments)
    def attempt(arguments: tuple[object, ...]) -> None:
        tried(parser, arguments)

    attempt()


_PHASES = (Phase.generate, Phase.shrink)


def grown(parser: Parser, piece: bytes, length: int) -> float:
    """Seconds of CPU for a piece repeated to a length."""
    data = piece * (length // len(piece) + 1)
    if parser.takes_mail:
        data = HEAD + random.Random(piece).choice(KINDS) + b"\n" + data
    value = data.decode("utf-8", "replace") if parser.one is str else data
    began = time.process_time()
    tried(parser, (value,))
    return time.process_time() - began


def test_every_module_of_the_room_is_fuzzed_or_says_why_not() -> None:
    fuzzed = {name.rpartition(".")[0] for name in ALL}
    through = {name for name in THROUGH_OTHERS if name in modules()}
    without = {name for name in modules() if not functions_of(name)}  # values, tables, patterns
    assert set(modules()) - without == fuzzed | (through - without) | (set(NO_PARSERS) - without)
    assert not fuzzed & (through | set(NO_PARSERS))


def functions_of(module: str) -> list[str]:
    """The public functions a module defines."""
    found = importlib.import_module(f"eventum.mail.{module}")
    return [
        name
        for name, value in vars(found).items()
        if callable(value)
        and not name.startswith("_")
        and getattr(value, "__module__", "") == found.__name__
        and not isinstance(value, type)
    ]


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_parser_reads_anything(name: str) -> None:
    parser = ALL[name]
    if not SECONDS:
        examined(parser, zlib.crc32(name.encode()), FEW)
        return
    functions = sum(each.rpartition(".")[0] == name.rpartition(".")[0] for each in ALL)
    share = max(LEAST, SECONDS / functions)
    end, number, start = time.process_time() + share, 0, random.SystemRandom().getrandbits(32)
    while time.process_time() < end:
        examined(parser, start + number, MANY)
        number += 1
    print(f"{name}: {number * MANY} examples, seeds from {start}")


TIMED = sorted(name for name, parser in ALL.items() if parser.one and name not in NOT_TIMED)


@pytest.mark.parametrize("name", TIMED)
def test_a_parser_takes_no_more_than_its_share_for_what_is_longer(name: str) -> None:
    parser = ALL[name]
    chosen = random.Random(name)
    pieces = PIECES if SECONDS else chosen.sample(PIECES, 6)
    pairs = [(one + chosen.choice(PIECES)) for one in pieces]
    for piece in (*pieces, *pairs):
        long = grown(parser, piece, LONG)
        if long > QUICK:
            short = min(grown(parser, piece, LONG // 4) for _ in range(3))
            assert min(long, grown(parser, piece, LONG)) < max(QUICK, 8 * short), piece
