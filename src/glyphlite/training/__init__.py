"""Trains a model on a dataset, step for step reproducibly, so that a training can be killed and resumed to the bit.
Knows datasets and models; converts and measures nothing.
"""
