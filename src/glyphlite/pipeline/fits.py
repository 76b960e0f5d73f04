"""``glyphlite fits``: a model on every board, or on one, by what it takes on the board's core."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from glyphlite.boards import Board
from glyphlite.console import progress_bar
from glyphlite.conversion.isolation import prepare
from glyphlite.cores import CORE_NAMES
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.random_inputs import last_random
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.extras import require_extra
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.registry import is_definition, require_definition, resolve_model
from glyphlite.pipeline.boards.fit import fit_of
from glyphlite.pipeline.boards.xtensa import STACK_CORE, is_xtensa, xtensa_fit, xtensa_sizes
from glyphlite.pipeline.inputs.files import artifact_in, integer_graph
from glyphlite.records import BoardFit, FirmwareReport
from glyphlite.search.cost import untrained_file

_INPUTS = 3
"""Random inputs of which the last, which is no constant, is counted."""

_CLASSES = 10
"""Of a network that is not trained yet."""

CHOICES = ("speed", "ram", "size")
"""What a model may be optimized for, the fastest first."""


def fits_on(path: Path, boards: Sequence[Board], *, optimize: str = "speed") -> list[BoardFit]:
    """Returns a model's fit on each board: compiled for its core, and run there once on a random input.

    Boards whose core is not emulated get what a compiler says, or an estimate that names what it is from. Of a model file (TOML)
    the network is measured before training, for ten classes, with weights that cost what trained ones do.

    Raises:
        ArtifactError: the file is malformed, or holds what generated C cannot express.
        ModelError: a model file defines no model.
        ToolError: cross-compiler or emulator are missing (``pip install glyphlite[firmware]``).
    """
    if is_definition(str(path)):
        with _untrained(path) as artifact:
            return fits_on(artifact, boards, optimize=optimize)
    path = artifact_in(path)
    inputs = last_random(inputs_of(integer_graph(path)), _INPUTS)
    cores = {board.cpu for board in boards if board.cpu is not None}
    xtensa = any(is_xtensa(board) for board in boards)
    if xtensa:
        cores.add(STACK_CORE)
    reports: dict[str, FirmwareReport] = {}
    missing: dict[str, str] = {}
    with progress_bar("Measuring on the boards' cores", len(cores)) as advance:
        for core in sorted(cores):
            try:
                reports[core] = simulate(path, core, inputs, optimize=optimize).report
            except ToolError as error:
                if not _needs_system_tools(core):
                    raise
                missing[core] = str(error)
            except ArtifactError as error:
                if not _needs_system_tools(core):  # else: too large for any such chip
                    raise
                missing[core] = str(error)
            advance()
    sizes = xtensa_sizes(path, reports[STACK_CORE], optimize=optimize) if xtensa else None
    found = [
        xtensa_fit(board, sizes)
        if sizes and is_xtensa(board)
        else fit_of(board, reports.get(board.cpu or ""), missing.get(board.cpu or ""))
        for board in boards
    ]
    return [fit.model_copy(update={"optimize": optimize}) for fit in found]


@contextmanager
def _untrained(path: Path) -> Iterator[Path]:
    """Yields the int8 file of a model file's network, as long as the block runs."""
    require_extra("train", f"a fit of {path}, which is not trained yet,")
    prepare()
    definition = require_definition(str(path))
    height, width = definition.input_size or (28, 28)
    shape = (height, width, 1)
    resolve_model(str(path), shape, _CLASSES)
    with temporary_folder() as folder:
        artifact = folder / f"{definition.architecture.name}.tflite"
        artifact.write_bytes(untrained_file(definition.architecture, shape, _CLASSES, definition.recipe.narrowed))
        yield artifact


def fitting_choice(path: Path, board: Board, *, tried: str) -> str | None:
    """Returns what else a model may be optimized for so that it fits a board that it does not fit yet; None where nothing helps.

    Args:
        path: the model.
        board: the board.
        tried: what it was optimized for.

    Raises:
        ToolError: cross-compiler or emulator are missing.
    """
    others = [choice for choice in CHOICES if choice != tried]
    return next((choice for choice in others if fits_on(path, [board], optimize=choice)[0].verdict in ("FITS", "TIGHT")), None)


def _needs_system_tools(core: str) -> bool:
    """Returns whether a core's compiler or emulator is a package of the system, which not everybody has."""
    return core not in CORE_NAMES or bool(target_named(core).packages)
