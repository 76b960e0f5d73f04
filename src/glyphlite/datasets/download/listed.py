"""A record of what is known of every dataset that has a name, wherever its bytes come from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A dataset by its name: what is known of it without reading a byte."""

    name: str
    title: str
    labels: tuple[str, ...]

    @property
    def image_shape(self) -> tuple[int, int]:
        """Returns rows and columns of its images."""
        return 28, 28

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the numbers of its images to train with, those to validate among them, and to test with."""
        raise NotImplementedError
