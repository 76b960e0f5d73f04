"""Digits that are not MNIST's: how many are read right, what each step of the preprocessing brings, and what is refused.

    python benchmarks/real_pictures.py --model glyph-16kflash --write   (benchmarks/results/real_pictures.json)
    python benchmarks/real_pictures.py --model glyph-8k --sheets --write   (benchmarks/results/sheets.json and its table in docs)

Pictures: digits from 20 handwriting-like fonts that Debian ships, turned by up to 12 degrees, shaded, blurred, on textured paper
and on blackboards (tests/support/scenes.py); scikit-learn's `load_digits` (8x8 pixels); and MNIST's own test images, which the
preprocessing should leave as good as they are. The fonts come with apt-get (no root) and the digits out of scikit-learn's wheel
with pip, both kept in the user's cache.

What was chosen where: the settings of glyphlite.datasets on other fonts and on the first half of `load_digits`, so its second
half is a column of its own; its thresholds for doubt on these very sources with other seeds, so that those rates are on the kind
side; the temperature and the rejection threshold of the model on MNIST's validation images alone, by
glyphlite.evaluation.confidence: those recorded beside the model where there are some, else fitted here.

``--sheets``, instead: digits of MNIST's test split on 500 sheets of school paper and on 250 sheets on desks
(tests/support/sheets.py). Their settings were chosen on digits of the validation split and with other seeds.

Ends with exit code 1 if the rendered digits are read worse than ``--at-least``.
"""

import argparse
import gzip
import hashlib
import importlib
import io
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from common.figures import ROOT, write_pages
from common.tables.pictures import sheets_table
from PIL import Image, ImageFont
from rich.console import Console
from rich.table import Table

from glyphlite.console import progress_bar, quiet_tensorflow
from glyphlite.datasets.download.subprocesses import run_quietly, running
from glyphlite.errors import DataError
from glyphlite.evaluation.confidence import as_probabilities, fit_confidence
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.files.single import make_folder, user_cache, write_bytes, write_json
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.input_convention import OURS
from glyphlite.pipeline.inputs.files import artifact_in
from glyphlite.preprocessing.glyphs import ink_parts, main_glyph
from glyphlite.preprocessing.images import cut_out, prepare_glyph
from glyphlite.preprocessing.ink import find_ink, is_dark_on_light
from glyphlite.preprocessing.normalize import fit_to_box, resample, set_into_field, trim
from glyphlite.records import Certainty

FONTS = {
    "fonts-breip": ("breip/Breip.ttf",),
    "fonts-bwht": tuple(
        f"bwht/BecauseWe{verb}-Regular.otf" for verb in ("Build", "Connect", "Create", "Learn", "Mentor", "Organize")
    ),
    "fonts-dancingscript": ("dancingscript/DancingScript-Regular.otf",),
    "fonts-dkg-handwriting": ("fifthhorseman/dkg.ttf", "fifthhorseman/dkgBd.ttf", "fifthhorseman/dkgIt.ttf"),
    "fonts-havana": ("havana/Havana-Regular.otf",),
    "fonts-humor-sans": ("humor-sans/Humor-Sans.ttf",),
    "fonts-kaushanscript": ("kaushanscript/KaushanScript-Regular.otf",),
    "fonts-kristi": ("kristi/Kristi.ttf",),
    "fonts-leckerli-one": ("leckerli-one/LeckerliOne-Regular.ttf",),
    "fonts-rufscript": ("rufscript/Rufscript010.ttf",),
    "fonts-sjfonts": ("sjfonts/Delphine.ttf", "sjfonts/SteveHand.ttf"),
    "fonts-tomsontalks": ("tomsontalks/TomsonTalks.ttf",),
}
RESULT = ROOT / "benchmarks" / "results" / "sheets.json"
PICTURES_RESULT = ROOT / "benchmarks" / "results" / "real_pictures.json"
LETTERS = "ABEFGHKMNRXaefhkmnrw"
"""Letters that look like no digit."""

