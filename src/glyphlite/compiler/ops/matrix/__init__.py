"""Ops that multiply by weights: convolutions and fully connected layers. ``weighted.py`` holds what they share."""
