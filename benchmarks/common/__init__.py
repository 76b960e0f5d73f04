"""What several benchmarks share: artifacts to measure, and a competitor's harness. No benchmark by itself."""
