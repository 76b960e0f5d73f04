"""A model as a TOML file: architecture and recipe, read with the line of every error, and written. People define networks so
without Python, and `glyphlite search` hands over what it finds.
"""
