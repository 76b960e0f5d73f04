"""The record of ``glyphlite data check``: a document for other programs, and what its page shows."""

from pydantic import Field

from glyphlite.records import Record


class ShownImage(Record):
    """An image with its name, its class and its split."""

    name: str
    label: str
    split: str
    group: str | None = None
    """The group that it belongs to, where groups are told."""
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
    several_groups: bool = False
    """Tells whether they belong to several groups."""


class SharedGroup(Record):
    """A group whose images stand in several splits that the data brings itself."""

    group: str
    splits: list[str]


class SplitByGroup(Record):
    """A split as training would make it: its groups and images, and the classes that it has no image of."""

    groups: int
    images: int
    missing: list[str]


class GroupCheck(Record):
    """The groups of the images, as ``--group-by`` tells them; the lists are whole."""

    images: dict[str, int]
    """Images of each group, the largest first."""
    ungrouped: list[str]
    """Images whose group is not told."""
    shared: list[SharedGroup]
    alike: list[list[str]]
    """Groups whose names differ in small and capital letters alone."""
    of_one_group: dict[str, str]
    """Classes that a single group has, each with that group."""
    splits: dict[str, SplitByGroup] | None
    """Training, validation and test images with these groups; None where training would refuse them as too few."""


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
    """Images of each size, height x width."""
    modes: dict[str, int]
    unreadable: list[Unreadable] = Field(default_factory=list)
    doubted: list[Unreadable] = Field(default_factory=list)
    blank: list[str] = Field(default_factory=list)
    """Pictures that show nothing and are trained on all the same, since all are taken as they are stored."""
    repetitions: list[Repetition] = Field(default_factory=list)
    inverted: list[ShownImage] = Field(default_factory=list)
    """Images whose polarity is not that of most."""
    dark_on_light: bool = False
    """Whether most images are dark on light."""
    normalized: bool = False
    """Tells whether each picture is cut out and made light on dark before it is trained on, or taken as it is stored."""
    groups: GroupCheck | None = None
    suspects: list[Suspect] = Field(default_factory=list)
    suspect_search: SuspectSearch | None = None
    notes: list[str] = Field(default_factory=list)
