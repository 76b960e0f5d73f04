"""Composes the packages below into jobs, one file per command.
Nothing here measures, converts or draws by itself.
"""