Prepare = Callable[[np.ndarray], np.ndarray]
Classify = Callable[[np.ndarray], np.ndarray]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--model", type=Path, default=ROOT / "tests/samples/micro-cnn/model_int8.tflite", help=".keras or .tflite"
    )
    parser.add_argument("--repeats", type=int, default=3, help="pictures of each digit in each font (3)")
    parser.add_argument("--seed", type=int, default=2026, help="of the pictures (2026)")
    parser.add_argument("--at-least", type=float, default=0.0, help="fail if rendered digits are read worse than this (0)")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--sheets", action="store_true", help="school paper and desks, instead of the rest")
    parser.add_argument("--number", type=int, default=500, help="sheets of school paper (500)")
    parser.add_argument("--write", action="store_true", help="write the result file and the tables in docs")
    arguments = parser.parse_args()
    quiet_tensorflow()
    sys.path.insert(0, str(ROOT / "tests"))
    from glyphlite.datasets.registry import load_dataset

    arguments.model = artifact_in(arguments.model) if arguments.model.suffix != ".keras" else arguments.model
    if arguments.sheets:
        return measure_all_sheets(arguments)
    fonts, (scanned, scanned_labels), photos = fetch_fonts(), *fetch_sklearn()
    mnist = load_dataset("mnist")
    digits = [(picture, int(label)) for picture, label in render(fonts, "0123456789", arguments.repeats, arguments.seed)]
    half = len(scanned) // 2
    sets: dict[str, tuple[list[np.ndarray], np.ndarray]] = {
        "rendered digits": ([picture for picture, _ in digits], np.array([label for _, label in digits])),
        "load_digits": (scanned, scanned_labels),
        "its second half": (scanned[half:], scanned_labels[half:]),
        "MNIST test, first 1,000": (list(mnist.test.images[:1000, ..., 0]), mnist.test.labels[:1000]),
    }
    classify = load_classifier(arguments.model)
    console = Console()
    console.print(f"model: {arguments.model}")
    accuracy = accuracy_by_step(sets, classify)
    console.print(step_table(accuracy))
    rendered = accuracy["rendered digits"][list(STEPS)[-1]]
    letters = [picture for picture, _ in render(fonts, LETTERS, 1, arguments.seed + 1)]
    fashion = list(load_dataset("fashion-mnist").test.images[:1000, ..., 0])
    others = {"letters": letters, **non_glyphs(photos, arguments.seed), "Fashion-MNIST": fashion}
    certainty = certainty_of(arguments.model) or fit_confidence(
        classify(mnist.validation.images[..., 0]), mnist.validation.labels
    )
    refusals = measure_refusals(sets | {name: (pictures, None) for name, pictures in others.items()}, classify, certainty)
    console.print(refusal_table(certainty, refusals))
    document = {
        "model": _named(arguments.model),
        "sha256": hashlib.sha256(arguments.model.read_bytes()).hexdigest(),
        "seed": arguments.seed,
        "accuracy": accuracy,
        "certainty": certainty.model_dump(mode="json"),
        "refused": refusals,
    }
    if arguments.json:
        write_json(arguments.json, document)
    if arguments.write:
        write_json(PICTURES_RESULT, document)
        write_pages()
    return 0 if rendered >= arguments.at_least else 1


