"""Builds freestanding images of C and runs them instruction by instruction on emulated cores: compilers, ELF, emulator, stack.
Knows machines and object code, nothing of models.
"""
