"""The text of a mail in pieces (`quoting`): what its writer wrote, what he quoted or sent on, his signature."""
