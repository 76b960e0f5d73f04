"""``glyphlite search``: the trials of a study on this machine, their report, and the winner's run.
Composes the engine of ``glyphlite.search`` with what ``train`` and ``run`` do; draws nothing itself.
"""
