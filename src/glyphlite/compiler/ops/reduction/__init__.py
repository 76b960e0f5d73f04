"""Ops that make one value of many: pools and reductions over axes. No weights take part."""
