"""Ops that move values without computing: views, paddings, concatenations. The quantization stays as it is."""
