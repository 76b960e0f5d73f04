"""The data that belongs to a model: as ``--dataset`` names it, else that of the model's run, else MNIST, which is printed.

A run's ``run.toml`` keeps where its data was, absolute, so that every command on the run's folder, or on a file in it, takes the
same data wherever it is started.
"""

import itertools
import os
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.report import memory_maps
from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.download.catalogue import CATALOGUE
from glyphlite.datasets.registry import dataset_exists, load_dataset
from glyphlite.datasets.resizing import fit_images
from glyphlite.errors import DataError
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.models.interface.image_shape import image_shape
from glyphlite.models.interface.outputs import class_count
from glyphlite.models.pretrained import CARD
from glyphlite.pipeline.inputs.files import shipped_card
from glyphlite.runtimes import ports
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

DEFAULT = "mnist"
RECORD = "run.toml"


@dataclass(frozen=True)
class RunData:
    """A dataset that is chosen and not yet loaded.

    Attributes:
        name: what ``load_dataset`` takes.
        data_dir: where it lies, if that is not the usual place.
        record: the run.toml, card or memory map that names it; None where the user or nobody did.
        named: whether the user named it.
        seed: that the validation images of the run were chosen with.
        sha256: of the data's files when the run was made, by name.
        input_shape: height, width, channels that the run brought its images to; None where it left them as they are.
        group_by: how the run told its images' groups, which its splits depend on; None for none.
        all_images: whether the run trained on the validation images, too: none are held out for its files then.
    """

    name: str
    data_dir: Path | None = None
    record: Path | None = None
    named: bool = False
    seed: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)
    input_shape: tuple[int, int, int] | None = None
    group_by: str | None = None
    all_images: bool = False

    @property
    def assumed(self) -> bool:
        """Returns whether nothing states that the model belongs to this data."""
        return self.record is None and not self.named

    def load(self, seed: int | None = None, takes: tuple[int, int, int] | None = None) -> Dataset:
        """Loads it, and says which it is where the user did not.

        Args:
            seed: of the choice of validation images; by default the run's own, so that none of them was trained on.
            takes: height, width, channels of the model's input, where they are known and no run says another shape: pictures
                of a folder are brought to them, and grey to RGB; arrays keep their size.

        Raises:
            DataError: it cannot be had; of a run's data that is gone, one line says so.
        """
        if self.assumed:
            say(f"No --dataset, and the model is in no run's folder: using {self.name}")
        elif self.record is not None and self.record.name != CARD:
            say(f"Data: {self.name}, as {self.record} says")
        if not self.named and not dataset_exists(self.name, data_dir=self.data_dir):
            raise DataError(f"the data of this run, {self.name} (by {self.record}), is gone; name it with --dataset")
        seed = self.seed if seed is None else seed
        if self.input_shape is not None or takes is None:
            loaded = load_for_model(self.name, self.input_shape, data_dir=self.data_dir, seed=seed, group_by=self.group_by)
        else:
            loaded = load_dataset(self.name, data_dir=self.data_dir, seed=seed, size=takes[:2], group_by=self.group_by)
            if loaded.input_shape == (*takes[:2], 1):
                loaded = fit_images(loaded, takes)
        if self.all_images:
            say("trained on all images, so none of them is left to validate on")
            loaded = loaded.with_all_images()
        if self.sha256 and loaded.sha256 and dict(self.sha256) != loaded.sha256:
            say(f"{loaded.name} has changed since the run was made (SHA-256 in {self.record})", style="yellow")
        return loaded

    def may_fit(self, path: Path) -> bool:
        """Returns False where a known dataset, by its shape and classes alone, cannot be what a .tflite file was made for.

        Raises:
            ArtifactError: the file is malformed.
        """
        known = CATALOGUE.get(self.name)
        if known is None or path.suffix != ".tflite":
            return True
        return fits(read_graph(path), known.image_shape, known.labels)

    def load_fitting(self, graph: Graph, seed: int | None = None) -> Dataset | None:
        """Loads it where it fits a model and can be had, for commands that can do without. Nothing is loaded that does not.

        Args:
            graph: the model.
            seed: as for :meth:`load`.

        Returns:
            The dataset; None where it does not fit, or cannot be had: after one line where something names it.

        Raises:
            DataError: the user named it, and it cannot be had or does not fit.
        """
        known = CATALOGUE.get(self.name)
        if known is not None and not fits(graph, known.image_shape, known.labels):
            return self._without(f"{self.name} does not fit {_shape_of(graph)}")
        try:
            loaded = self.load(seed, image_shape(graph.input.shape[1:]))
        except DataError as error:
            if self.named:
                raise
            say(str(error), lead="No dataset:", style="yellow")
            return None
        if not fits(graph, loaded.input_shape, loaded.labels):
            return self._without(f"{self.name} does not fit {_shape_of(graph)}")
        return loaded

    def load_where_it_fits(self, graph: Graph, seed: int | None = None) -> Dataset | None:
        """Loads it for commands that take random inputs where no dataset fits: what the user or a run names has to be there.

        Args:
            graph: the model.
            seed: as for :meth:`load`.

        Returns:
            The dataset; None where nobody named one, or what a run names is not what the model classifies.

        Raises:
            DataError: what the user or a run names cannot be had.
        """
        if self.assumed:
            return self.load_fitting(graph, seed)
        loaded = self.load(seed, image_shape(graph.input.shape[1:]))
        if self.named or _same_size(graph, loaded.input_shape, loaded.classes):
            return loaded
        return self._without(f"{loaded.name} does not fit {_shape_of(graph)}")

    def _without(self, why: str) -> None:
        if self.named:
            raise DataError(f"{why}; name the dataset that it was trained on with --dataset")
        if not self.assumed:
            say(f"{why}; --dataset names the model's own data", lead="No dataset:", style="yellow")


