"""Damaged .npz, IDX, .keras, picture and model files, each told by its kind, a seed and a number, and what becomes of one.

``campaigns/input_files.py`` tries 20,000 of each kind, ``tests/test_input_files.py`` some hundreds.
"""

from support.input_files.damage import Damaged, make_damaged
from support.input_files.kinds import KINDS, Kind
from support.input_files.trial import Trial, run_trials

__all__ = ["KINDS", "Damaged", "Kind", "Trial", "make_damaged", "run_trials"]
