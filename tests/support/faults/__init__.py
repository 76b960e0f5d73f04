"""Commands that die, or whose file system fails, at one moment: a preloaded library does it, forked children are the commands.

``run`` makes the trials, ``campaign`` runs them by the thousand; ``tests/faults`` takes a few.
"""
