"""The model that a search begins with: one of the user's, or a known one, as a candidate that is tried before all others.

Its network is taken as it is, and of its recipe what a trial has: learning rate, augmentation, light.
"""

from glyphlite.console import say
from glyphlite.errors import ModelError
from glyphlite.models.registry import require_definition
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import AUGMENTATIONS, LIGHTS, RATES, Candidate, choices_of
from glyphlite.search.words import words_of_architecture


def starting_point(model: str, settings: SearchSettings) -> Candidate:
    """Returns a model as a candidate, and says whether the search can vary it.

    Args:
        model: a model file, or the name of a known model.
        settings: of the search, whose images it gets unless the file says their size.

    Raises:
        ModelError: it is neither, has layers that no network of a search has, or does not fit the images.
    """
    definition = require_definition(model)
    height, width = definition.input_size or (settings.sides[0], settings.sides[0])
    if height != width or height not in settings.sides:
        known = " or ".join(str(side) for side in settings.sides)
        raise ModelError(f"{model} cannot begin this search: it takes images of {height}x{width}, whose trials have {known} rows")
    shape = (height, width, settings.channels)
    try:
        words = words_of_architecture(definition.architecture, shape)
        list(definition.architecture.costs(shape, settings.classes))
    except ModelError as failure:
        raise ModelError(f"{model} cannot begin this search: {failure}") from None
    recipe = definition.recipe
    candidate = Candidate(
        height,
        words,
        min(max(recipe.schedule.peak, RATES[0]), RATES[1]),
        recipe.augmentation if recipe.augmentation in AUGMENTATIONS else "none" if not recipe.augmentation else "elastic_gentle",
        recipe.photometric if recipe.photometric in LIGHTS else "none",
    )
    varied = "a point of the space" if choices_of(candidate, settings.sides) else "outside of the space, so tried as it is"
    say(f"{candidate.words}, {varied}", lead="Begins with:")
    return candidate
