"""The building blocks of generated C: names, literals, packed constants, requantization. Knows no op."""
