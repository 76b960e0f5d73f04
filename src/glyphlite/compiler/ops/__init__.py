"""One file per op: how it is lowered, its node, its kernel. ``OPS`` registers them."""
