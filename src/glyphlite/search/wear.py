"""The wear of a process that trains one network after the other: what TensorFlow keeps of them it gives back at its end alone."""

WORN = 75
"""The exit code of a process that has run its share of trials and leaves the others to a new one (EX_TEMPFAIL of sysexits.h)."""

TRIALS_OF_A_PROCESS = 40
"""Trials after which a process gives way to a new one: TensorFlow keeps some 10 to 25 MB of each network that it trained."""