def data_of(paths: Path | Sequence[Path] | None, dataset: str | None, data_dir: Path | None = None) -> RunData:
    """Chooses the data that files go with.

    Args:
        paths: a model's file, a run's folder, a compiled folder, or several of them.
        dataset: what the user named; it wins.
        data_dir: where the user says that it lies.

    Raises:
        DataError: several files belong to runs of different data.
    """
    if dataset is not None:
        known = _remembered_of(paths, dataset)
        return RunData(
            dataset,
            data_dir,
            named=True,
            group_by=next((each.group_by for each in known if each.group_by), None),
            all_images=any(each.all_images for each in known),
        )
    found = {}
    for path in [paths] if isinstance(paths, Path) else paths or ():
        if (data := _remembered(path)) is not None:
            first = found.setdefault(data.name, data)
            found[data.name] = replace(first, all_images=first.all_images or data.all_images)
    if len(found) > 1:
        raise DataError(f"the files belong to runs of different data ({', '.join(found)}); name one with --dataset")
    for data in found.values():
        return replace(data, data_dir=data_dir or data.data_dir)
    return RunData(DEFAULT, data_dir)


def load_for_model(
    name: str,
    input_shape: tuple[int, int, int] | None,
    *,
    data_dir: Path | None = None,
    seed: int = 0,
    group_by: str | None = None,
) -> Dataset:
    """Loads a dataset as a model takes it.

    Args:
        name: as for ``load_dataset``.
        input_shape: height, width, channels that the images are brought to; None leaves them as they are.
        data_dir: as for ``load_dataset``.
        seed: as for ``load_dataset``.
        group_by: as for ``load_dataset``.

    Raises:
        DataError: it cannot be had, or is in colour where the model takes grey.
    """
    if input_shape is None:
        return load_dataset(name, data_dir=data_dir, seed=seed, group_by=group_by)
    loaded = load_dataset(name, data_dir=data_dir, seed=seed, size=input_shape[:2], group_by=group_by)
    return fit_images(loaded, input_shape)


