"""The fonts that letters are drawn from: packages of Debian with free licences (OFL, GPL), each font in one split alone.

Records without behaviour. What a font draws was looked at: some have capitals in place of small letters.
"""

from dataclasses import dataclass

from glyphlite.datasets.download.catalogue import RENDERED_LETTERS

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = CAPITALS.lower()
CLASSES = RENDERED_LETTERS.labels
"""EMNIST's letters of its "balanced" set: a small letter that looks like its capital shares the capital's class."""
FONTS = "/usr/share/fonts"


@dataclass(frozen=True)
class Face:
    """One font file of a package: its path below :data:`FONTS`, its SHA-256, and whether it has small letters, too."""

    package: str
    path: str
    sha256: str
    has_small: bool = True

    @property
    def letters(self) -> str:
        """Returns the letters that it draws."""
        return CAPITALS + SMALL if self.has_small else CAPITALS

    @property
    def family(self) -> str:
        """Returns the name of the hand: cuts of one font share it."""
        return self.path.rpartition("/")[2].partition(".")[0].partition("-")[0].removesuffix("It")


TRAIN = (
    Face("fonts-breip", "truetype/breip/Breip.ttf", "cded2aeeeb7d35baa8aa5b57df35a25836910498271d3d2eec502f6aa7033eb7"),
    Face(
        "fonts-comic-neue",
        "opentype/comic-neue/ComicNeue-Regular.otf",
        "2728ee8f303e31934e62bf27b044fd7657b0613412d51f7444db1078cc3a7cb2",
    ),
    Face(
        "fonts-comic-neue",
        "opentype/comic-neue/ComicNeue-LightItalic.otf",
        "3b747803d67a741e981d4b66fa64ba685848b8bba24b66a4bd8d03ad6548cb86",
    ),
    Face(
        "fonts-dancingscript",
        "opentype/dancingscript/DancingScript-Regular.otf",
        "38178945aaefdea573f4998d8b984985aaebb95964da337b23e77e682d7d3d17",
    ),
    Face(
        "fonts-dkg-handwriting",
        "truetype/fifthhorseman/dkg.ttf",
        "93eb07f57b84f04fa975ebf49ecec43d9b2c85834a9b63864072c6b993efd131",
    ),
    Face(
        "fonts-dkg-handwriting",
        "truetype/fifthhorseman/dkgIt.ttf",
        "911843f094cbe0508dd5049e3e610020d97b395cdaa8ed088f0f3af8e3a6e661",
    ),
    Face("fonts-dustin", "truetype/dustin/Swift.ttf", "574989f11834fef6feed0e890e72dc5da73b54eac4dc365c884f9927eb421cce"),
    Face("fonts-dustin", "truetype/dustin/PenguinAttack.ttf", "b0048a03cb65ab9f570c444fdf77075342f38cd37dbc1a3a4be6d7c3e89fc930"),
    Face(
        "fonts-kaushanscript",
        "opentype/kaushanscript/KaushanScript-Regular.otf",
        "c007ebe4c813374ed02da003394b73b39fa709ff5891c5613733c96be595ba28",
    ),
    Face(
        "fonts-leckerli-one",
        "truetype/leckerli-one/LeckerliOne-Regular.ttf",
        "3f38ed99a07ab426eaa64c7d5773850a5dc8e6719b03125efce2cfbc82b083d7",
    ),
    Face(
        "fonts-bwht",
        "opentype/bwht/BecauseWeBuild-Regular.otf",
        "202160d49b0cfbe8a812c5a75487058f7caba2398324214a1e6d34f24b68d855",
        has_small=False,
    ),
    Face(
        "fonts-bwht",
        "opentype/bwht/BecauseWeConnect-Regular.otf",
        "c9c7135605a5c8cd143b611881c93383c6804166c4770810ab0c07dbbff3aac9",
        has_small=False,
    ),
    Face(
        "fonts-bwht",
        "opentype/bwht/BecauseWeOrganize-Regular.otf",
        "f97f8557caa4de42f743d8d4ea0851993b12c112e8713fd6d6d08881e6a24c5e",
        has_small=False,
    ),
    Face(
        "fonts-tomsontalks",
        "truetype/tomsontalks/TomsonTalks.ttf",
        "f7beeee4f3e11e38281f528dcf8a20218c6ce9b7a5b2acdca9f8bef303dd8526",
        has_small=False,
    ),
)
VALIDATION = (
    Face(
        "fonts-dustin", "truetype/dustin/El_Abogado_Loco.ttf", "70bc5240027765437bd07a45bb6afebb9fd6e08ec252625ecd8a7f8fbaf5b67a"
    ),
    Face("fonts-sjfonts", "truetype/sjfonts/Delphine.ttf", "afeea795e392f6b8e0cc4ba3978375908d1f29f8d82f1b7b15d9fdc755a05288"),
    Face("fonts-kristi", "truetype/kristi/Kristi.ttf", "6c14164cd50b52d03d88728971285fe1dbf0d6ee8af6d29274b5d5026a0fb622"),
    Face(
        "fonts-bwht",
        "opentype/bwht/BecauseWeMentor-Regular.otf",
        "b71888fd9a79936e44a55baf1bf0bb4e594827be890882c4fc9918409e8c2509",
        has_small=False,
    ),
)
TEST = (
    Face(
        "fonts-dustin", "truetype/dustin/Domestic_Manners.ttf", "7a5a9423f3d612417592ac573af628d7266b0e0c809cdb659614f842c5b92882"
    ),
    Face(
        "fonts-rufscript",
        "truetype/rufscript/Rufscript010.ttf",
        "99b16515f19ab35d18049235797b0dbe3ec73535d455994442b206c96405050f",
    ),
    Face("fonts-sjfonts", "truetype/sjfonts/SteveHand.ttf", "51e0820b832b2cd3db9dc9a759520c868166ae291f19afc3d94689e668d0435e"),
    Face("fonts-dustin", "truetype/dustin/Junkyard.ttf", "126c49b10dfceae16ce53bf8593956f17853f4ed3d0177d1f724247b27e08636"),
    Face(
        "fonts-bwht",
        "opentype/bwht/BecauseWeLearn-Regular.otf",
        "d5551a6a1449de4ee2e8ddcd0bcc3e7d292d24c61fc6515d8db9b03a65b127dd",
        has_small=False,
    ),
    Face(
        "fonts-humor-sans",
        "truetype/humor-sans/Humor-Sans.ttf",
        "2ded6a27448c9ed30aaff177744e2bcf1e52e0aab018b2a8be64565df633318f",
        has_small=False,
    ),
)
FACES = (*TRAIN, *VALIDATION, *TEST)


def class_of(letter: str) -> int:
    """Returns the number of a letter's class."""
    return CLASSES.index(letter if letter in CLASSES else letter.upper())
