"""The style sheets of a mail: CSS in, the rules out that say how text looks and can load, hide or reach nothing else.

Whatever is not understood at once is left out: rules for media, for states, for ids, with functions, with escapes. The
scan only moves forward.
"""

import re
from typing import Final

MAX_SHEET: Final = 100_000  # characters of all style sheets of a mail together
_MAX_RULES: Final = 2_000
_MAX_ODD: Final = 5_000  # style elements, comments and at-rules that are passed over
STYLES: Final = {
    *("background background-color border border-bottom border-collapse border-color border-left border-radius "
      "border-right border-spacing border-style border-top border-width color direction display font font-family "
      "font-size font-style font-variant font-weight height letter-spacing line-height list-style list-style-type "
      "margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width opacity "
      "overflow overflow-wrap padding padding-bottom padding-left padding-right padding-top table-layout text-align "
      "text-decoration text-indent text-transform vertical-align visibility white-space width word-break "
      "word-spacing").split()
}  # fmt: skip
"""What a mail may say about its looks. None of them can load anything, once no function stands in its value."""

_COLOURS: Final = re.compile(r"\b(?:rgb|hsl)a?\([0-9.,%/\s-]{1,60}\)", re.IGNORECASE)
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_SELECTOR: Final = re.compile(
    r"""[A-Za-z*.][A-Za-z0-9_*.-]{0,80}                     # an element, classes
        (?: [\x20>+~]{1,3} [A-Za-z*.][A-Za-z0-9_*.-]{0,80} ){0,6}   # below or beside others""",
    re.VERBOSE,
)
_BLANKS: Final = re.compile(r"\s+")
_DECLARATION: Final = re.compile(r"\s{0,9}([a-z-]{2,30})\s{0,9}:([^:\\<>@{}]{1,200})\s*", re.IGNORECASE)
_STYLE: Final = re.compile(r"<style\b[^>]{0,500}>", re.IGNORECASE)
_STYLE_END: Final = re.compile(r"</style", re.IGNORECASE)
_BRACES: Final = re.compile("[{}]")


def sheets(source: str) -> str:
    """The rules of all style elements of an HTML text that may stand, as one sheet."""
    found: list[str] = []
    position = room = 0
    while room < MAX_SHEET and len(found) < _MAX_ODD:
        begin = _STYLE.search(source, position)
        end = _STYLE_END.search(source, begin.end()) if begin else None
        if begin is None or end is None:
            break
        found.append(source[begin.end() : end.start()])
        room += len(found[-1])
        position = end.end()
    return cleaned_sheet("\n".join(found)[:MAX_SHEET])


def cleaned_sheet(css: str) -> str:
    """The rules of a style sheet that may stand."""
    css = _COMMENT.sub(" ", css)
    rules: list[str] = []
    position = odd = 0
    while len(rules) < _MAX_RULES and odd < _MAX_ODD:
        brace = css.find("{", position)
        if brace < 0:
            break
        prelude = css[position:brace].rpartition(";")[2].strip()  # what ends before it was an @import or @charset
        if prelude.startswith("@"):
            position = _behind_block(css, brace)
            odd += 1
            continue
        end = css.find("}", brace)
        if end < 0:
            break
        position = end + 1
        selectors, declarations = _selectors(prelude), _declarations(css[brace + 1 : end])
        if selectors and declarations:
            rules.append(f"{selectors}{{{declarations}}}")
    return "\n".join(rules)


def without_functions(style: str) -> str:
    """The declarations of a style attribute that call nothing but a colour: url() is a function too."""
    if "(" not in style and "\\" not in style:
        return style
    return ";".join(one for one in style.split(";") if "\\" not in one and "(" not in _COLOURS.sub("", one))


def _behind_block(css: str, brace: int) -> int:
    depth = 0
    for found in _BRACES.finditer(css, brace):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return found.end()
    return len(css)


def _selectors(prelude: str) -> str:
    if len(prelude) > 2_000:
        return ""
    given = (_BLANKS.sub(" ", one).strip() for one in prelude.split(","))
    return ",".join(one for one in given if _SELECTOR.fullmatch(one))


def _declarations(body: str) -> str:
    kept: list[str] = []
    for one in without_functions(body[:5_000]).split(";"):
        found = _DECLARATION.fullmatch(one)
        if found and found[1].lower() in STYLES:
            kept.append(f"{found[1].lower()}:{found[2].strip()}")
    return ";".join(kept)