def to_remember(
    named: str,
    dataset: Dataset,
    data_dir: Path | None,
    input_shape: tuple[int, int, int] | None = None,
    group_by: str | None = None,
) -> dict[str, Any]:
    """Returns what a record keeps so that the same data is found again: a known name, or an absolute path."""
    known = named.lower().replace("_", "-")
    return {
        # A dataset of the user's own has its path as its source: where it was found, with how its glyphs lie.
        "named": known if _is_known(known) else str(Path(dataset.source).resolve()),
        "data_dir": str(data_dir.resolve()) if data_dir is not None else None,
        **({"input_shape": list(input_shape)} if input_shape is not None else {}),
        **({"group_by": str(Path(group_by).resolve()) if Path(group_by).is_file() else group_by} if group_by else {}),
    }


def beside(named: str, folder: Path) -> str:
    """Returns how a memory map in a folder names data: a known name, else the path from the folder to it.

    So the map has the same bytes wherever the two lie, and both can be moved together. Data that shares no folder with it but the
    root is named by its absolute path.
    """
    if _is_known(named):
        return named
    place = os.path.realpath(folder)
    if os.path.commonpath([place, named]) == os.sep:
        return named
    relative = os.path.relpath(named, place)
    return relative if relative.startswith(os.pardir) else f"{os.curdir}{os.sep}{relative}"


def groups_beside(group_by: str, folder: Path) -> str:
    """Returns how a memory map in a folder keeps the way that groups are told: a table by the path from the folder to it."""
    return beside(str(Path(group_by).resolve()), folder) if Path(group_by).is_file() else group_by


def image_of(dataset: Dataset, sample: int) -> tuple[Any, int, tuple[str, ...]]:
    """Returns a test image ``(height, width, channels)`` uint8, its class, and the class labels.

    Raises:
        DataError: there is no such image.
    """
    if sample >= len(dataset.test):
        raise DataError(f"{dataset.name} has test images 0 to {len(dataset.test) - 1}; there is no image {sample}")
    return dataset.test.images[sample], int(dataset.test.labels[sample]), dataset.labels


def run_record(path: Path) -> Path | None:
    """Returns the run.toml of the run that a file or folder lies in, at most one folder further up; None where there is none."""
    place = path.resolve()
    places = [place, place.parent] if place.is_dir() else [place.parent, place.parent.parent]
    return next((each / RECORD for each in places if (each / RECORD).is_file()), None)


def fits(graph: Graph, image_shape: Sequence[int], labels: Sequence[str]) -> bool:
    """Returns whether a model classifies such images: the numbers, and the labels where the file carries them."""
    return _same_size(graph, image_shape, len(labels)) and (not graph.labels or _same(graph.labels, labels))


def say_if_labels_differ(path: Path, carried: Sequence[str], dataset: Dataset) -> None:
    """Says so where a file carries other class labels than the data that it is held against has."""
    if carried and len(carried) == dataset.classes and not _same(carried, dataset.labels):
        theirs, own = (", ".join(labels[:3]) + (", ..." if len(labels) > 3 else "") for labels in (carried, dataset.labels))
        say(
            "if it was trained on other data, name that with --dataset",
            lead=f"{path.name} has the classes {theirs}, {dataset.name} has {own}:",
            style="yellow",
        )


def _same_size(graph: Graph, image_shape: Sequence[int], classes: int) -> bool:
    """Returns whether a model classifies as many pixels into as many classes."""
    if ports.objection_to(graph) is not None:
        return False
    return graph.input.elements == int(np.prod(image_shape)) and class_count(graph) == classes


def _same(carried: Sequence[str], labels: Sequence[str]) -> bool:
    """Returns whether labels are equal, apart from surrounding spaces, which a file's metadata do not keep."""
    return [each.strip() for each in carried] == [each.strip() for each in labels]


