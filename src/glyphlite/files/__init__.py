"""Whole files and whole folders or none: everything glyphlite writes is written beside its place and renamed into it.

Knows paths and bytes, nothing of what they hold. ``single`` writes one file, ``owned`` one in a folder that may hold
the user's as well, ``folders`` a whole folder; what is ours in a folder is known by its ``manifest``. ``scratch`` makes the
temporary folders of all and sweeps those that a kill has left. ``untrusted`` and ``zips`` read what comes from outside.
"""
