"""A board on a serial port as one more runtime: the firmware's answers to the same inputs, and the time that it takes.

``frames`` is the wire format, ``connection`` one board that may lose bytes or be reset, ``board`` the runtime.
"""