def measure_all_sheets(arguments: argparse.Namespace) -> int:
    """The outcomes of all sheets, printed and with ``--write`` kept."""
    from glyphlite.datasets.registry import load_dataset

    tools = importlib.import_module("common.sheets_of_digits")
    mnist = load_dataset("mnist")
    classify = load_classifier(arguments.model)
    certainty = certainty_of(arguments.model) or fit_confidence(
        classify(mnist.validation.images[..., 0]), mnist.validation.labels
    )
    with progress_bar("sheets", arguments.number + arguments.number // 2) as advance:
        counts = tools.measure_sheets(
            mnist.test, classify, certainty, number=arguments.number, seed=arguments.seed, advance=advance
        )
    print(sheets_table(counts))
    if arguments.write:
        sha256 = hashlib.sha256(arguments.model.read_bytes()).hexdigest()
        write_json(RESULT, {"model": _named(arguments.model), "sha256": sha256, "seed": arguments.seed, "outcomes": counts})
        write_pages()
    return 0


def _named(model: Path) -> str:
    """A file of this repository by its path in it, another by its name."""
    inside = model.resolve().is_relative_to(ROOT)
    return str(model.resolve().relative_to(ROOT)) if inside else model.name


def whole_picture(picture: np.ndarray) -> np.ndarray:
    """The picture at 28x28, taken for light on dark, as MNIST is."""
    return resample(picture / 255, 28, 28, by_area=False)


def with_polarity(picture: np.ndarray) -> np.ndarray:
    """Turned over where it is dark on light."""
    return whole_picture(255 - picture if is_dark_on_light(picture.astype(float)) else picture)


def with_box(picture: np.ndarray) -> np.ndarray:
    """What is beyond half of the range, cut out, in a 20x20 box in the middle."""
    values = picture.astype(float)
    turned = 255 - values if is_dark_on_light(values) else values
    scaled = (turned - turned.min()) / max(float(np.ptp(turned)), 1)
    return set_into_field(
        fit_to_box(trim(np.where(scaled > 0.5, scaled, 0), 0.5), 20, adjust_stroke=False, by_area=False), 28, 28, by_mass=False
    )


def without_paper(picture: np.ndarray) -> np.ndarray:
    """Light and paper removed, the glyph parted from what else stands out."""
    return set_into_field(fit_to_box(_cut(picture), 20, adjust_stroke=False, by_area=False), 28, 28, by_mass=False)


def with_mass(picture: np.ndarray) -> np.ndarray:
    """Centred by mass."""
    return set_into_field(fit_to_box(_cut(picture), 20, adjust_stroke=False, by_area=False), 28, 28)


def with_stroke(picture: np.ndarray) -> np.ndarray:
    """Strokes as wide as MNIST's."""
    return set_into_field(fit_to_box(_cut(picture), 20, by_area=False), 28, 28)


def whole_preprocessing(picture: np.ndarray) -> np.ndarray:
    """What predict does."""
    return prepare_glyph(picture).pixels / 255


STEPS: dict[str, Prepare] = {
    "the whole picture at 28x28": whole_picture,
    "+ polarity": with_polarity,
    "+ cut out, 20x20 box": with_box,
    "+ light and paper removed": without_paper,
    "+ centred by mass": with_mass,
    "+ stroke width": with_stroke,
    "+ enlarged by area (all of predict)": whole_preprocessing,
}


def accuracy_by_step(sets: dict[str, tuple[list[np.ndarray], np.ndarray]], classify: Classify) -> dict[str, dict[str, float]]:
    """Accuracy on each set with each step and all before it. A picture that a step takes for blank counts as wrong."""
    accuracy: dict[str, dict[str, float]] = {name: {} for name in sets}
    with progress_bar("pictures", sum(len(labels) for _, labels in sets.values()) * len(STEPS)) as advance:
        for name, (pictures, labels) in sets.items():
            for step, prepare in STEPS.items():
                seen = np.zeros((len(pictures), 28, 28))
                for i, picture in enumerate(pictures):
                    try:
                        seen[i] = prepare(picture)
                    except DataError:
                        continue
                    finally:
                        advance()
                answered = classify(np.floor(seen * 255 + 0.5).astype(np.uint8)).argmax(axis=1)
                accuracy[name][step] = float(np.mean((answered == labels) & seen.any(axis=(1, 2))))
    return accuracy


def measure_refusals(
    sets: Mapping[str, tuple[list[np.ndarray], np.ndarray | None]], classify: Classify, certainty: Certainty
) -> dict[str, dict[str, float]]:
    """The part of each set that predict refuses: for what the preprocessing sees, and for the model's confidence, too.

    Where there are true labels, also the part of the others that is read right.
    """
    refusals: dict[str, dict[str, float]] = {}
    for name, (pictures, labels) in sets.items():
        seen, doubted = _prepared(pictures)
        answered = classify(seen)
        refused = doubted | is_refused(calibrated(answered, certainty), certainty)
        refusals[name] = {"pictures": len(pictures), "preprocessing": float(doubted.mean()), "in all": float(refused.mean())}
        if labels is not None:
            refusals[name]["rest right"] = float(np.mean(answered.argmax(axis=1)[~refused] == labels[~refused]))
    return refusals


def non_glyphs(photos: list[np.ndarray], seed: int) -> dict[str, list[np.ndarray]]:
    """Blank paper, noise, and cuttings from photos."""
    scenes = importlib.import_module("support.scenes")
    rng = np.random.default_rng(seed)
    cuttings = []
    for _ in range(200):
        photo, side = photos[rng.integers(len(photos))], int(rng.integers(80, 400))
        top, left = (int(rng.integers(0, size - side)) for size in photo.shape)
        cuttings.append(photo[top : top + side, left : left + side])
    return {
        "blank paper": [scenes.blank_sheet(rng) for _ in range(200)],
        "noise": [scenes.noise_picture(rng) for _ in range(60)],
        "photos of a temple and a flower": cuttings,
    }


def render(fonts: list[Path], characters: str, repeats: int, seed: int) -> list[tuple[np.ndarray, str]]:
    """Pictures of every character in every font."""
    scenes = importlib.import_module("support.scenes")
    rng = np.random.default_rng(seed)
    pictures = []
    for path in fonts:
        font = ImageFont.truetype(str(path), 400)
        for character in characters * repeats:
            coverage = scenes.drawn_glyph(character, font, rng.uniform(-12, 12))
            pictures += [(scenes.scene(coverage, rng), character)]
    return pictures


def load_classifier(path: Path) -> Classify:
    """A model as a function from uint8 ``(n, 28, 28)`` to probabilities."""
    from glyphlite.runtimes.base import predict_probabilities
    from glyphlite.runtimes.registry import get_runtime

    model = get_runtime("keras" if path.suffix == ".keras" else "litert", isolated=False).load(path)
    return lambda images: as_probabilities(predict_probabilities(model, images[..., None], OURS))


def fetch_fonts() -> list[Path]:
    """The font files, from the cache or with apt-get."""
    cache = make_folder(user_cache() / "benchmarks" / "fonts")
    with progress_bar("fonts", len(FONTS)) as advance:
        for package, names in FONTS.items():
            if not all((cache / Path(name).name).is_file() for name in names):
                with tempfile.TemporaryDirectory() as folder:
                    run_quietly(["apt-get", "--quiet=2", "-oAPT::Sandbox::User=root", "download", package], Path(folder), 120)
                    run_quietly(["dpkg-deb", "--extract", next(Path(folder).glob("*.deb")).name, "content"], Path(folder), 60)
                    for name in names:
                        content = next((Path(folder) / "content/usr/share/fonts").glob(f"*/{name}")).read_bytes()
                        write_bytes(cache / Path(name).name, content)
            advance()
    return [cache / Path(name).name for names in FONTS.values() for name in names]


def fetch_sklearn() -> tuple[tuple[list[np.ndarray], np.ndarray], list[np.ndarray]]:
    """scikit-learn's digits with their labels, and its two photos in grey, from the cache or out of its wheel with pip."""
    cache = make_folder(user_cache() / "benchmarks" / "scikit-learn")
    members = {"digits.csv.gz": "data", "china.jpg": "images", "flower.jpg": "images"}
    if not all((cache / name).is_file() for name in members):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--dest",
                folder,
                "scikit-learn",
            ]
            with progress_bar("scikit-learn's wheel", None), running(command, "pip download", 300) as output:
                words = output.read().splitlines()
            wheels = list(Path(folder).glob("*.whl"))
            if not wheels:
                raise DataError(f"pip cannot fetch scikit-learn: {words[-1] if words else 'no word why'}")
            with zipfile.ZipFile(wheels[0]) as archive:
                for name, place in members.items():
                    write_bytes(cache / name, archive.read(f"sklearn/datasets/{place}/{name}"))
    table = np.loadtxt(io.BytesIO(gzip.decompress((cache / "digits.csv.gz").read_bytes())), delimiter=",")
    pictures = [np.rint(row[:64].reshape(8, 8) * (255 / 16)).astype(np.uint8) for row in table]
    photos = [np.asarray(Image.open(cache / name).convert("L")) for name in ("china.jpg", "flower.jpg")]
    return (pictures, table[:, 64].astype(int)), photos


