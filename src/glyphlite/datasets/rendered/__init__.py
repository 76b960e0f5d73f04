"""Pictures of letters drawn from fonts that imitate handwriting: a dataset for demonstrations where no network brings a real one.
The fonts are free ones of Debian's packages; those that draw the test images are never seen in training.
"""
