"""The number of processors that the engine's threads may use."""

import os


def processors() -> int:
    """Returns the number of processors that this process may use, at most what OpenMP's variable says."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(allowed, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else allowed
