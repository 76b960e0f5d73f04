"""Proposes what a search tries next: the points that are given at its beginning, then neighbours of the front's networks.
Surrogates learn from the trials what networks reach and cost; Optuna asks, and TPE has its turn.
"""
