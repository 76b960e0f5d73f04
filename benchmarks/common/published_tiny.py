"""Published cycles of MLPerf Tiny's models, closed division, on cores that we emulate. Data; nothing is measured here.

A submission tells its median throughput, as a board measured it, and its clock; their quotient is cycles per inference. Every
entry was read from the submitter's own ``results/BOARD/MODEL/performance/results.txt`` and ``systems/BOARD.json`` in
https://github.com/mlcommons/tiny_results_vROUND. Cycles are not instructions: a core waits for its flash, too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """One engine on one board in one round.

    Attributes:
        round: of MLPerf Tiny, such as ``v1.2``.
        submitter: the organization.
        engine: the inference framework, as the submitter names it.
        board: the development board.
        core: the name of the core.
        mhz: its clock.
        throughput: inferences per second of each model.
    """

    round: str
    submitter: str
    engine: str
    board: str
    core: str
    mhz: int
    throughput: dict[str, float]

    def cycles(self, model: str) -> int:
        """Returns the cycles of one inference."""
        return round(self.mhz * 1e6 / self.throughput[model])


SUBMISSIONS = (
    Submission(
        "v1.1", "Plumerai", "Plumerai 2023.05", "NUCLEO-L4R5ZI", "cortex-m4", 120,
        {"kws": 20.929, "vww": 10.126, "ic": 5.961, "ad": 246.814},
    ),
    Submission(
        "v1.2", "STMicroelectronics", "X-CUBE-AI 9.0", "NUCLEO-L4R5ZI", "cortex-m4", 120,
        {"kws": 23.155, "vww": 11.245, "ic": 6.056, "ad": 190.086},
    ),
    Submission(
        "v1.3", "STMicroelectronics", "X-CUBE-AI 10.2", "NUCLEO-L4R5ZI-P", "cortex-m4", 120,
        {"kws": 23.032, "vww": 11.181, "ic": 6.036, "ad": 208.608},
    ),
    Submission(
        "v1.1", "Plumerai", "Plumerai 2023.05", "NUCLEO-U575ZI-Q", "cortex-m33", 160,
        {"kws": 33.286, "vww": 16.809, "ic": 9.589, "ad": 272.337},
    ),
    Submission(
        "v1.2", "STMicroelectronics", "X-CUBE-AI 9.0", "NUCLEO-U575ZI-Q", "cortex-m33", 160,
        {"kws": 34.416, "vww": 16.870, "ic": 9.003, "ad": 291.589},
    ),
    Submission(
        "v1.3", "STMicroelectronics", "X-CUBE-AI 10.2", "NUCLEO-U575ZI-Q", "cortex-m33", 160,
        {"kws": 34.489, "vww": 16.873, "ic": 9.133, "ad": 311.579},
    ),
    Submission(
        "v1.1", "Bosch", "HALE 1.0", "NUCLEO-G0B1RE", "cortex-m0", 64,
        {"kws": 1.472, "vww": 0.535, "ic": 0.599, "ad": 21.484},
    ),
)  # fmt: skip
"""NUCLEO-G0B1RE has a Cortex-M0+, which executes the Cortex-M0's instructions in a shorter pipeline."""


def best_published(model: str, core: str) -> Submission | None:
    """Returns the submission with the fewest cycles for a model on a core; None where there is none."""
    found = [each for each in SUBMISSIONS if each.core == core and model in each.throughput]
    return min(found, key=lambda each: each.cycles(model), default=None)