def _remembered_of(paths: Path | Sequence[Path] | None, dataset: str) -> list[RunData]:
    """Returns what is remembered of the data that the user names, where runs of the files were trained on that very data."""
    found = [_remembered(path) for path in ([paths] if isinstance(paths, Path) else paths or ())]
    return [data for data in found if data is not None and _same_data(data.name, dataset)]


def _same_data(first: str, second: str) -> bool:
    names = [each.lower().replace("_", "-") for each in (first, second)]
    return names[0] == names[1] if any(map(_is_known, names)) else Path(first).resolve() == Path(second).resolve()


def _remembered(path: Path) -> RunData | None:
    """Returns the data that a record beside a file names."""
    if (record := run_record(path)) is not None and (data := _of_run(record)) is not None:
        return data
    if path.is_dir():
        for place, document in memory_maps(path):
            if isinstance(document.get("dataset"), str):
                return RunData(
                    _beside(document["dataset"], place.parent),
                    record=place,
                    group_by=_groups_beside(document.get("group_by"), place.parent),
                )
    card = shipped_card(path)
    return RunData(card.dataset, record=path.parent.parent / CARD, all_images=card.all_images) if card else None


def _beside(written: str, folder: Path) -> str:
    """Returns the dataset that :func:`beside` wrote into a folder: a known name, or an absolute path."""
    return written if _is_known(written) else os.path.normpath(folder.resolve() / written)


def _groups_beside(written: object, folder: Path) -> str | None:
    """Returns what :func:`groups_beside` wrote into a folder: a table's absolute path, or how names tell groups."""
    if not isinstance(written, str):
        return None
    table = os.path.normpath(folder.resolve() / written)
    return table if os.path.isfile(table) else written  # noqa: PTH113 - a regular expression may be no path


def _of_run(record: Path) -> RunData | None:
    """Returns the data that a run.toml names; one of a former version kept the name alone, and the command."""
    try:
        content = read_input(record, "a run.toml")
        with parsing(f"{record} is not a run's record"):
            document = tomllib.loads(content.decode())
            data = document["dataset"]
            name, folder = data.get("named"), data.get("data_dir")
            if name is None and _is_known(str(data["name"])):
                name = data["name"]
            if name is None:
                name = _of_command(str(document.get("repeat", ""))) or data.get("source")
    except DataError:
        return None
    if not name:
        return None
    kept = Path(folder) if folder and Path(folder).is_dir() else None
    hashes = data.get("sha256")
    return RunData(
        str(name),
        kept,
        record,
        seed=_split_seed(document),
        sha256=hashes if isinstance(hashes, dict) else {},
        input_shape=_shape_in(data),
        group_by=str(data["group_by"]) if data.get("group_by") else None,
        all_images=bool(document["settings"].get("all_images")) if isinstance(document.get("settings"), dict) else False,
    )


def _split_seed(document: dict[str, Any]) -> int:
    """Returns the seed of a run's validation images: its recipe's, which holds them fast, else the run's."""
    places = (("recipe", "split_seed"), ("settings", "seed"))
    found = [document[table][key] for table, key in places if isinstance(document.get(table), dict) and key in document[table]]
    return next((each for each in found if isinstance(each, int)), 0)


def _shape_in(data: dict[str, Any]) -> tuple[int, int, int] | None:
    """Returns the input shape that a record keeps; None where it keeps none that makes sense."""
    match data.get("input_shape"):
        case [int(height), int(width), int(channels)] if min(height, width, channels) > 0:
            return height, width, channels
    return None


def _of_command(command: str) -> str | None:
    words = shlex.split(command)
    return next((after for word, after in itertools.pairwise(words) if re.fullmatch("--dataset|-d", word)), None)


def _is_known(name: str) -> bool:
    return name in CATALOGUE


def _shape_of(graph: Graph) -> str:
    if (objection := ports.objection_to(graph)) is not None:
        return f"this model: {objection}"
    shape = "x".join("?" if extent < 0 else str(extent) for extent in graph.input.shape[1:])
    classes = class_count(graph)
    return f"a model of {shape or 'a number'} in and {classes} classes out"
