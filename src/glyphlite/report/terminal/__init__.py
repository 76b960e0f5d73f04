"""Prints results on a terminal: tables readable at 80 columns, plain text when piped.
Text from files is shown, never interpreted.
"""
