"""Training a model on a dataset, so that it can be killed and resumed."""
