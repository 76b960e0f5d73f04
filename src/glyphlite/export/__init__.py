"""What leaves the workstation: C arrays, TFLite Micro projects. Reads artifacts, asks runtimes; trains and converts nothing."""
