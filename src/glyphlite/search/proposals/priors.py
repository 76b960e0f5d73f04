"""The points that a search begins with: networks of the shapes that paid on digits, from the smallest to the largest.

They are not results of the search, and it says so of them (docs/explanation/search.md). One that is over the budget costs a
second, as any other. Data.
"""

from collections.abc import Mapping
from typing import Any

from glyphlite.search.settings import SearchSettings

_TRAINING = {"rate": 0.02, "augmentation": "elastic_gentle", "light": "none"}


def _full(
    stem: str, stem_width: int, width: int, depth: int, hidden: int = 0, *, pool: str = "none", growth: float = 1.0
) -> dict[str, Any]:
    """Returns full convolutions behind a coarse stem, then a hidden layer; without one, the small map is weighed as it is, the
    cheap end of the front. INT4 weights.
    """
    return {
        "stem": stem,
        "stem_width": stem_width,
        "depth": depth,
        "blocks": "full",
        "width": width,
        "pool": pool,
        **({"growth": growth} if depth > 1 else {}),
        **({"shared": False} if depth > 2 else {}),
        "head": "hidden" if hidden else "flat",
        **({"hidden": hidden} if hidden else {}),
        "bits": 4,
        "biased": True,
    }


def _separable(stem: str, stem_width: int, width: int, depth: int, *, growth: float = 1.0, bits: int = 4) -> dict[str, Any]:
    """Returns separable convolutions that leave ever smaller maps, then the mean."""
    return {
        "stem": stem,
        "stem_width": stem_width,
        "depth": depth,
        "blocks": "separable",
        "width": width,
        "pool": "none",
        **({"growth": growth} if depth > 1 else {}),
        **({"shared": False} if depth > 2 else {}),
        "head": "mean",
        "bits": bits,
        "biased": True,
    }


_CHEAPEST = {
    "side": 20,
    "stem": "c6s4",
    "stem_width": 20,
    "depth": 0,
    "head": "flat",
    "bits": 4,
    "biased": True,
    "augmentation": "none",
}
"""One convolution of a small image: too small a network to gain from distorted images."""

PRIORS: tuple[Mapping[str, Any], ...] = (
    _full("c5s3", 8, 12, 1, pool="late"),
    _full("c5s3", 8, 16, 2, growth=1.25),
    _CHEAPEST,
    _full("c5s3", 8, 12, 1, 48, pool="late"),
    _full("c5s3", 12, 24, 2, 48),
    _full("c6s4", 16, 32, 1, 48),
    _full("c5s3", 12, 32, 2, 48, growth=1.25),
    _full("c5s2", 8, 24, 2, 40, pool="early"),
    _separable("c4s2=", 12, 24, 4, growth=1.5),
    _separable("c5s3", 16, 32, 2, growth=1.5),
)
"""Without the training and the images' side, which are added where a point has none of its own."""


def priors_for(settings: SearchSettings) -> list[dict[str, Any]]:
    """Returns the first points of a search: full-sized images and gentle elastic distortion, but for the cheapest."""
    points = [{"side": settings.sides[0], **_TRAINING, **prior} for prior in PRIORS]
    return [{**each, "side": each["side"] if each["side"] in settings.sides else settings.sides[0]} for each in points]
