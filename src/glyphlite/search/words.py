"""A network as a line of words, such as ``c5s3x8 c3x12 p2 h48 b4``: what a search proposes, prints and compares.

``c3x16`` is a convolution of 3x3 with 16 filters (``c4s2x8`` with stride 2, ``c3x16=`` padded to the same size), ``d3`` a
depthwise one, ``p2`` a max pooling, ``m`` the mean over the map, ``h32`` a hidden layer of 32 over the whole map, ``b4`` INT4
weights, ``z`` no biases; ``@2`` behind a convolution gives it the weights of the second word. Data; knows no TensorFlow.
"""

import re
from collections.abc import Iterable

from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Layer, Pool

_CONVOLUTION = re.compile(r"c(?P<kernel>\d+)(?:s(?P<stride>\d+))?x(?P<filters>\d+)(?P<same>=?)(?:@(?P<of>\d+))?")
_DEPTHWISE = re.compile(r"d(?P<kernel>\d+)(?:s(?P<stride>\d+))?(?P<same>=?)(?:@(?P<of>\d+))?")
_OTHER = re.compile(r"(?P<kind>[phb])(?P<size>\d+)|(?P<bare>[mz])")


def parse_words(words: str, input_shape: tuple[int, int, int], name: str = "net") -> Architecture:
    """Returns the architecture that a line of words says.

    Args:
        words: as above, separated by spaces.
        input_shape: height, width, channels of the images; a hidden layer is as large as the map before it.
        name: of the architecture.

    Raises:
        ModelError: a word is none, or the images are too small.
    """
    each = words.split()
    bits, bias = 8, "z" not in each
    layers: list[Layer] = []
    names: dict[int, str] = {}
    for number, word in enumerate(each, 1):
        if match := _CONVOLUTION.fullmatch(word):
            kernel, stride, filters = (int(match[key] or 1) for key in ("kernel", "stride", "filters"))
            source = _source(names, match["of"], words)
            names[number] = f"conv{number}"
            layers.append(FoldedConv(names[number], filters, kernel, stride, _padding(match), bias, source))
        elif match := _DEPTHWISE.fullmatch(word):
            kernel, stride = int(match["kernel"]), int(match["stride"] or 1)
            source = _source(names, match["of"], words)
            names[number] = f"depth{number}"
            layers.append(FoldedDepthwise(names[number], kernel, stride, _padding(match), source))
        elif match := _OTHER.fullmatch(word):
            size = int(match["size"] or 0)
            match match["kind"] or match["bare"]:
                case "p":
                    layers.append(Pool(f"pool{number}", size))
                case "h":
                    layers.append(FoldedConv("hidden", size, map_side(layers, input_shape), bias=bias))
                case "m":
                    layers.append(GlobalMean("mean"))
                case "b":
                    bits = size
        else:
            raise ModelError(f"cannot read {word!r} in {words!r}; expected words such as c3x16, d3, p2, m, h32, b4 or z")
    if not layers or bits not in (4, 8):
        raise ModelError(f"{words!r} is no network: {'it has no layer' if not layers else 'weights have 8 bits or 4'}")
    if not isinstance(layers[-1], GlobalMean):
        layers.append(Flatten())
    return Architecture(name, tuple(layers), bits, biased_scores=bias)


def map_side(layers: Iterable[Layer], input_shape: tuple[int, int, int]) -> int:
    """Returns the height of the map behind some layers, the images' own behind none."""
    layers = tuple(layers)
    if not layers:
        return input_shape[0]
    costs = list(Architecture("net", (*layers, Flatten()), 8).costs(input_shape, 1))
    return costs[len(layers) - 1].output_shape[0]


def _padding(match: re.Match[str]) -> str:
    return "same" if match["same"] else "valid"


def _source(names: dict[int, str], of: str | None, words: str) -> str | None:
    """Returns the name of the layer whose weights are used again.

    Raises:
        ModelError: there is no convolution at that place, before this one.
    """
    if of is None:
        return None
    if int(of) not in names:
        raise ModelError(f"@{of} in {words!r} names no convolution before it")
    return names[int(of)]
