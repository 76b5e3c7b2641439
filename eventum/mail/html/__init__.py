"""HTML of a mail: as text to be read (`text`), and cleaned so that it can be shown (`markup`)."""
