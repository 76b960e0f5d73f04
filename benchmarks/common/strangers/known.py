"""Rows known to be wrong, each with the reason: they stay in the table, and in the test as strict expected failures."""

KNOWN: dict[str, str] = {}
