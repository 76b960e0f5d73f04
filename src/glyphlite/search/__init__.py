"""Searches for the most accurate small classifiers that a chip's flash, RAM and time allow, on a user's own data.
What a network costs is measured before it is trained; Optuna proposes, keeps and shares the trials.
"""
