"""Every parser of `eventum/mail`, found by looking: each public function there whose values can be made from mail.

Nothing has to be registered when a module or a function is added.  What cannot be made from a type alone stands in
`TOGETHER`; what reads nothing a stranger wrote stands in `NO_PARSERS`, with the reason.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import msgspec
from hypothesis import strategies as st

import eventum.mail
from eventum.errors import EventumError
from eventum.mail import parts, tolerant
from tests.fuzz.inputs import STRATEGIES, mails

NO_PARSERS = {
    "compose": "writes our own mail from our own values; what strangers wrote was read before",
    "enclosure": "writes files that people of the team attach",
    "forward": "sends on what parse and part_bytes have read",
    "safe": "a name and a type that content has cleaned",
    "charsets.jis": "encodes the text of our own mail",
}
THROUGH_OTHERS = {
    "bodies": "by gathering.gather, with the leaves of a mail",
    "html.scan": "by html.text.html_to_text, which gives it a writer",
    "reports.layouts": "by reports.reader.with_report, with the lines of a notice",
    "formats.meeting": "by formats.tnef, with the properties it has unpacked",
    "quotes.pieces": "by quotes.quoting.pieces, with what it has cut",
    "formats.rebuilt": "by containers.opened, with what formats.tnef has unpacked",
    "quotes.signature": "by quotes.quoting.pieces, with places in the lines",
    "formats.zones": "by formats.icalendar, with the properties of a zone",
    "quotes.fields.fields_at": "by quotes.quoting.pieces, with a place in the lines",
}
"""Modules, and functions of others, that take places in or parts of what another one has read: and who calls them."""
MAY_RAISE: dict[str, tuple[type[Exception], ...]] = {"tolerant.read_leaves": (tolerant.TooMuch,)}
"""Besides `EventumError`, which a caller shows."""


class Parser(msgspec.Struct, frozen=True):
    """One function and how its arguments are made; `may_raise` is its contract."""

    name: str
    call: Callable[..., Any]
    arguments: st.SearchStrategy[tuple[Any, ...]]
    may_raise: tuple[type[Exception], ...] = ()
    takes_mail: bool = False
    one: type | None = None  # str or bytes, where that is all it takes: then it can be timed on long ones


def modules() -> list[str]:
    """The names of all modules of the room, below it ("html.text")."""
    found = pkgutil.walk_packages(eventum.mail.__path__, "eventum.mail.")
    return sorted(one.name.removeprefix("eventum.mail.") for one in found if not one.ispkg)


def _classes() -> dict[str, type]:
    """All classes of the room by name: some modules import them for their types alone."""
    found = [importlib.import_module(f"eventum.mail.{name}") for name in modules()]
    every = [value for module in found for value in vars(module).values() if inspect.isclass(value)]
    return {value.__name__: value for value in every if value.__module__.startswith("eventum.")}


def _split(reads: Callable[..., Any]) -> Callable[[bytes], Any]:
    return lambda raw: reads(*parts.prepared(raw))


CLASSES = _classes()

# Arguments that belong together, as callers pass them.
TOGETHER: dict[str, tuple[Callable[..., Any], st.SearchStrategy[Any]]] = {
    "parts.fast_tree": (_split(parts.fast_tree), mails()),
    "parts.tolerant_tree": (_split(parts.tolerant_tree), mails()),
    "parts.whole_tree": (_split(parts.whole_tree), mails()),
}


def parsers() -> Iterator[Parser]:
    """All of them, but for functions of which the arguments cannot be made from a type: these others call."""
    for module in modules():
        if module in NO_PARSERS or module in THROUGH_OTHERS:
            continue
        for name, function in _functions(f"eventum.mail.{module}"):
            full = f"{module}.{name}"
            if full in THROUGH_OTHERS:
                continue
            contract = (EventumError, *MAY_RAISE.get(full, ()))
            if full in TOGETHER:
                call, made = TOGETHER[full]
                yield Parser(full, call, st.tuples(made), contract)
                continue
            hints = _needed(function)
            if any(each not in STRATEGIES for each in hints):
                continue
            takes_mail = next(iter(inspect.signature(function).parameters)) == "raw"
            first = mails() if takes_mail else STRATEGIES[hints[0]]()
            arguments = st.tuples(first, *(STRATEGIES[each]() for each in hints[1:]))
            one = hints[0] if len(hints) == 1 and hints[0] in (str, bytes) else None
            yield Parser(full, _in_places(function), arguments, contract, takes_mail, one)


def _functions(module: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    found = importlib.import_module(module)
    for name, function in inspect.getmembers(found, inspect.isfunction):
        if function.__module__ == module and not name.startswith("_") and inspect.signature(function).parameters:
            yield name, function


def _needed(function: Callable[..., Any]) -> list[Any]:
    """The types of the arguments that have to be given."""
    hints = get_type_hints(function, {**CLASSES, **function.__globals__})
    return [hints[name] for name, each in inspect.signature(function).parameters.items() if _is_asked(each)]


def _is_asked(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def _in_places(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with those of its arguments that go by name in their places."""
    named = [each.name for each in inspect.signature(function).parameters.values() if each.kind is each.KEYWORD_ONLY]
    named = [name for name in named if _is_asked(inspect.signature(function).parameters[name])]
    if not named:
        return function
    return lambda *given: function(*given[: -len(named)], **dict(zip(named, given[-len(named) :], strict=True)))
