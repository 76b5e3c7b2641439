"""Deliberate differences that a mail itself shows: for a rule of `gold_differences.toml`, whether it applies to a miss.

So a rule holds for mails that nobody listed too.  Each looks at what we made of the mail, not only at what is stated: a
fault of ours is not excused because upstream has a policy of its own.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from eventum.mail.content import clean_name, decoded
from eventum.mail.words import decode_words
from tests.mail.gold_case import Case
from tests.mail.gold_fields import OUTCOMES, flat
from tests.mail.gold_texts import ALIKE, alike, unmarked, words

Policy = Callable[[Case, Any, Any], bool]
_CODE: re.Pattern[str] = re.compile(r"[0-9a-f]{8}|noname\d*|untitled", re.IGNORECASE)


def _froms(case: Case) -> str:
    return ", ".join(case.tree.block.headers.texts("from"))


def _bare_local_part(case: Case, wanted: Any, ours: Any) -> bool:
    if case.message.sender or "@" in _froms(case):
        return False
    return ours in ("", _froms(case), f"{wanted} <{case.row.get('from_addr')}>") or (
        not wanted and ours in _froms(case)
    )


def _name_in_a_comment(case: Case, wanted: Any, ours: Any) -> bool:
    comment = re.search(r"@.*?\((.*)\)", _froms(case), re.DOTALL)
    said = " ".join(decode_words(comment[1]).replace("\\", "").split()) if comment else ""
    return not wanted and bool(ours) and ours == said


def _not_one_address(case: Case, wanted: Any, ours: Any) -> bool:
    return _froms(case).count("@") > len(case.message.from_) and not case.message.sender and ours in ("", _froms(case))


def _name_is_the_address(case: Case, wanted: Any, ours: Any) -> bool:
    return ours == "" and str(wanted).lower() == case.message.sender != ""


def _two_from_lines(case: Case, wanted: Any, ours: Any) -> bool:
    return "two-from" in case.message.defects and str(wanted) in str(ours)


def _made_id(case: Case, wanted: Any, ours: Any) -> bool:
    return bool(wanted) and ours == "" and case.message.message_id_made and wanted.encode() not in case.raw


def _utf_7(case: Case, wanted: Any, ours: Any) -> bool:
    return b"utf-7" in case.raw.lower() and re.sub(r"\+[A-Za-z0-9]+-?", "?", ours) == re.sub(r"[^\0-\x7f]", "?", wanted)


def _malformed_type(case: Case, wanted: Any, ours: Any) -> bool:
    differing = [
        (type_, stated["type"]) for (_, type_, _), stated in zip(ours, wanted, strict=False) if type_ != stated["type"]
    ]
    return len(ours) == len(wanted) and all(
        type_ == "text/plain" and theirs.endswith("/unknown") for type_, theirs in differing
    )


def _name_is_no_path(case: Case, wanted: Any, ours: Any) -> bool:
    if isinstance(wanted, dict):
        if not all(isinstance(part, dict) for part in wanted.values()):
            return False
        paths = [part["Filename"] for part in wanted.values() if "/" in part.get("Filename", "")]
        names = {each.name for each in case.message.attachments}
        return len(ours) == len(paths) and all(
            f"no file {path} in" in miss and clean_name(path) in names for path, miss in zip(paths, ours, strict=True)
        )
    stated = [
        (clean_name(each["name"] or "") or None, each["type"], (each["charset"] or "").lower()) for each in wanted
    ]
    return stated in (ours, [tuple(each) for each in ours])


def _parts_not_found_upstream(case: Case, wanted: Any, ours: Any) -> bool:
    found_none = not wanted or any(each["type"].startswith("multipart/") for each in wanted)
    return found_none and bool(case.message.text or case.message.attachments)


def _alone_is_text(case: Case, wanted: Any, ours: Any) -> bool:
    leaves = case.tree.leaves
    return len(leaves) == 1 and leaves[0].type.startswith("text/") and ours == [] and bool(case.message.text)


def _made_up_name(case: Case, wanted: Any, ours: Any) -> bool:
    if isinstance(wanted[0], str):
        missing = list((Counter(wanted) - Counter(ours)).elements())
        return len(wanted) == len(ours) and all(_is_made_up(name, case) for name in missing)
    nameless = [{**each, "name": ""} for each in ours] == [{**each, "name": ""} for each in wanted]
    names = [each["name"] for each, our in zip(wanted, ours, strict=False) if each["name"] != our["name"]]
    return nameless and all(_is_made_up(name, case) for name in names)


def _is_made_up(name: str, case: Case) -> bool:
    return _CODE.fullmatch(name) is not None and name.encode() not in case.raw


def _filename_before_name(case: Case, wanted: Any, ours: Any) -> bool:
    missing = Counter(wanted) - Counter(ours)
    others = Counter(clean_name(leaf.parameters.get("name", "")) for leaf in case.tree.leaves)
    return len(wanted) == len(ours) and not missing - others


def _signature_is_listed(case: Case, wanted: Any, ours: Any) -> bool:
    signatures = [each for each in case.message.attachments if each.type.endswith(("pgp-signature", "pkcs7-signature"))]
    return ours - len(signatures) == wanted


def _named_text_is_a_file(case: Case, wanted: Any, ours: Any) -> bool:
    named = [each for each in case.message.attachments if each.type.startswith("text/") and each.inline]
    return ours - len(named) == wanted


def _settings_of_a_site(case: Case, wanted: Any, ours: Any) -> bool:
    return wanted.rpartition("::")[2] not in OUTCOMES


def _mail_in_a_mail(case: Case, wanted: Any, ours: Any) -> bool:
    if not any(leaf.type == "message/rfc822" and decoded(leaf) for leaf in case.tree.leaves):
        return False
    own = words(case.message.text)
    return alike(words(wanted.partition("\n\n")[2])[: len(own)], own) >= ALIKE


def _uuencoded_type(case: Case, wanted: Any, ours: Any) -> bool:
    inside = [each for each in case.message.attachments if "/" in each.part]
    plain = [type_ for type_ in ours if type_ not in {each.type for each in inside}]
    stated = list(flat(wanted))
    return len(inside) > 0 and stated == [*plain, *["application/octet-stream"] * len(inside)]


def _sent_on_is_content(case: Case, wanted: Any, ours: Any) -> bool:
    open_ = [piece.text for piece in case.cut if piece.kind == "forward" and not piece.folded]
    own = unmarked(piece.text for piece in case.cut if piece.kind != "forward" and not piece.folded)
    if not open_ or own not in ("", unmarked([case.row["trimmed"]])):
        return False
    return unmarked([wanted]) in unmarked(open_)


POLICIES: dict[str, Policy] = {
    "bare-local-part": _bare_local_part,
    "name-in-a-comment": _name_in_a_comment,
    "not-one-address": _not_one_address,
    "name-is-the-address": _name_is_the_address,
    "two-from-lines": _two_from_lines,
    "made-id": _made_id,
    "utf-7": _utf_7,
    "malformed-type": _malformed_type,
    "name-is-no-path": _name_is_no_path,
    "parts-not-found-upstream": _parts_not_found_upstream,
    "alone-is-text": _alone_is_text,
    "made-up-name": _made_up_name,
    "filename-before-name": _filename_before_name,
    "signature-is-listed": _signature_is_listed,
    "named-text-is-a-file": _named_text_is_a_file,
    "settings-of-a-site": _settings_of_a_site,
    "mail-in-a-mail": _mail_in_a_mail,
    "uuencoded-type": _uuencoded_type,
    "sent-on-is-content": _sent_on_is_content,
}
