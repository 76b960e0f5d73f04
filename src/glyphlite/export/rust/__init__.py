"""Export as a Rust crate without the standard library: the generated C behind a safe interface, built by the ``cc`` crate.

The C is the compiler's, its test's answer TFLite Micro's; nothing here knows what a model computes.
"""
