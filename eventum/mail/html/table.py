"""A table of a mail's HTML as lines of text: rows that hold data on one line each, and a layout as if it were none.

Cells in, each a list of lines under the depth of their quotes; lines out.  Nearly every mail that is HTML is laid out
in tables, so what is data is judged row by row, from what the cells hold.
"""

from typing import Final

Line = tuple[int, str]
"""A line of text under the depth of the quote it stands in."""

_CELL: Final = 200  # characters of a cell in a row of data
_ROW: Final = 500
_LINES_OF_CELL: Final = 4
_LONG: Final = 80


class Table:
    """A table while it is read. `frame`, `row`, `cell`: where these are in the stack of open elements, -1 for none."""

    def __init__(self, frame: int, quotes: int, *, is_data: bool) -> None:
        self.frame, self.row, self.cell = frame, -1, -1
        self.quotes = quotes
        self.is_data = is_data
        self.gap, self.marker = False, ""  # what is due before it: a blank line, the mark of an entry
        self.loose: list[Line] = []  # what stands between the cells: a caption, or what is no cell at all
        self.rows: list[list[list[Line]]] = []

    def open_row(self) -> None:
        """Begin the next row."""
        self.rows.append([])

    def open_cell(self) -> list[Line]:
        """Begin the next cell of the row; the answer is where its lines go."""
        if not self.rows:
            self.rows.append([])
        cell: list[Line] = []
        self.rows[-1].append(cell)
        return cell

    def lines(self) -> list[Line]:
        """The table as text."""
        made = list(self.loose)
        was_long = False
        for row in self.rows:
            cells = [filled for cell in row if (filled := _trimmed(cell))]
            together = self.together(cells)
            if together is not None:
                made.append((self.quotes, together))
                was_long = False
                continue
            for cell in cells:
                is_long = len(cell) > 1 or len(cell[0][1]) > _LONG
                if made and (is_long or was_long):
                    made.append((min(self.quotes, made[-1][0]), ""))
                made.extend(cell)
                was_long = is_long
        return made

    def together(self, cells: list[list[Line]]) -> str | None:
        """The cells of a row on one line, None when they are parts of a layout."""
        if len(cells) < 2:
            return None
        most = _LINES_OF_CELL if self.is_data else 1
        if any(len(cell) > most or any(quotes != self.quotes for quotes, _ in cell) for cell in cells):
            return None
        texts = [" / ".join(text for _, text in cell if text) for cell in cells]
        if max(map(len, texts)) > _CELL or sum(map(len, texts)) > _ROW:
            return None
        if len(texts) == 2 and texts[0].endswith((":", "：")):
            return " ".join(texts)
        return " | ".join(texts)


def _trimmed(cell: list[Line]) -> list[Line]:
    start, end = 0, len(cell)
    while start < end and not cell[start][1]:
        start += 1
    while end > start and not cell[end - 1][1]:
        end -= 1
    return cell[start:end]
