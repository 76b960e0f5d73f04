"""Datasets that their makers serve as archives with published MD5s: EMNIST, KMNIST, QMNIST, USPS. Records, no behaviour.

The MD5s are those that torchvision's `datasets` (mnist.py, usps.py) checks its downloads with; nobody publishes SHA-256. The
numbers of images are those of the datasets' papers.
"""

import string
from dataclasses import dataclass
from enum import Enum

from glyphlite.datasets.download.listed import Listed


class Form(Enum):
    """The forms in which datasets are served: what their files hold."""

    IDX = "four IDX files, compressed"
    QMNIST = "IDX files whose labels have eight columns"
    EMNIST = "an archive of compressed IDX files, transposed"
    LIBSVM = "lines of a label and index:value, compressed"


@dataclass(frozen=True)
class ServedFile:
    """A file as it is served: its name, the MD5 that is published for it, its size in megabytes and its addresses."""

    name: str
    md5: str
    megabytes: int
    urls: tuple[str, ...]


@dataclass(frozen=True)
class ServedDataset(Listed):
    """A dataset of served files.

    Attributes:
        files: training images and labels, test images and labels; the archive; or the two files of lines.
        form: what they hold.
        images: the numbers of images to train and to test with.
        side: of an image.
        part: which of an archive's datasets it is.
        folder: the folder of its files in the cache, which several datasets may share.
    """

    files: tuple[ServedFile, ...]
    form: Form
    images: tuple[int, int]
    side: int = 28
    part: str = ""
    folder: str = ""

    @property
    def image_shape(self) -> tuple[int, int]:
        """Returns rows and columns of its images."""
        return self.side, self.side

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the numbers of its images to train and to test with."""
        return self.images


_EMNIST = (
    ServedFile(
        "gzip.zip",
        "58c8d27c78d21e728a6bc7b3cc06412e",
        562,
        (
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
        ),
    ),
)
_KMNIST = "https://codh.rois.ac.jp/kmnist/dataset/kmnist/"
_QMNIST = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
_USPS = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_DIGITS = tuple(string.digits)


def _emnist(part: str, title: str, labels: str, images: tuple[int, int]) -> ServedDataset:
    return ServedDataset(
        f"emnist-{part}", title, tuple(labels), _EMNIST, Form.EMNIST, images, part=f"emnist-{part}", folder="emnist"
    )


def _served(folder: str, names: tuple[tuple[str, str, int], ...]) -> tuple[ServedFile, ...]:
    return tuple(ServedFile(name, md5, megabytes, (folder + name,)) for name, md5, megabytes in names)


SERVED = (
    _emnist("letters", "handwritten letters, capital and small as one class", string.ascii_uppercase, (124_800, 20_800)),
    _emnist(
        "balanced",
        "handwritten digits and letters, those alike as one class",
        string.digits + string.ascii_uppercase + "abdefghnqrt",
        (112_800, 18_800),
    ),
    _emnist(
        "byclass",
        "handwritten digits, capital and small letters",
        string.digits + string.ascii_uppercase + string.ascii_lowercase,
        (697_932, 116_323),
    ),
    _emnist("digits", "handwritten digits", string.digits, (240_000, 40_000)),
    ServedDataset(
        "kmnist",
        "handwritten Kuzushiji characters",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        _served(
            _KMNIST,
            (
                ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7", 18),
                ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344", 1),
                ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7", 3),
                ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134", 1),
            ),
        ),
        Form.IDX,
        (60_000, 10_000),
        folder="kmnist",
    ),
    ServedDataset(
        "qmnist",
        "MNIST's digits made again, with their writers",
        _DIGITS,
        _served(
            _QMNIST,
            (
                ("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370", 10),
                ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4", 1),
                ("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412", 10),
                ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa", 1),
            ),
        ),
        Form.QMNIST,
        (60_000, 60_000),
        folder="qmnist",
    ),
    ServedDataset(
        "usps",
        "handwritten digits of postal codes",
        _DIGITS,
        _served(
            _USPS,
            (
                ("usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197", 7),
                ("usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118", 2),
            ),
        ),
        Form.LIBSVM,
        (7_291, 2_007),
        side=16,
        folder="usps",
    ),
)
