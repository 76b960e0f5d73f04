"""Runs interpreters in child processes, so that a damaged or hostile file ends a child and never the command.
The parent speaks with its workers over pipes and gets a result or a reason.
"""
