"""A part of a mail by its path, also one that lies in a mail in this one, or in a box: raw bytes in, its bytes out.

Nothing is kept between two questions: a mail is taken apart again for each, and only what lies on the way is decoded.
"""

from eventum.errors import NotFound
from eventum.mail.bodies import Item
from eventum.mail.containers import MAX_LEVELS
from eventum.mail.gathering import item_at
from eventum.mail.parts import read_tree


def part_bytes(raw: bytes, part: str) -> bytes:
    """The decoded content of one part of the mail, also of one in a container; raises NotFound without such a part."""
    item = _item(raw, part)
    if item is None:
        raise NotFound(f"The mail has no part {part!r}: see the list of its attachments.")
    return item.data


def embedded(raw: bytes, part: str) -> bytes:
    """The bytes of a mail that is a part of this one, for `parse`; raises NotFound when that part is no mail."""
    item = _item(raw, part)
    if item is None or item.kind != "mail":
        raise NotFound(f"The part {part!r} of the mail is no mail: see the list of its attachments.")
    return item.data


def _item(raw: bytes, part: str) -> Item | None:
    for _ in range(MAX_LEVELS):
        found = item_at(read_tree(raw), part)
        if found is None or found.leaf.path == part:
            return found
        raw, part = found.data, part[len(found.leaf.path) + 1 :]
    return None
