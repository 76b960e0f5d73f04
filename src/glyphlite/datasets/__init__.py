"""Loads datasets: a name or a path becomes images as stored bytes, labels and three splits.
Knows files and arrays, nothing of models.
"""
