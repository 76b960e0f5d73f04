"""Export as a C library that Arduino, PlatformIO, ESP-IDF, Zephyr, CMake and CMSIS-Pack take as it is: one folder for all.

The C is the compiler's; around it lie the manifests of each toolchain, an example for each, and a check to run on the board.
"""
