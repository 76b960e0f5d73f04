"""The record of ``glyphlite data check``: a document for other programs, and what its page shows."""

from pydantic import Field

from glyphlite.records import Record


class ShownImage(Record):
    """An image with its name, its class and its split."""

    name: str
    label: str
    split: str
    index: int = Field(exclude=True)
    """Its place in the survey."""


class ClassCount(Record):
    """A class: how many images each split has of it."""

    label: str
    images: dict[str, int]


class Unreadable(Record):
    """A picture that cannot be read, or may show no glyph, and why."""

    name: str
    reason: str


class Repetition(Record):
    """Images with the same pixels."""

    images: list[ShownImage]
    across: bool
    """Whether they stand in several splits."""
    two_classes: bool
    """Whether they stand under several classes."""


class Suspect(Record):
    """An image that models trained without it take for another class, all of them."""

    image: ShownImage
    guess: str
    """The class that they take it for."""
    confidence: float
    """Their mean probability for that class."""
    label_probability: float
    """Their mean probability for the class that it stands under."""


class SuspectSearch(Record):
    """The models that judged labels, and how right they are."""

    model: str
    trainings: int
    seconds: float
    accuracy: float
    """Of the models on images that they were not trained on, as labelled."""


class DataCheck(Record):
    """Everything that was found; the lists are whole."""

    schema_: int = Field(default=1, alias="schema")
    data: str
    images: int
    classes: list[ClassCount]
    imbalance: float
    """Times the training images of the rarest class that the most frequent has."""
    sizes: dict[str, int]
    modes: dict[str, int]
    unreadable: list[Unreadable] = Field(default_factory=list)
    doubted: list[Unreadable] = Field(default_factory=list)
    repetitions: list[Repetition] = Field(default_factory=list)
    inverted: list[ShownImage] = Field(default_factory=list)
    """Images whose polarity is not that of most."""
    dark_on_light: bool = False
    """Whether most images are dark on light."""
    suspects: list[Suspect] = Field(default_factory=list)
    suspect_search: SuspectSearch | None = None
    notes: list[str] = Field(default_factory=list)
