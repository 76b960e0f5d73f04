"""The results.json that ``evaluate`` writes beside the files it measured, for ``report`` and ``predict``."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from glyphlite import __version__
from glyphlite.console import say
from glyphlite.errors import DataError, OutputError
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.models.pretrained import CARD
from glyphlite.records import ArtifactReport, KerasReport
from glyphlite.results import Results

FILE = "results.json"


def keep_results(
    keras: dict[str, KerasReport], artifacts: dict[str, ArtifactReport], *, dataset: str, labels: Sequence[str], seed: int
) -> Path | None:
    """Writes what was measured into the ``results.json`` of the one folder that all the files lie in, where that makes sense.

    It does where one of them is a .keras file, or the folder has such a document already. What that says of other files, and of
    files of the same bytes, stays. Cannot be written: one line, no error, as the measurements are printed anyway.

    Args:
        keras: what was measured on .keras files, by path.
        artifacts: likewise on .tflite files.
        dataset: on whose test split.
        labels: of its classes.
        seed: of the split into training and validation.

    Returns:
        The document's path, or None where none was written.
    """
    folders = {Path(path).resolve().parent for path in (*keras, *artifacts)}
    if len(folders) != 1:
        return None
    folder = folders.pop()
    if (folder / CARD).is_file() or (folder.parent / CARD).is_file():  # a model that comes with glyphlite
        return None
    try:
        known = Results.load(folder / FILE) if (folder / FILE).exists() else None
    except DataError:
        say(f"{folder / FILE} is not one of ours and stays as it is: nothing was written there", style="yellow")
        return None
    if known is not None and (known.dataset, known.labels) != (dataset, list(labels)):
        say(f"{folder / FILE} is about {known.dataset} and stays as it is")
        return None
    merged = _merged(known, keras, artifacts, folder, dataset=dataset, labels=labels, seed=seed)
    if merged is None or merged == known:
        return None
    try:
        return merged.save(folder / FILE)
    except OutputError as error:
        say(str(error), style="yellow")
        return None


def _merged(
    known: Results | None,
    keras: dict[str, KerasReport],
    artifacts: dict[str, ArtifactReport],
    folder: Path,
    *,
    dataset: str,
    labels: Sequence[str],
    seed: int,
) -> Results | None:
    source = next((report for path, report in keras.items() if Path(path).name == "model.keras"), None)
    source = source or next(iter(keras.values()), None)
    if known is None:
        if source is None:
            return None
        name = _model_of(folder)
        known = Results(glyphlite=__version__, model=name, dataset=dataset, seed=seed, labels=list(labels), keras=source)
    elif source is not None and source.sha256 != known.keras.sha256:
        known = known.model_copy(update={"keras": source})
    reports = {each.path: each for each in known.artifacts}
    for path, report in artifacts.items():
        name = Path(path).name
        if name not in reports or reports[name].sha256 != report.sha256:
            reports[name] = report.model_copy(update={"path": name})
    return known.model_copy(update={"artifacts": list(reports.values())})


def _model_of(folder: Path) -> str:
    """Returns the model's name: from the folder's run.toml, else the folder's own."""
    try:
        content = read_input(folder / "run.toml", "a run.toml")
        with parsing(f"{folder / 'run.toml'} is not a run's record"):
            name = tomllib.loads(content.decode())["model"]
    except DataError:
        name = None
    return name if isinstance(name, str) and name else folder.name
