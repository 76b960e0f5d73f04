"""C that prepares a picture on the device: what a camera or a touch panel gives, turned into the pixels that a model knows.

The third twin of ``preprocessing``, in integers; knows a model's name and the size of its input, nothing of its layers.
"""
