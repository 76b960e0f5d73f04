"""Inputs from a user's file: .npy, .npz or .bin, real or stored values, one array per input. The file is not trusted.

What is assumed (real or stored, by name or by order, what saturates) is said in the set's notes; what could be either is asked
back in one line.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glyphlite.datasets.own.archives import MAX_BYTES, read_arrays
from glyphlite.errors import DataError
from glyphlite.escaping import printable
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.value_ranges import ModelInputs
from glyphlite.files.untrusted import read_input
from glyphlite.formatting import listing, things
from glyphlite.runtimes.ports import Port
from glyphlite.tflite.quantization import dequantize, quantize

SUFFIXES = (".npy", ".npz", ".bin")
LABELS = ("labels", "label", "y", "targets")
"""Names of an array of an .npz that holds the samples' classes."""


def file_set(path: Path, model: ModelInputs) -> InputSet:
    """Reads the inputs of a model.

    Args:
        path: .npy for a model of one input; .npz with an array per input, called as the inputs or in their order, and ``labels``
            if they are known; .bin with the stored bytes of one sample after the other.
        model: what it takes.

    Raises:
        DataError: no such file, damaged, or other arrays than the model takes.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"--inputs takes random[:N[:SEED]] or a file that ends in {', '.join(SUFFIXES)}; found {path}")
    inputs = tuple(each.port for each in model.each)
    names = [each.name for each in model.each]
    if suffix == ".bin":
        return _raw(path, inputs)
    found = dict(read_arrays(path))
    labels = _taken_labels(found, names)
    arrays, notes = _matched(found, names, inputs, path)
    taken = [_Taken(values, port, what) for values, port, what in arrays]
    counts = sorted({len(each.stored) for each in taken})
    if len(counts) > 1:
        raise DataError(
            f"the arrays of {path} hold {listing([str(count) for count in counts])} samples; expected as many in each"
        )
    if counts == [0]:
        raise DataError(f"{path} holds no sample")
    if labels is not None:
        _check_labels(labels, counts[0], path)
    said = dict.fromkeys(note for each in taken for note in each.notes)
    reals = tuple(each.real for each in taken) if any(each.was_real for each in taken) else None
    return InputSet(
        tuple(each.stored for each in taken),
        f"{things(counts[0], 'input')} of {path.name}",
        reals=reals,
        labels=labels,
        notes=(*notes, *said),
    )


def _raw(path: Path, inputs: tuple[Port, ...]) -> InputSet:
    """Reads the stored bytes of one sample after the other."""
    if len(inputs) != 1:
        raise DataError(f"{path} is one row of bytes, the model has {len(inputs)} inputs; save an array for each in an .npz")
    [port] = inputs
    content = read_input(path, "a file of stored bytes", DataError, MAX_BYTES)
    each = port.elements * port.dtype.itemsize
    if not content or len(content) % each:
        raise DataError(
            f"{path} has {len(content):,} bytes; expected a multiple of {each:,}, one sample of {_described(port)} as stored"
        )
    values = np.frombuffer(content, port.dtype.newbyteorder("<")).astype(port.dtype).reshape(-1, *port.shape)
    if port.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"{path} holds numbers that are not finite; expected {port.dtype}, least byte first")
    note = f"{path.name} is taken as stored {port.dtype} values, one sample after the other."
    return InputSet((values,), f"{things(len(values), 'input')} of {path.name}", notes=(note,))


def _taken_labels(found: dict[str, np.ndarray], names: list[str]) -> np.ndarray | None:
    """Takes the samples' classes out of the arrays of an .npz."""
    key = next((name for name in LABELS if name in found and name not in names), None)
    return None if key is None or len(found) == 1 else found.pop(key)


def _check_labels(labels: np.ndarray, count: int, path: Path) -> None:
    if labels.dtype.kind not in "iu" or labels.shape != (count,) or labels.min(initial=0) < 0:
        raise DataError(
            f"the labels of {path} are {labels.dtype} of shape {list(labels.shape)}; expected {count:,} class numbers from 0 on"
        )


