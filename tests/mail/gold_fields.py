"""What a field of GOLD.jsonl means in our words: for each, whether our reading of the mail is what upstream states.

Only the way of writing is levelled (angle brackets of an id, blanks, quotes around a name, null for nothing); what is
said has to be the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from eventum.mail.address import Address
from eventum.mail.content import Leaf, decoded, file_name
from eventum.mail.message import Message
from eventum.mail.parts import Tree, read_tree
from tests.mail import gold_texts
from tests.mail.gold_case import Case, Held, blanks, same

OPENED = 5  # mails in mails
_FAILED = frozenset({"failed"})
_WAITING = frozenset({"delayed"})


def _subject(case: Case, wanted: str | None) -> Held:
    return same(blanks(case.message.subject), blanks(wanted))


def _sender(case: Case) -> Address | None:
    return case.message.from_[0] if case.message.from_ else None


def _from_addr(case: Case, wanted: str | None) -> Held:
    sender = _sender(case)
    return same(sender.address if sender else "", (wanted or "").lower())


def _from_name(case: Case, wanted: str | None) -> Held:
    sender = _sender(case)
    return same(blanks(sender.name) if sender else "", blanks(wanted))


def _message_id(case: Case, wanted: str | None) -> Held:
    ours = "" if case.message.message_id_made else case.message.message_id.strip("<>")
    return same(ours, (wanted or "").strip("<>"))


def _n_to(case: Case, wanted: int) -> Held:
    return same(len(case.message.to), wanted)


def _leaf_parts(case: Case, wanted: list[dict[str, Any]]) -> Held:
    """The leaves, or those of the mails in the mail in the place of these, as some projects count."""
    stated = [(each["name"], each["type"], (each["charset"] or "").lower()) for each in wanted]
    ours = [_leaf(leaf) for leaf in case.tree.leaves]
    opened = [_leaf(leaf) for leaf in opened_leaves(case.tree).values()]
    return Held(stated in (ours, opened), opened)


def _leaf(leaf: Leaf) -> tuple[str | None, str, str]:
    return file_name(leaf) or None, leaf.type, leaf.parameters.get("charset", "").lower()


def opened_leaves(tree: Tree, before: str = "", depth: int = OPENED) -> dict[str, Leaf]:
    """The leaves by path; of a mail in the mail ("3") its own, under "3.1"."""
    found: dict[str, Leaf] = {}
    for leaf in tree.leaves:
        path = f"{before}{leaf.path}"
        if leaf.type != "message/rfc822" or not depth:
            found[path] = leaf
            continue
        # A mail that is nothing but a mail has no number of its own in these projects' counting.
        alone = depth == OPENED and len(tree.leaves) == 1 and leaf.path == "1"
        inner = "" if alone else f"{path}."
        found |= opened_leaves(read_tree(decoded(leaf)), inner, depth - 1)
    return found


def _report_addresses(case: Case, actions: frozenset[str]) -> set[str]:
    report = getattr(case.message, "report", None)
    return {each.address.lower() for each in report.recipients if each.action in actions} if report else set()


def _bounce_permanent(case: Case, wanted: list[str]) -> Held:
    return same(_report_addresses(case, _FAILED), {each.lower() for each in wanted})


def _bounce_temporary(case: Case, wanted: list[str]) -> Held:
    return same(_report_addresses(case, _WAITING), {each.lower() for each in wanted})


def _detector(case: Case, wanted: str) -> Held:
    """Whether it is known as a report about a mail: which of their detectors knew it is their own affair."""
    report = getattr(case.message, "report", None)
    return Held(case.message.automatic == "bounce" or report is not None, case.message.automatic)


def _n_attachments(case: Case, wanted: int) -> Held:
    return same(len(case.message.attachments), wanted)


def _attachments(case: Case, wanted: list[dict[str, Any]]) -> Held:
    ours = [
        {
            "name": each.name,
            "size": each.size,
            "type": each.type,
            "disposition": "inline" if each.inline else "attachment",
        }
        for each in case.message.attachments
    ]
    return same(ours, wanted)


def _attachment_names_stated(case: Case, wanted: list[str]) -> Held:
    ours = Counter(blanks(each.name) for each in case.message.attachments)
    return Held(not Counter(blanks(each) for each in wanted) - ours, sorted(ours))


def _structure(case: Case, wanted: Any) -> Held:
    """Types, names and sizes of leaves at their paths, or the types of the leaves in their order."""
    if isinstance(wanted, dict) and any(name == "Msg" or name.startswith("Part_") for name in wanted):
        leaves = opened_leaves(case.tree)
        wrong = [f"{name}: {each}" for name, part in wanted.items() for each in _part_misses(name, part, leaves, case)]
        return Held(not wrong, wrong)
    ours = [leaf.type for leaf in case.tree.leaves]
    ours += [each.type for each in case.message.attachments if "/" in each.part]  # files in text, in containers
    rest = iter(ours)
    return Held(all(each in rest for each in flat(wanted)), ours)


def flat(shape: Any) -> Iterator[str]:
    """The types of leaves in a nested statement of them, in order."""
    if isinstance(shape, dict):
        for type_, inner in shape.items():
            if not type_.startswith("multipart/"):
                yield type_
            yield from flat(inner)
    elif isinstance(shape, list):
        for each in shape:
            yield from flat(each)
    else:
        yield shape


def _part_misses(name: str, part: dict[str, str], leaves: dict[str, Leaf], case: Case) -> Iterator[str]:
    if name == "Msg":
        if "Subject" in part and blanks(part["Subject"]) != blanks(case.message.subject):
            yield f"subject {case.message.subject!r}"
        if part.get("Type", "text/").startswith(("multipart/", "message/")):
            return
    path = "1" if name == "Msg" else name.removeprefix("Part_").replace("_", ".")
    leaf = leaves.get(path)
    if leaf is None and "Filename" in part:
        files = {each.name: each.size for each in case.message.attachments}
        if part["Filename"] not in files or files[part["Filename"]] != int(part.get("Size", files[part["Filename"]])):
            yield f"no file {part['Filename']} in {files}"
        return
    if leaf is None:
        if not part.get("Type", "multipart/").startswith(("multipart/", "message/")):
            yield f"no leaf of {part}"
        return
    if "/" in part.get("Type", "") and leaf.type != part["Type"]:
        yield f"type {leaf.type}"
    if "Filename" in part and file_name(leaf) != part["Filename"]:
        yield f"name {file_name(leaf)!r}"
    if "Size" in part and len(decoded(leaf)) != int(part["Size"]):
        yield f"size {len(decoded(leaf))}"


OUTCOMES: dict[str, Callable[[Message], bool]] = {
    "AutoGeneratedEmailError": lambda message: message.automatic != "",
    "BouncedEmailError": lambda message: message.automatic == "bounce",
    "NoSenderDetectedError": lambda message: message.sender == "",
    "NoBodyDetectedError": lambda message: message.text == "",
}


def _outcome(case: Case, wanted: str) -> Held:
    """What that program does with the mail, as far as it follows from what is read and not from its settings."""
    holds = OUTCOMES.get(wanted.rpartition("::")[2])
    return Held(holds is not None and holds(case.message), [case.message.automatic, case.message.sender])


def _raw_addresses(entries: tuple[Address, ...], wanted: str) -> Held:
    ours = ", ".join(gold_texts.shown(each) for each in entries)
    bare = wanted.replace('"', "")
    return same(ours, bare.strip("<>") if bare.startswith("<") else bare)


FIELDS: dict[str, Callable[[Case, Any], Held]] = {
    "subject": _subject,
    "from_addr": _from_addr,
    "from_name": _from_name,
    "message_id": _message_id,
    "n_to": _n_to,
    "leaf_parts": _leaf_parts,
    "detector": _detector,
    "bounce_permanent": _bounce_permanent,
    "bounce_temporary": _bounce_temporary,
    "trimmed": gold_texts.trimmed,
    "elided": gold_texts.elided,
    "embedded": gold_texts.embedded,
    "before": gold_texts.before,
    "n_attachments": _n_attachments,
    "attachments": _attachments,
    "attachment_names_stated": _attachment_names_stated,
    "structure": _structure,
    "rendered": gold_texts.rendered,
    "outcome": _outcome,
    "from_raw": lambda case, wanted: _raw_addresses(case.message.from_, wanted),
    "to_raw": lambda case, wanted: _raw_addresses(case.message.to, wanted),
    "text": gold_texts.text,
    "text_rule": gold_texts.text_rule,
}
NOT_FIELDS = frozenset({"source", "file", "upstream", "dup"})
