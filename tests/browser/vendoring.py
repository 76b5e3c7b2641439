"""Bring axe, which looks for what keeps people out of a page, into tests/browser/vendor: `python -m
tests.browser.vendoring` (needs npm, once a version).

Flows in: the package of npm named here. Flows out: its script and licence, and a manifest with their digests, which
`tests/web/test_vendored.py` compares. It is for tests only: nothing of it is served to anybody.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from tests.vendoring import fetched

VENDOR = Path(__file__).parent / "vendor"
AXE = ("axe-core", "4.14.1")
FILES = ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt")


def main() -> None:
    """Make the folder anew."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    place = VENDOR / "-".join(AXE)
    place.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as made:
        package = fetched(Path(made), *AXE)
        for name in FILES:
            shutil.copy(package / name, place / name)
    (VENDOR / "manifest.json").write_text(json.dumps(digests(VENDOR), indent=2) + "\n")


def digests(vendor: Path) -> dict[str, str]:
    """The digest of each file that was brought, by its path."""
    return {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(vendor.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


if __name__ == "__main__":
    main()
