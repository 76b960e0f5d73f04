"""Draws figures: plots of a run, sample images, annotated pictures, the graph of a model.
Functions from records to pictures, in one style.
"""
