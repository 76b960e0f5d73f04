"""Affine quantization, in one place: real = scale * (quantized - zero_point).

Source: the LiteRT 8-bit quantization specification; rounding is half away from zero, as TfLiteRound in
``tensorflow/lite/kernels/internal/reference/quantize.h`` does.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quantization:
    """Scale and zero point of a tensor. One scale: per tensor. Several: per channel along ``axis``."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def scale(self) -> float:
        """Returns the one scale of a per-tensor quantized tensor."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """Returns the one zero point of a per-tensor quantized tensor."""
        return self.zero_points[0]


def quantize(values: np.ndarray, quantization: Quantization | None, dtype: np.dtype) -> np.ndarray:
    """Converts real values to a tensor's stored integers: scale, round half away from zero, add the zero point, saturate.

    Args:
        values: real numbers, any shape.
        quantization: the tensor's parameters; None (a float tensor) only casts.
        dtype: the tensor's element type.

    Returns:
        An array of the same shape and of type ``dtype``.
    """
    dtype = np.dtype(dtype)
    if quantization is None or dtype.kind == "f":
        return np.ascontiguousarray(values, dtype=dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # a hostile file's tiny scale: infinity saturates like any large number
        scaled = np.asarray(values, np.float32) / np.float32(quantization.scale)
        rounded = np.trunc(scaled)
        rest = scaled - rounded  # exact, where the sum with a half is not
    rounded = rounded + (rest >= 0.5) - (rest <= -0.5) + quantization.zero_point
    limits = np.iinfo(dtype)
    return np.clip(rounded, limits.min, limits.max).astype(dtype)


def dequantize(values: np.ndarray, quantization: Quantization | None) -> np.ndarray:
    """Converts a tensor's stored integers to real values (float32), any shape; a float tensor passes through as float32."""
    values = np.asarray(values)
    if quantization is None or values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    return (values.astype(np.float32) - np.float32(quantization.zero_point)) * np.float32(quantization.scale)
