"""A dataset judged before it is trained on: repetitions, polarity, and labels that models trained on the rest contradict.
Reads no files; what it finds is records, which the report shows.
"""
