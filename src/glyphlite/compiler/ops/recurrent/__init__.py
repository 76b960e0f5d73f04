"""Ops that leave something behind for the next call. Variables are maps that are read and written; others keep their own."""