def _matched(
    found: Mapping[str, np.ndarray], names: list[str], inputs: tuple[Port, ...], path: Path
) -> tuple[list[tuple[np.ndarray, Port, str]], list[str]]:
    """Returns each input's array with what a message calls it, by name where the names are the model's, else by order."""
    if len(found) != len(inputs):
        listed = ", ".join(printable(name, 40) for name in names)
        raise DataError(f"{path} holds {things(len(found), 'array')}, the model has {things(len(inputs), 'input')} ({listed})")
    if len(inputs) == 1:
        [values] = found.values()
        return [(values, inputs[0], str(path))], []
    if set(names) == set(found):
        return [(found[name], port, f"{name} of {path}") for name, port in zip(names, inputs, strict=True)], []
    if set(names) & set(found):
        listed = ", ".join(printable(name, 40) for name in names)
        raise DataError(f"{path} holds {', '.join(found)}; expected arrays called {listed}, or none of these names")
    keys = list(found)
    pairs = ", ".join(f"{key} for {printable(name, 40)}" for key, name in zip(keys, names, strict=True))
    note = f"No array of {path.name} is called as an input: they are taken in their order, {pairs}."
    return [(found[key], port, f"{key} of {path}") for key, port in zip(keys, inputs, strict=True)], [note]


class _Taken:
    """One array of a file as what an input stores."""

    def __init__(self, values: np.ndarray, port: Port, what: str) -> None:
        self.port, self.what, self.notes, self.was_real = port, what, list[str](), False
        values = self._shaped(values)
        self.stored = self._stored(values)
        self.real = values.astype(np.float32) if self.was_real else dequantize(self.stored, port.quantization)

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        """Returns ``(n, *port.shape)``; axes of extent 1 may be left out, and one sample may stand alone."""
        wanted = tuple(extent for extent in self.port.shape if extent != 1)
        if values.ndim and tuple(extent for extent in values.shape[1:] if extent != 1) == wanted:
            return values.reshape(len(values), *self.port.shape)
        if values.shape == self.port.shape:
            return values[np.newaxis]
        samples = ", ".join(["n", *map(str, self.port.shape)])
        raise DataError(f"{self.what} has shape {list(values.shape)}; expected ({samples}), n samples of {_described(self.port)}")

    def _stored(self, values: np.ndarray) -> np.ndarray:
        port, kind = self.port, values.dtype.kind
        if kind == "f":
            if not np.isfinite(values).all():
                raise DataError(f"{self.what} holds numbers that are not finite; expected real values")
            if port.dtype.kind == "f":
                return values.astype(port.dtype)
            if port.quantization is None:
                raise DataError(
                    f"{self.what} holds {values.dtype}; the input is {port.dtype} without a scale: expected {port.dtype}"
                )
            self.was_real = True
            self._note(f"real values, quantized to {port.dtype} by the file's scale and zero point")
            stored = quantize(values, port.quantization, port.dtype)
            self._say_saturated(values, stored)
            return stored
        if values.dtype == port.dtype:
            if port.dtype.kind in "iu" and port.quantization is not None:
                self._note(f"stored {port.dtype} values, since that is what the input holds")
            return values
        if kind in "iub" and port.dtype.kind in "iub" and port.quantization is None:
            if values.size and not np.array_equal(values.astype(port.dtype), values):
                raise DataError(f"{self.what} holds numbers that {port.dtype} cannot hold")
            return values.astype(port.dtype)
        either = f"save it as {port.dtype} if the values are stored ones, as float32 if they are real"
        expected = either if port.dtype.kind != "f" else "save the real values as float32"
        raise DataError(f"{self.what} holds {values.dtype}, the input {port.dtype}; {expected}")

    def _note(self, words: str) -> None:
        self.notes.append(f"{Path(self.what).name} is taken as {words}.")

    def _say_saturated(self, values: np.ndarray, stored: np.ndarray) -> None:
        assert self.port.quantization is not None
        apart = np.abs(dequantize(stored, self.port.quantization) - values) > 0.51 * self.port.quantization.scale
        if apart.any():
            limits = np.iinfo(self.port.dtype)
            ends = dequantize(np.array([limits.min, limits.max], self.port.dtype), self.port.quantization)
            share = f"{int(apart.sum()):,} of {apart.size:,} values"
            self.notes.append(f"{share} lie beyond {ends[0]:.4g} to {ends[1]:.4g}, the input's range, and saturate.")


def _described(port: Port) -> str:
    shape = "x".join(map(str, port.shape)) or "one"
    return f"{shape} {port.dtype}"
