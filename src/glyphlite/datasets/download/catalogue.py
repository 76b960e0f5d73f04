"""The datasets that glyphlite knows by name: their files, what is in them, and where the public copies are.

A table of records; adding a dataset is adding a record. Knows nothing of how bytes are fetched.

The SHA-256 are those of the uncompressed IDX content. MNIST's are those of the canonical files. Fashion-MNIST's were
measured on Debian's package, whose deflate streams under the original gzip header have the MD5s that its authors publish
(8d4fb7e6c68d591d4c3dfef9ec88bf0d, 25c81989df183df01b3e8a0aad5dffbe, bef4ecab320f06d8554ea6380940ec79,
bb300cfdad3c16e7a12a480ee83cd310).
"""

from dataclasses import dataclass

from glyphlite.datasets.download.listed import Listed
from glyphlite.datasets.download.served import SERVED


@dataclass(frozen=True)
class KnownFile:
    """One IDX file: its usual name, shape, and the SHA-256 of its uncompressed content."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def content_bytes(self) -> int:
        """Returns the size of the uncompressed file."""
        size = 1
        for dimension in self.shape:
            size *= dimension
        return 4 + 4 * len(self.shape) + size


@dataclass(frozen=True)
class KnownDataset(Listed):
    """A dataset of four IDX files in MNIST's arrangement."""

    train_images: KnownFile
    train_labels: KnownFile
    test_images: KnownFile
    test_labels: KnownFile
    mirrors: tuple[str, ...]
    """Folders on public servers that hold the four files as ``NAME.gz``."""

    @property
    def image_shape(self) -> tuple[int, int]:
        """Returns rows and columns of its images."""
        return self.train_images.shape[1], self.train_images.shape[2]

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the numbers of its images to train and to test with."""
        return self.train_images.shape[0], self.test_images.shape[0]

    @property
    def files(self) -> tuple[KnownFile, KnownFile, KnownFile, KnownFile]:
        """Returns training images and labels, test images and labels."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels


@dataclass(frozen=True)
class RenderedDataset(Listed):
    """A dataset that is drawn on this machine: so many images of each class to train, to validate and to test with."""

    per_class: tuple[int, int, int]

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the numbers of its images to train and validate with, and to test with."""
        train, validation, test = self.per_class
        return (train + validation) * len(self.labels), test * len(self.labels)


MNIST = KnownDataset(
    name="mnist",
    title="handwritten digits",
    labels=tuple("0123456789"),
    train_images=KnownFile(
        "train-images-idx3-ubyte", (60000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    train_labels=KnownFile(
        "train-labels-idx1-ubyte", (60000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    test_images=KnownFile(
        "t10k-images-idx3-ubyte", (10000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    test_labels=KnownFile("t10k-labels-idx1-ubyte", (10000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
)

FASHION_MNIST = KnownDataset(
    name="fashion-mnist",
    title="pictures of clothes",
    labels=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    train_images=KnownFile(
        "train-images-idx3-ubyte", (60000, 28, 28), "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    train_labels=KnownFile(
        "train-labels-idx1-ubyte", (60000,), "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    test_images=KnownFile(
        "t10k-images-idx3-ubyte", (10000, 28, 28), "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    test_labels=KnownFile("t10k-labels-idx1-ubyte", (10000,), "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)

RENDERED_LETTERS = RenderedDataset(
    name="rendered-letters",
    title="letters drawn from handwriting fonts, a demonstration",
    labels=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"),
    per_class=(480, 60, 120),
)

CATALOGUE: dict[str, Listed] = {known.name: known for known in (MNIST, FASHION_MNIST, *SERVED, RENDERED_LETTERS)}
