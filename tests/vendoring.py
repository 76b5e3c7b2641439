"""Bring what other people wrote for browsers into static/: `python tests/vendoring.py` (needs npm, once a version).

Flows in: the packages of npm named here. Flows out: static/vendor/<name>-<version>/ with their licences,
static/icons.svg made of the icons that pages use, and static/vendor/manifest.json with the digest of each file, which
a test compares. At run time nothing of this is needed.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
VENDOR = STATIC / "vendor"
# Package, version, and which of its files are taken.
PACKAGES = (
    ("htmx.org", "2.0.11", ("dist/htmx.min.js", "LICENSE")),
    ("@tabler/core", "1.6.1", ("dist/css/tabler.min.css",)),
)
ICONS = ("bootstrap-icons", "1.13.1")
# Tabler's package has no licence file; this is its licence.
TABLER_LICENCE = """The MIT License (MIT)

Copyright (c) 2018-2026 The Tabler Authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
SYMBOL = re.compile(r"<svg[^>]*viewBox=\"([^\"]+)\"[^>]*>(.*)</svg>", re.DOTALL)


def used_icons() -> list[str]:
    """The icons that templates and screens name: `icon("house")`, or as a plain word in a table of icons."""
    root = STATIC.parent
    texts = [path.read_text(encoding="utf-8") for path in sorted((root / "templates").rglob("*.html"))]
    texts += [path.read_text(encoding="utf-8") for path in sorted((root / "eventum").rglob("*.py"))]
    words = {word for text in texts for word in re.findall(r"[\"']([a-z0-9]+(?:-[a-z0-9]+)*)[\"']", text)}
    return sorted(words)


def main() -> None:
    """Make static/vendor, static/icons.svg and the manifest anew."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    with tempfile.TemporaryDirectory() as made:
        for name, version, wanted in PACKAGES:
            package = fetched(Path(made), name, version)
            place = VENDOR / f"{name.replace('@', '').replace('/', '-').removesuffix('.org')}-{version}"
            place.mkdir(parents=True)
            for file in wanted:
                text = (package / file).read_text(encoding="utf-8")
                # The maps are for those who change the package.
                (place / Path(file).name).write_text(re.sub(r"/\*# sourceMappingURL=.*?\*/\s*$", "", text))
            if "LICENSE" not in wanted:
                (place / "LICENSE").write_text(TABLER_LICENCE)
        icons(fetched(Path(made), *ICONS))
    digests = {
        path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted([*VENDOR.rglob("*"), STATIC / "icons.svg"])
        if path.is_file()
    }
    (VENDOR / "manifest.json").write_text(json.dumps(digests, indent=2) + "\n")


def fetched(folder: Path, name: str, version: str) -> Path:
    """A package of npm, unpacked."""
    subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    place = folder / f"{archive.stem}-unpacked"
    place.mkdir()
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(place)], check=True)
    archive.unlink()
    return place / "package"


def icons(package: Path) -> None:
    """One file of all icons that are used, each a symbol with its name."""
    symbols = []
    for name in used_icons():
        path = package / "icons" / f"{name}.svg"
        if path.exists():
            found = SYMBOL.search(path.read_text(encoding="utf-8"))
            assert found, path
            symbols.append(f'<symbol id="{name}" viewBox="{found[1]}">{" ".join(found[2].split())}</symbol>')
    place = VENDOR / f"{'-'.join(ICONS)}"
    place.mkdir(parents=True)
    shutil.copy(package / "LICENSE", place / "LICENSE")
    (STATIC / "icons.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n')


if __name__ == "__main__":
    main()
