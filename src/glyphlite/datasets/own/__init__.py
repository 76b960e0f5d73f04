"""Reads datasets that users bring: arrays (.npz, .npy, IDX), tables (CSV) and folders of pictures, as people arrange them.

Each reader finds what is there; `assemble` checks it and turns it into pixels, numbered labels and splits. Whatever had to be
assumed on the way is put into words, and whatever cannot be known is refused.
"""
