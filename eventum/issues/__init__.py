"""The tracker's rules: records, and decisions about them, as pure functions over values.

Reading order: `people accounts settings trace events issue` are the records; `routing association admission
subscriptions acknowledgement recipients` are the policy tables, each an ordered tuple of rules over one frozen value of
facts; `access` says who may see what, `notices` what is told, `explain` why something was decided, in English.

Everything a decision needs, the time included, is an argument. Nothing here opens a file, a socket or a clock, and of
the other packages only values of `mail` are known.
"""