def step_table(accuracy: dict[str, dict[str, float]]) -> Table:
    table = Table(title="Read right, step by step", title_justify="left")
    table.add_column("preprocessing")
    for name in accuracy:
        table.add_column(name, justify="right")
    for step in STEPS:
        table.add_row(step, *(f"{steps[step]:.2%}" for steps in accuracy.values()))
    return table


def refusal_table(certainty: Certainty, refusals: dict[str, dict[str, float]]) -> Table:
    title = f"Refused (temperature {certainty.temperature:.2f}, rejection threshold {certainty.least_certainty:.3f})"
    table = Table(title=title, title_justify="left")
    for name in ("pictures of", "number", "by the preprocessing", "in all", "let through", "of these right"):
        table.add_column(name, justify="left" if name == "pictures of" else "right")
    for name, row in refusals.items():
        right = f"{row['rest right']:.1%}" if "rest right" in row else ""
        parts = (row["preprocessing"], row["in all"], 1 - row["in all"])
        table.add_row(name, f"{row['pictures']:,}", *(f"{part:.1%}" for part in parts), right)
    return table


def _cut(picture: np.ndarray) -> np.ndarray:
    """The glyph's ink.

    Raises:
        DataError: the picture is blank.
    """
    ink = find_ink(picture)
    parts = ink_parts(ink.strength)
    glyph = main_glyph(ink.strength, parts, ink.on_paper)
    if glyph is None:
        raise DataError("blank")
    return cut_out(ink.strength, parts, glyph)


def _prepared(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the model sees of each picture, and whether the preprocessing doubts or refuses it."""
    seen = np.zeros((len(pictures), 28, 28), np.uint8)
    doubted = np.zeros(len(pictures), bool)
    for i, picture in enumerate(pictures):
        try:
            glyph = prepare_glyph(picture)
        except DataError:
            doubted[i] = True
        else:
            seen[i], doubted[i] = glyph.pixels, glyph.doubt is not None
    return seen, doubted


if __name__ == "__main__":
    sys.exit(main())
