"""Image classifiers: which there are, how each is trained, what each costs."""
