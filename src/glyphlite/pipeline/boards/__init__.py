"""Fits of models on boards: measured on an emulated core, or estimated from what a compiler says.
Knows flash, RAM and clocks; prints nothing.
"""
