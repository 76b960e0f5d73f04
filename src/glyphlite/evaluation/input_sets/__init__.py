"""Sets of inputs that a model is tried on: random ones, a file's, or a dataset's images, as what its input tensors hold.
Knows what each covers of the values that may enter; runs nothing.
"""
