"""A network as a line of words, such as ``c5s3x8 c3x12 p2 h48 b4``: what a search proposes, prints and compares.

``c3x16`` is a convolution of 3x3 with 16 filters (``c4s2x8`` with stride 2, ``c3x16=`` padded to the same size), ``d3`` a
depthwise one, ``p2`` a max pooling, ``m`` the mean over the map, ``h32`` a hidden layer of 32 over the whole map, ``b4`` INT4
weights, ``z`` no biases; ``@2`` behind a convolution gives it the weights of the second word. Data; knows no TensorFlow.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

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


def words_of_architecture(architecture: Architecture, input_shape: tuple[int, int, int]) -> str:
    """Returns the line of words that says an architecture: what `parse_words` makes of it differs in names alone.

    Args:
        architecture: any.
        input_shape: height, width, channels of its images.

    Raises:
        ModelError: there is no such line: a layer is trained in float, or only some have biases.
    """
    words: list[str] = []
    numbers: dict[str, int] = {}
    for layer in architecture.layers:
        word = _word_of(layer, numbers)
        if word is None:
            raise ModelError(f"its layer {layer.name} is a {type(layer).__name__}, which no network of a search has")
        numbers[layer.name] = len(words) + 1
        words += [word] if word else []
    words += [] if architecture.weight_bits == 8 else [f"b{architecture.weight_bits}"]
    words += [] if architecture.biased_scores else ["z"]
    line = _with_hidden(words, architecture, input_shape)
    if _nameless(parse_words(line, input_shape)) != _nameless(architecture):
        raise ModelError("a network of a search has biases in all its layers or in none, and the map or its mean at its end")
    return line


def same_network(one: str, other: str, side: int) -> bool:
    """Returns whether two lines say the same network of images of so many rows and columns."""
    shape = (side, side, 1)
    return _nameless(parse_words(one, shape)) == _nameless(parse_words(other, shape))


def _with_hidden(words: Sequence[str], architecture: Architecture, input_shape: tuple[int, int, int]) -> str:
    """Returns the line, a last convolution over the whole map written as the hidden layer that it is."""
    layers = [layer for layer in architecture.layers if not isinstance(layer, Flatten)]
    last = layers[-1] if layers else None
    if isinstance(last, FoldedConv) and not last.weights_of and last.kernel == map_side(layers[:-1], input_shape):
        hidden = f"h{last.filters}"
        return " ".join(hidden if number == len(layers) - 1 else word for number, word in enumerate(words))
    return " ".join(words)


def _word_of(layer: Layer, numbers: Mapping[str, int]) -> str | None:
    """Returns the word of a layer, empty for the flattening at the end; None where there is none."""
    match layer:
        case FoldedConv(_, filters, kernel, stride, padding, _, weights_of):
            return f"c{kernel}{_stride_of(stride)}x{filters}{_padding_of(padding)}{_use_of(weights_of, numbers)}"
        case FoldedDepthwise(_, kernel, stride, padding, weights_of):
            return f"d{kernel}{_stride_of(stride)}{_padding_of(padding)}{_use_of(weights_of, numbers)}"
        case Pool(_, size):
            return f"p{size}"
        case GlobalMean():
            return "m"
        case Flatten():
            return ""
        case _:
            return None


def _stride_of(stride: int) -> str:
    return "" if stride == 1 else f"s{stride}"


def _padding_of(padding: str) -> str:
    return "=" if padding == "same" else ""


def _use_of(weights_of: str | None, numbers: Mapping[str, int]) -> str:
    return f"@{numbers[weights_of]}" if weights_of else ""


def _nameless(architecture: Architecture) -> Architecture:
    """Returns an architecture with numbers for names."""
    numbers = {layer.name: str(number) for number, layer in enumerate(architecture.layers)}

    def renamed(layer: Layer) -> Layer:
        of = layer.weights_of if isinstance(layer, FoldedConv | FoldedDepthwise) else None
        return replace(layer, name=numbers[layer.name], **({"weights_of": numbers[of]} if of else {}))

    return replace(architecture, name="", layers=tuple(renamed(layer) for layer in architecture.layers))


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
