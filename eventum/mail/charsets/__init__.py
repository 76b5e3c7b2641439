"""Bytes of a mail to text and back: the charset a mail names, the one it really has, and Japanese."""
