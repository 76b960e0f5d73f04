"""Describes the models that glyphlite knows by name: the reference architectures and the glyph family, each with its recipe.
Everything here is data; Keras models are built from it elsewhere.
"""
