"""The commands: one function each, which parses, hands over and prints. What a command does is in ``pipeline``.

Results go to standard output, words and progress to standard error; ``--json`` puts one JSON document on standard output and
nothing else there. Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlite.cores import PREFERRED_CORE, SIMULATED_CORES
from glyphlite.models import DEFAULT_ELSEWHERE, DEFAULT_EPOCHS, DEFAULT_MODEL, default_epochs, default_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from glyphlite.boards import Board
    from glyphlite.models.training_options import TrainingOptions
    from glyphlite.records import BoardFit, FirmwareReport
    from glyphlite.training.tracking.trackers import Tracking

app = typer.Typer(
    name="glyphlite",
    help="Handwritten-glyph classifiers, from Keras to TensorFlow Lite to bare metal.\n\n"
    "Every number that it prints was measured on the file that it names.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Typer's panels of help import four times what the rest of it does
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

data_app = typer.Typer(
    help="Look at your data before you train on it.",
    epilog="Example: glyphlite data check my-letters",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")


class Optimize(StrEnum):
    """The goals that generated C can be optimized for."""

    SIZE = "size"
    SPEED = "speed"
    RAM = "ram"


class Scores(StrEnum):
    """The scores that generated C gives besides the class."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    NONE = "none"


class Cpu(StrEnum):
    """The cores that can be emulated: a member for each record of ``cores``."""

    _ignore_ = ["core"]  # noqa: RUF012 - read by Enum, which takes a list
    for core in SIMULATED_CORES:
        vars()[core.runtime.upper()] = core.name


class ExportFor(StrEnum):
    """The targets of an export."""

    TFLM = "tflm"
    C_ARRAY = "c-array"
    WEB = "web"
    PYTHON = "python"
    RUST = "rust"
    ANDROID = "android"
    ARDUINO = "arduino"
    PLATFORMIO = "platformio"
    ESP_IDF = "esp-idf"
    ZEPHYR = "zephyr"
    CMAKE = "cmake"
    CMSIS_PACK = "cmsis-pack"


class Engine(StrEnum):
    """The engines that run a model in an exported library."""

    C = "c"
    TFLM = "tflm"


class HostEngine(StrEnum):
    """The engines that run a .tflite file on this host."""

    LITERT = "litert"
    C = "c"


class Language(StrEnum):
    """The language of an exported array."""

    CC = "cc"
    C = "c"


class Augmentation(StrEnum):
    """Lists the augmentations of training images that ``--augmentation`` accepts."""

    DEFAULT = "default"
    NONE = "none"
    LIGHT = "light"
    MEDIUM = "medium"
    STRONG = "strong"
    ELASTIC = "elastic"


class ClassWeights(StrEnum):
    """Lists the weightings of classes in the loss that ``--class-weights`` accepts."""

    AUTO = "auto"
    NONE = "none"
    BALANCED = "balanced"


class Sampler(StrEnum):
    """Lists what may propose the candidates of a search."""

    FRONT = "front"
    TPE = "tpe"
    NSGA2 = "nsga2"
    RANDOM = "random"


class Service(StrEnum):
    """Lists the services that ``--track`` tells of trainings."""

    MLFLOW = "mlflow"
    WANDB = "wandb"


DatasetOption = Annotated[
    str,
    typer.Option(
        "--dataset",
        "-d",
        help="A name from `glyphlite datasets`, an .npz or CSV file, or a folder of IDX files, CSV files or class-named folders "
        "of pictures.",
    ),
]
OwnDatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        "-d",
        help="As for `glyphlite run`: a name or a path.",
        show_default="the data of the run that the file lies in, else mnist",
    ),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar="GLYPHLITE_DATA", help="Folder with the dataset's IDX files; nothing is downloaded then."),
]
SeedOption = Annotated[
    int, typer.Option("--seed", "-s", min=0, max=2**31 - 1, help="Seed of the split, the weights, the shuffling and the samples.")
]
InputSeedOption = Annotated[int, typer.Option("--seed", "-s", min=0, max=2**31 - 1, help="Seed of the inputs that are drawn.")]
LiteRtJsOption = Annotated[
    bool,
    typer.Option(
        "--litertjs/--no-litertjs",
        help="Add LiteRT.js to the page as a second engine, if it is available (9 MB, fetched once with npm).",
    ),
]


def _checked_input_range(text: str | None) -> str | None:
    """Refuses a range that is none before the command begins, so before any data is read; says how one is taken, where needed."""
    if text is not None:
        from glyphlite.console import say
        from glyphlite.models.interface.input_convention import input_range_words

        if words := input_range_words(text):
            say(words)
    return text


HostEngineOption = Annotated[
    HostEngine,
    typer.Option("--engine", help="litert, or c: generated C, built by the C compiler that is here; int8 and int16x8 files."),
]
InputRangeOption = Annotated[
    str | None,
    typer.Option(
        "--input-range",
        metavar="RANGE",
        callback=_checked_input_range,
        help="Pixel range that the model expects: 0..255, 0..1, -1..1, or MEAN,STD (in pixels; of pixel / 255 if STD < 1). "
        "Detected when left out.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else.")]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", "-e", min=1, help="Number of training epochs; the recipe's own when left out.")
]
TensorBoardOption = Annotated[
    Path | None,
    typer.Option(
        "--tensorboard", metavar="DIR", help="Also write TensorBoard's event files there, in a folder named after the run."
    ),
]
TrackOption = Annotated[
    list[Service] | None,
    typer.Option("--track", help="Also tell MLflow or Weights & Biases, set up by their own environment variables; repeatable."),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint in the folder.")]
OverwriteRunOption = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace the run in the folder, which stays in previous/ there until the new one is finished; other files stay.",
    ),
]
RateOption = Annotated[
    float | None, typer.Option("--rate", help="Peak learning rate; the recipe's own when left out.", show_default=False)
]
BatchSizeOption = Annotated[
    int | None, typer.Option("--batch-size", min=1, help="Images per batch; the recipe's own when left out.")
]
AugmentationOption = Annotated[
    Augmentation, typer.Option("--augmentation", help="How training images are augmented; default: as in the recipe.")
]
ClassWeightsOption = Annotated[
    ClassWeights,
    typer.Option(
        "--class-weights",
        help="balanced: rare classes count as much as frequent ones; auto: so where one has three times another's images.",
    ),
]
GroupByOption = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="PREFIX|CSV",
        help="Keep pictures of one group (a writer, say) in one split: a separator up to which file names tell it (_), a regular "
        "expression, a CSV file of file,group, or the name of an .npz's array.",
    ),
]
AllImagesOption = Annotated[
    bool,
    typer.Option(
        "--all-images",
        help="Train on the validation images, too, once every choice is made: all epochs, and the last one is kept.",
    ),
]
EarlyStoppingOption = Annotated[
    int | None,
    typer.Option("--early-stopping", min=1, metavar="PATIENCE", help="Stop after PATIENCE epochs without improvement."),
]
InputSizeOption = Annotated[
    str | None,
    typer.Option("--input-size", metavar="HxW", help="Resize images to this size; by default your model's own size, else 28x28."),
]
KerasOption = Annotated[
    Path | None,
    typer.Option(
        "--keras", help="The .keras file that the artifact was converted from; a model.keras beside it is found automatically."
    ),
]
BoardOption = Annotated[
    str | None,
    typer.Option(
        "--board", metavar="NAME", help="Board, by a name from `glyphlite boards`: measure on its core, and say whether it fits."
    ),
]
InputsOption = Annotated[
    str | None,
    typer.Option(
        "--inputs",
        metavar="random[:N[:SEED]]|FILE",
        help="Inputs instead of a dataset: random ones, or a .npy, .npz or .bin file of real or stored values.",
        show_default="a dataset's images where one fits, else random",
    ),
]
SourceOption = Annotated[
    Path | None,
    typer.Option(
        "--keras",
        "--source",
        help="The float model it was converted from, .keras or .tflite; a model.keras beside it is found automatically.",
    ),
]
OverwriteOption = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace glyphlite's own files in the folder even if they were changed; other files stay.",
    ),
]
ARTIFACT_HELP = "A .tflite file, a run's folder, or a pretrained model's name."
SamplesOption = Annotated[
    int,
    typer.Option("--calibration-samples", min=1, help="Training images that calibrate int8, equally many per class."),
]


def _training_options(
    epochs: int | None,
    rate: float | None,
    batch_size: int | None,
    augmentation: Augmentation,
    class_weights: ClassWeights,
    early_stopping: int | None,
    input_size: str | None,
    *,
    all_images: bool,
) -> "TrainingOptions":
    """Returns the options that ``run`` and ``train`` share, as the training takes them."""
    from glyphlite.models.training_options import TrainingOptions, parse_size

    return TrainingOptions(
        epochs=epochs,
        rate=rate,
        batch_size=batch_size,
        augmentation=augmentation.value,
        class_weights=class_weights.value,
        early_stopping=early_stopping,
        input_size=parse_size(input_size),
        all_images=all_images,
    )


def _trackers(tensorboard: Path | None, track: "Sequence[Service] | None") -> "Tracking":
    """Returns the trackers that a command line names."""
    from glyphlite.training.tracking.trackers import Tracking

    return Tracking(tensorboard, tuple(dict.fromkeys(each.value for each in track or ())))


def _print(renderable: "RenderableType") -> None:
    from glyphlite.console import writing_out
    from glyphlite.report.terminal.tables import stdout_console

    with writing_out():
        stdout_console().print(renderable)


def _print_json(document: Any) -> None:
    from glyphlite.console import write_out_json

    write_out_json(document)


def _print_words(words: str) -> None:
    from glyphlite.console import writing_out
    from glyphlite.escaping import visible

    with writing_out():
        typer.echo(visible(words, keep="\n"))


def _fit(board: "Board | None", reports: "Sequence[FirmwareReport]") -> "BoardFit | None":
    """Returns the fit on the board that was named, from the report of its core."""
    from glyphlite.pipeline.boards.fit import fit_of

    return next((fit_of(board, report) for report in reports if report.cpu == board.cpu), None) if board else None


def _print_fit(fit: "BoardFit | None") -> None:
    if fit:
        from glyphlite.pipeline.boards.fit import fit_words

        _print_words(fit_words(fit))


def _fit_key(fit: "BoardFit | None") -> dict[str, Any]:
    """Returns what a JSON document gets of a fit: nothing where no board was named."""
    return {"board_fit": fit.model_dump(mode="json")} if fit else {}


def _version(wanted: bool) -> None:
    if wanted:
        from glyphlite import __version__

        _print_words(f"glyphlite {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: glyphlite run --model micro-cnn --out runs/first")
def run(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="A name from `glyphlite models`, `all` (five reference models), a model file (.toml), path/to/file.py:function, "
            "or a .keras file.",
            show_default=f"{DEFAULT_MODEL} for {DEFAULT_EPOCHS} epochs on MNIST, else {DEFAULT_ELSEWHERE}",
        ),
    ] = None,
    dataset: DatasetOption = "mnist",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/MODEL when left out.")] = None,
    epochs: EpochsOption = None,
    rate: RateOption = None,
    batch_size: BatchSizeOption = None,
    augmentation: AugmentationOption = Augmentation.DEFAULT,
    class_weights: ClassWeightsOption = ClassWeights.AUTO,
    early_stopping: EarlyStoppingOption = None,
    all_images: AllImagesOption = False,
    input_size: InputSizeOption = None,
    seed: SeedOption = 0,
    resume: ResumeOption = False,
    overwrite: OverwriteRunOption = False,
    calibration_samples: SamplesOption = 300,
    verify_images: Annotated[
        int, typer.Option("--verify-images", min=1, help="Test images, drawn with the seed, on which the runtimes are compared.")
    ] = 1000,
    pretrained: Annotated[bool, typer.Option("--pretrained", help="Use the pretrained weights instead of training.")] = False,
    data_dir: DataDirOption = None,
    group_by: GroupByOption = None,
    board: BoardOption = None,
    optimize: Annotated[Optimize, typer.Option("--optimize", help="What the generated C is optimized for.")] = Optimize.SPEED,
    input_range: InputRangeOption = None,
    tensorboard: TensorBoardOption = None,
    track: TrackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, convert, measure, verify and export a model.

    Writes every variant, generated C, report.html and results.json.
    """
    from glyphlite.boards import board_named
    from glyphlite.pipeline.convert import require_all_variants
    from glyphlite.pipeline.run import RUN_CORES, RunOptions, run_all, run_pipeline

    if model is None and epochs is None and not pretrained:
        epochs = default_epochs(dataset)
    training = _training_options(
        epochs, rate, batch_size, augmentation, class_weights, early_stopping, input_size, all_images=all_images
    )
    named = board_named(board) if board is not None else None
    options = RunOptions(
        model=model or default_model(dataset),
        dataset=dataset,
        out=out,
        training=training,
        seed=seed,
        resume=resume,
        overwrite=overwrite,
        pretrained=pretrained,
        input_range=input_range,
        group_by=group_by,
        calibration_samples=calibration_samples,
        verify_images=verify_images,
        data_dir=data_dir,
        cores=(named.emulated_cpu,) if named else RUN_CORES,
        tracking=_trackers(tensorboard, track),
        optimize=optimize.value,
    )
    if model == "all":
        everything = run_all(options)
        if as_json:
            _print_json([{**results.document(), **_fit_key(_fit(named, results.firmware))} for results in everything])
        return
    results = run_pipeline(options)
    fit = _fit(named, results.firmware)
    if as_json:
        _print_json({**results.document(), **_fit_key(fit)})
    else:
        from glyphlite.report.terminal.command_output import run_view

        _print(run_view(results))
        _print_fit(fit)
    require_all_variants([each.variant for each in results.failed])


@app.command(epilog="Example: glyphlite datasets")
def datasets(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the datasets and where they are.

    Shows what each contains, and whether it is on this machine already.
    """
    from glyphlite.datasets.registry import list_datasets

    known = list_datasets(data_dir=data_dir)
    if as_json:
        from dataclasses import asdict

        _print_json([asdict(entry) for entry in known])
        return
    from glyphlite.report.terminal.tables import datasets_table

    _print(datasets_table(known))


@data_app.command("check", epilog="Example: glyphlite data check my-letters")
def data_check(
    dataset: Annotated[str, typer.Argument(metavar="DATA", help="As --dataset of `glyphlite run`: a name, a file or a folder.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The page; data-check-NAME.html here when left out.", show_default=False),
    ] = None,
    suspects: Annotated[
        bool,
        typer.Option(
            "--suspects/--no-suspects", help="Train small models that judge the labels of images that they did not see (seconds)."
        ),
    ] = True,
    input_size: InputSizeOption = None,
    data_dir: DataDirOption = None,
    group_by: GroupByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a dataset: sizes, classes, unreadable files, duplicates, polarity, groups, suspicious labels.

    Findings are printed and shown with pictures on one page; nothing of the data is changed.
    """
    from glyphlite.models.training_options import parse_size
    from glyphlite.pipeline.check_data import check_data

    check, page = check_data(
        dataset, data_dir=data_dir, out=out, size=parse_size(input_size), suspects=suspects, group_by=group_by
    )
    if as_json:
        _print_json({**check.model_dump(mode="json", by_alias=True), "page": str(page)})
        return
    from glyphlite.report.terminal.data_check import data_check_view

    _print(data_check_view(check))
    _print_words(f"With pictures: {page}")


@app.command(epilog="Example: glyphlite models")
def models(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Only this one: a name, or a model file (.toml), which is checked."),
    ] = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print MODEL as a model file: its layers and its recipe, to change and to train.")
    ] = False,
    long: Annotated[bool, typer.Option("--long", help="Also show how each model is trained.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the models: size, cost, which are pretrained.

    Multiply-accumulates (MACs) are per image.
    """
    if toml:
        from glyphlite.models.registry import model_file_text

        _print_words(model_file_text(model).removesuffix("\n"))
        return
    from glyphlite.models.registry import describe_model, describe_models

    known = describe_models() if model is None else [describe_model(model)]
    if as_json:
        from dataclasses import asdict

        _print_json([asdict(entry) for entry in known])
        return
    from glyphlite.report.terminal.tables import models_table

    _print(models_table(known, recipes=long))


@app.command(epilog="Example: glyphlite boards")
def boards(as_json: JsonOption = False) -> None:
    """List the boards: core, clock, flash, RAM.

    `glyphlite fits MODEL` says which of them a model fits.
    """
    from glyphlite.boards import BOARDS

    if as_json:
        from dataclasses import asdict

        _print_json([asdict(board) for board in BOARDS])
        return
    from glyphlite.report.terminal.boards import boards_table

    _print(boards_table(BOARDS))


@app.command(epilog="Example: glyphlite fits glyph-4kflash --board pico")
def fits(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A .tflite file, a run's folder, a pretrained model's name, or a model file (.toml) before its training.",
        ),
    ],
    board: BoardOption = None,
    optimize: Annotated[Optimize, typer.Option("--optimize", help="As for `glyphlite compile`.")] = Optimize.SPEED,
    as_json: JsonOption = False,
) -> None:
    """Say which boards a model fits.

    Compiles it for each board's core and measures flash and RAM there; the time of an inference is an estimate.
    With --board the exit code is 0 or 1.
    """
    from glyphlite.boards import BOARDS, board_named
    from glyphlite.pipeline.fits import fits_on, fitting_choice

    found = fits_on(file, BOARDS if board is None else [board_named(board)], optimize=optimize.value)
    if as_json:
        _print_json([fit.model_dump(mode="json") for fit in found])
    else:
        from glyphlite.report.terminal.boards import fits_table

        _print(fits_table(found))
    if board and found[0].verdict == "DOES NOT FIT":
        if not as_json and (choice := fitting_choice(file, board_named(board), tried=optimize.value)):
            _print_words(f"It fits with --optimize {choice}.")
        raise typer.Exit(1)


@app.command(epilog="Example: glyphlite train micro-cnn --dataset mnist --out runs/micro --epochs 3")
def train(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A name from `glyphlite models`, a model file (.toml), file.py:function, or a .keras file."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for model.keras, history.csv, the learning curve and the checkpoints; runs/MODEL when left out.",
        ),
    ] = None,
    dataset: DatasetOption = "mnist",
    epochs: EpochsOption = None,
    rate: RateOption = None,
    batch_size: BatchSizeOption = None,
    augmentation: AugmentationOption = Augmentation.DEFAULT,
    class_weights: ClassWeightsOption = ClassWeights.AUTO,
    early_stopping: EarlyStoppingOption = None,
    all_images: AllImagesOption = False,
    input_size: InputSizeOption = None,
    seed: SeedOption = 0,
    resume: ResumeOption = False,
    overwrite: OverwriteRunOption = False,
    data_dir: DataDirOption = None,
    group_by: GroupByOption = None,
    input_range: InputRangeOption = None,
    tensorboard: TensorBoardOption = None,
    track: TrackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model and keep the best epoch on validation images.

    With --all-images it trains on these, too, and keeps the last epoch; the epochs, and everything else, are to be chosen before.
    After an interruption at any moment, --resume gives the same weights, bit for bit.
    """
    from glyphlite.pipeline.runs.folder import Wish
    from glyphlite.pipeline.train import train_model

    options = _training_options(
        epochs, rate, batch_size, augmentation, class_weights, early_stopping, input_size, all_images=all_images
    )
    trained = train_model(
        model,
        dataset,
        Wish(out, resume, overwrite),
        seed=seed,
        options=options,
        data_dir=data_dir,
        input_range=input_range,
        group_by=group_by,
        tracking=_trackers(tensorboard, track),
    )
    if as_json:
        _print_json(trained.document())
        return
    _print_words(f"{trained.folder / 'model.keras'}: {trained.words}, {trained.seconds:.0f} s of training")
    if trained.unequal:
        _print_words(trained.unequal)


@app.command(epilog="Example: glyphlite search --dataset mnist --board arduino-uno --hours 0.5")
def search(
    dataset: DatasetOption = "mnist",
    board: Annotated[
        str | None,
        typer.Option("--board", metavar="NAME", help="Board that the network has to fit, by a name from `glyphlite boards`."),
    ] = None,
    cpu: Annotated[
        Cpu | None,
        typer.Option("--cpu", help="Core that costs are measured on.", show_default=f"the board's, else {PREFERRED_CORE}"),
    ] = None,
    flash: Annotated[
        str | None,
        typer.Option(
            "--flash", metavar="BYTES", help="Most flash for code and constants, such as 24K.", show_default="the board's"
        ),
    ] = None,
    ram: Annotated[
        str | None,
        typer.Option(
            "--ram", metavar="BYTES", help="Most RAM for arena, edges and stack, such as 2K.", show_default="the board's"
        ),
    ] = None,
    instructions: Annotated[
        str | None,
        typer.Option(
            "--instructions",
            metavar="NUMBER",
            help="Most instructions of one inference, such as 2M.",
            show_default="as many as the board's clock ticks in a second",
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option("--objective", help="What is sought: accuracy, and any of flash, ram, instructions.")
    ] = "accuracy,flash",
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="End after so many trained candidates; those over the budget do not count."),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(
            "--hours", min=0.001, max=8760, help="End the trials after so many hours.", show_default="0.5, without --trials"
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, max=64, help="Trainings at a time.", show_default="one a processor")
    ] = None,
    epochs: Annotated[
        int, typer.Option("--epochs", "-e", min=2, help="Epochs of a trial that is not stopped early (pruned).")
    ] = 12,
    sampler: Annotated[
        Sampler,
        typer.Option(
            "--sampler",
            help="What proposes candidates. front: neighbours of the best so far. tpe, nsga2: Optuna's samplers. random: chance.",
        ),
    ] = Sampler.FRONT,
    seeds: Annotated[
        int, typer.Option("--seeds", min=0, help="Trainings of the winner, of which validation images choose one; 0: none.")
    ] = 3,
    full_epochs: Annotated[int, typer.Option("--full-epochs", min=2, help="Epochs of each training of the winner.")] = 40,
    class_weights: ClassWeightsOption = ClassWeights.AUTO,
    group_by: GroupByOption = None,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the search; the same command goes on there. runs/search-DATASET-BOARD when left out."
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL|FILE",
            help="Where trials are kept: a file, or a database's URL.",
            show_default="a file in --out",
        ),
    ] = None,
    join: Annotated[
        str | None,
        typer.Option("--join", metavar="URL|FILE", help="Work in the search of this storage that another process began."),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option("--study", metavar="NAME", help="Name of the search in the storage.", show_default="the folder's"),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Run the trials on a Ray cluster: auto, HOST:PORT or ray://HOST:PORT."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE.toml|NAME", help="Begin with this model, a file's or one of `glyphlite models`."),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option("--tensorboard", metavar="DIR", help="Also write TensorBoard's event files there, a folder for each trial."),
    ] = None,
    track: Annotated[
        list[Service] | None,
        typer.Option("--track", help="Also tell MLflow or Weights & Biases of each trial as a run; repeatable."),
    ] = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the best small network for your data and your chip.

    Flash, RAM and instructions of a network are measured before it is trained. Ctrl-C stops the search; the same command goes on.
    """
    from glyphlite.boards import board_named
    from glyphlite.errors import ToolError
    from glyphlite.pipeline.run import RunOptions, run_pipeline
    from glyphlite.pipeline.search.command import SearchOptions, join_search
    from glyphlite.pipeline.search.command import search as search_models
    from glyphlite.pipeline.search.winner import finish_search
    from glyphlite.report.terminal.search import search_table
    from glyphlite.search.budget import budget_of, parse_bytes, parse_count
    from glyphlite.search.settings import parse_objectives
    from glyphlite.training.tracking.trackers import Tracking

    tracking = _trackers(tensorboard, track)
    if join is not None:
        if model is not None or tracking != Tracking():
            raise ToolError("--model, --tensorboard and --track are for the search that others join: give them there")
        report = join_search(join, study=study, data_dir=data_dir, jobs=jobs, hours=hours, ray=ray)
    else:
        budget = budget_of(
            board_named(board) if board else None,
            core=cpu.value if cpu else None,
            flash_bytes=parse_bytes(flash, "--flash"),
            ram_bytes=parse_bytes(ram, "--ram"),
            instructions=parse_count(instructions, "--instructions"),
        )
        found = search_models(
            SearchOptions(
                budget=budget,
                dataset=dataset,
                data_dir=data_dir,
                objectives=parse_objectives(objective),
                sampler=sampler.value,
                trials=trials,
                hours=hours,
                jobs=jobs,
                seed=seed,
                epochs=epochs,
                out=out,
                storage=storage,
                study=study,
                ray=ray,
                class_weights=class_weights.value,
                group_by=group_by,
                model=model,
                tracking=tracking,
            )
        )
        report = finish_search(
            found.folder,
            found.settings,
            found.records,
            found.report,
            lambda **options: run_pipeline(RunOptions(**options)),
            seeds=seeds,
            epochs=full_epochs,
            data_dir=data_dir,
        )
    if as_json:
        _print_json(report.model_dump(mode="json"))
    else:
        _print(search_table(report))


@app.command(epilog="Example: glyphlite convert runs/glyph-4k/model.keras --out artifacts --to float32,int8")
def convert(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL.keras", help="A .keras or .h5 file, a SavedModel folder, or path/to/file.py:function."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for model_VARIANT.tflite; the model's own when left out.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="Variants, separated by commas.")] = "float32,float16,dynamic,int8,int16x8",
    batch: Annotated[str, typer.Option("--batch", help="Batch size of the artifacts, or `dynamic` to leave it free.")] = "1",
    dataset: OwnDatasetOption = None,
    calibration_samples: SamplesOption = 300,
    show_calibration: Annotated[
        bool,
        typer.Option(
            "--show-calibration", help="Convert with several numbers of samples and show the validation accuracy of each."
        ),
    ] = False,
    seed: SeedOption = 0,
    data_dir: DataDirOption = None,
    overwrite: OverwriteOption = False,
    input_range: InputRangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Convert a Keras model to .tflite files.

    Variants: float32, float16, dynamic range, int8, int16x8.
    """
    from glyphlite.pipeline.convert import convert_model

    conversion = convert_model(
        model,
        out,
        variants=to,
        batch=batch,
        dataset=dataset,
        samples=calibration_samples,
        show_calibration=show_calibration,
        seed=seed,
        data_dir=data_dir,
        input_range=input_range,
        overwrite=overwrite,
    )
    if as_json:
        _print_json(conversion.document())
    else:
        from glyphlite.report.terminal.command_output import calibration_table, conversion_table

        _print(conversion_table(conversion.artifacts))
        if conversion.calibration:
            _print(calibration_table(conversion.calibration))
    conversion.require_all()


@app.command(epilog="Example: glyphlite evaluate runs/glyph-4k/model.keras runs/glyph-4k/*.tflite")
def evaluate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help=".keras and .tflite files, or names of pretrained models.")
    ],
    dataset: OwnDatasetOption = None,
    keras: KerasOption = None,
    latency: Annotated[bool, typer.Option("--latency/--no-latency", help="Time one inference on this host.")] = True,
    per_class: Annotated[
        bool,
        typer.Option("--per-class/--no-per-class", help="Also show accuracy per class and the confusion matrix of each file."),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option("--seed", "-s", min=0, max=2**31 - 1, help="Seed of the split.", show_default="the run's own, else 0"),
    ] = None,
    data_dir: DataDirOption = None,
    input_range: InputRangeOption = None,
    engine: HostEngineOption = HostEngine.LITERT,
    as_json: JsonOption = False,
) -> None:
    """Measure files on the whole test split.

    Shows accuracy, agreement with Keras, size, latency, and which runtimes accept each file.
    """
    from glyphlite.pipeline.evaluate import evaluate_files

    evaluation = evaluate_files(
        files,
        dataset,
        keras=keras,
        latency=latency,
        seed=seed,
        data_dir=data_dir,
        input_range=input_range,
        engine=engine.value,
    )
    if as_json:
        _print_json(evaluation.document())
        return
    from glyphlite.report.terminal.command_output import evaluation_view

    _print(evaluation_view(evaluation.keras, evaluation.artifacts, evaluation.labels, per_class=per_class))


@app.command(epilog="Example: glyphlite predict seven.png --show seen.png")
def predict(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE] PICTURE...",
            help="Pictures of one glyph each: PNG, JPEG, ... any size, dark on light or light on dark. A model may come first.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="A .tflite or .keras file, a run's folder, or a pretrained model's name; the most accurate one when left out.",
        ),
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option("--sample", min=0, help="Use this test image and compare with its label; may be repeated."),
    ] = None,
    show: Annotated[
        Path | None, typer.Option("--show", help="Write a picture of what the model saw, beside the original.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Read every glyph of a picture, line by line.")] = False,
    dataset: OwnDatasetOption = None,
    data_dir: DataDirOption = None,
    input_range: InputRangeOption = None,
    engine: HostEngineOption = HostEngine.LITERT,
    as_json: JsonOption = False,
) -> None:
    """Recognize glyphs in pictures.

    Shows the class and the top three with their confidence, and says where the answer is unsure.
    """
    from glyphlite.pipeline.predict import predict_pictures

    answers = predict_pictures(
        files or [],
        model_path=model,
        samples=sample or [],
        show=show,
        every=every,
        dataset=dataset,
        data_dir=data_dir,
        input_range=input_range,
        engine=engine.value,
    )
    if as_json:
        _print_json(answers.document())
    elif answers.predictions:
        from glyphlite.report.terminal.command_output import predictions_view

        rows = [(each.words, each.believed, each.doubt, each.note) for each in answers.predictions]
        _print(predictions_view(rows, answers.readings))
    answers.raise_failures()


@app.command(epilog="Example: glyphlite inspect runs/glyph-4k/model_int8.tflite --graph graph.svg")
def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.tflite",
            help="A .tflite file (damaged and hostile files are safe), a run's folder, or a pretrained model's name.",
        ),
    ],
    graph: Annotated[Path | None, typer.Option("--graph", help="Write a picture of the graph (SVG).")] = None,
    runtimes: Annotated[bool, typer.Option("--runtimes/--no-runtimes", help="Try which runtimes accept the file.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Show what is in a .tflite file and which runtimes accept it.

    Shows ops, shapes, scales, multiply-accumulates, bytes and metadata.
    """
    from glyphlite.pipeline.inspect import inspect_file

    inspection = inspect_file(file, graph=graph, runtimes=runtimes)
    if as_json:
        _print_json(inspection.model_dump(mode="json"))
        return
    from glyphlite.report.terminal.inspection import render_inspection

    _print(render_inspection(inspection))


@app.command(epilog="Example: glyphlite optimize model.tflite --out model_small.tflite --strip-names")
def optimize(
    file: Annotated[Path, typer.Argument(metavar="FILE.tflite", help=ARTIFACT_HELP)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE2.tflite", help="The file to write.")],
    strip_names: Annotated[
        bool, typer.Option("--strip-names", help="Also drop the names of tensors that are no input or output.")
    ] = False,
    seed: InputSeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there already.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a .tflite file smaller; every output byte stays the same.

    Computes ops of constants ahead, removes constant channels, stores equal constants once and drops what nothing uses; then
    runs both files in every runtime before the new one is written.
    """
    from glyphlite.pipeline.optimize import optimize_artifact

    report = optimize_artifact(file, out, strip_names=strip_names, seed=seed, overwrite=overwrite)
    if as_json:
        _print_json(report.model_dump(mode="json"))
        return
    from glyphlite.report.terminal.command_output import optimization_words

    _print_words(optimization_words(report))


@app.command(epilog="Example: glyphlite verify runs/micro-cnn/model_int8.tflite --images 1000")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE.tflite", help=ARTIFACT_HELP)],
    images: Annotated[
        int | None,
        typer.Option(
            "--images", min=1, help="Number of inputs, drawn with the seed; of a dataset the whole test split when left out."
        ),
    ] = None,
    inputs: InputsOption = None,
    dataset: OwnDatasetOption = None,
    keras: SourceOption = None,
    runtimes: Annotated[
        str | None,
        typer.Option("--runtimes", help="Only these runtimes, separated by commas; all that accept the file when left out."),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            min=0,
            max=1,
            help="Share of images whose class may differ between runtimes; 0.001 when left out.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="PORT",
            help="Serial port of a board with the example NAME_link of an exported library, such as /dev/ttyACM0: compared too.",
        ),
    ] = None,
    baud: Annotated[int, typer.Option("--baud", min=300, max=2**31 - 1, help="Bits per second on that port.")] = 115_200,
    seed: InputSeedOption = 0,
    data_dir: DataDirOption = None,
    input_range: InputRangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every runtime on the same inputs, byte for byte.

    Takes any model, with or without a dataset. Exit code 1 if generated C does not give TFLite Micro's bytes, or, where it was
    not compared, if classes differ on more images than the tolerance.
    """
    from glyphlite.errors import DisagreementError
    from glyphlite.pipeline.verify import verify_file

    verification = verify_file(
        file,
        dataset,
        images=images,
        keras=keras,
        runtimes=runtimes,
        tolerance=tolerance,
        seed=seed,
        data_dir=data_dir,
        input_range=input_range,
        inputs=inputs,
        device=device,
        baud=baud,
    )
    if as_json:
        _print_json(verification.document())
    else:
        from glyphlite.report.terminal.command_output import verification_view

        _print(verification_view(verification))
    if not verification.agrees:
        raise DisagreementError(verification.verdict)


@app.command(epilog="Example: glyphlite export runs/micro-cnn/model_int8.tflite --for tflm --out firmware")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.tflite", help=ARTIFACT_HELP)],
    target: Annotated[
        ExportFor,
        typer.Option(
            "--for",
            help="tflm: a TensorFlow Lite Micro project. c-array: any .tflite file as a C array. web: a page to draw on. "
            "python: predict.py for a Raspberry Pi, without TensorFlow. rust: a no_std crate. android: an app to draw on. "
            "arduino, platformio, esp-idf, zephyr, cmake, cmsis-pack: one C library that all six take.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    name: Annotated[str, typer.Option("--name", help="Prefix of the C symbols.")] = "model",
    language: Annotated[
        Language, typer.Option("--language", help="cc for C++, c for plain C (of c-array, and of tflm's model).")
    ] = Language.CC,
    engine: Annotated[
        Engine,
        typer.Option("--engine", help="c: generated C. tflm: TensorFlow Lite Micro as the toolchain has it (esp-idf, zephyr)."),
    ] = Engine.C,
    optimize: Annotated[
        Optimize, typer.Option("--optimize", help="What the C of a library is optimized for, as for `glyphlite fits`.")
    ] = Optimize.SPEED,
    dataset: OwnDatasetOption = None,
    inputs: InputsOption = None,
    sample: Annotated[int, typer.Option("--sample", min=0, help="Test image, or which of --inputs, to embed.")] = 0,
    data_dir: DataDirOption = None,
    litertjs: LiteRtJsOption = True,
    overwrite: OverwriteOption = False,
    input_range: InputRangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a .tflite file into firmware, a page or a program.

    Writes a TensorFlow Lite Micro project, a C array, a page to draw on, a program for a Raspberry Pi, a Rust crate, an Android
    app, or a C library for a toolchain.
    """
    from glyphlite.pipeline.export import export_file

    exported = export_file(
        file,
        target.value,
        out,
        name=name,
        language=language.value,
        dataset=dataset,
        sample=sample,
        data_dir=data_dir,
        litertjs=litertjs,
        overwrite=overwrite,
        input_range=input_range,
        inputs=inputs,
        engine=engine.value,
        optimize=optimize.value,
    )
    if as_json:
        _print_json(exported.document)
        return
    _print_words(exported.words)


@app.command("compile", epilog="Example: glyphlite compile runs/micro-cnn/model_int8.tflite --out firmware --optimize speed")
def compile_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL_int8.tflite", help="An int8 or int16x8 .tflite file, a run's folder, or a pretrained model's name."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write.", show_default="one here, named after the file"),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Prefix of the C symbols and file names; the file's name when left out.")
    ] = None,
    optimize: Annotated[
        Optimize, typer.Option("--optimize", help="What to optimize for; the cost of each choice is printed.")
    ] = Optimize.SPEED,
    scores: Annotated[
        Scores,
        typer.Option(
            "--scores", help="Keep the softmax (probabilities), leave it out (logits), or return only the class (none)."
        ),
    ] = Scores.PROBABILITIES,
    inputs: InputsOption = None,
    dataset: OwnDatasetOption = None,
    sample: Annotated[int, typer.Option("--sample", min=0, help="Test image in example/example.c.")] = 0,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="FILE|A,B,...",
            help="Class labels, which make the model a classifier: a text file of one a line, or names between commas.",
            show_default="those in the file or of the dataset",
        ),
    ] = None,
    with_picture: Annotated[
        bool,
        typer.Option(
            "--with-picture", help="Also write C that prepares camera frames, canvases and pen strokes, and doubts the answer."
        ),
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare/--no-compare", help="Measure the cost of each --optimize on an emulated Cortex-M4, or the core of --board."
        ),
    ] = True,
    board: BoardOption = None,
    data_dir: DataDirOption = None,
    overwrite: OverwriteOption = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check",
            help="Compare the C with TensorFlow Lite Micro before it is written, on random inputs or those of --inputs.",
        ),
    ] = True,
    input_range: InputRangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile an int8 or int16x8 .tflite file to C99.

    The C has no dependencies; its outputs are bit-identical to TensorFlow Lite Micro's.
    """
    from glyphlite.boards import board_named
    from glyphlite.pipeline.compile import compile_file

    named = board_named(board) if board is not None else None
    compiled = compile_file(
        file,
        out,
        name=name,
        optimize=optimize.value,
        scores=scores.value,
        dataset=dataset,
        sample=sample,
        compare=compare,
        data_dir=data_dir,
        overwrite=overwrite,
        check=check,
        input_range=input_range,
        inputs=inputs,
        labels=labels,
        cpu=named.emulated_cpu if named else None,
        with_picture=with_picture,
    )
    fit = _fit(named, [report for name, report in compiled.trade_offs.items() if name == optimize.value])
    if as_json:
        _print_json({**compiled.document, **_fit_key(fit)})
        return
    _print_words(compiled.words)
    if compare and compiled.trade_offs:
        from glyphlite.report.terminal.command_output import trade_offs_table

        _print(trade_offs_table(compiled.trade_offs, optimize.value))
    _print_fit(fit)


@app.command(epilog="Example: glyphlite simulate runs/micro-cnn/model_int8.tflite --cpu cortex-m4")
def simulate(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|MODEL.tflite",
            help="An int8 or int16x8 .tflite file, a pretrained model's name, or the folder that `glyphlite compile` wrote.",
        ),
    ],
    cpu: Annotated[list[Cpu] | None, typer.Option("--cpu", help="Core to emulate; may be repeated.")] = None,
    board: BoardOption = None,
    images: Annotated[
        int | None,
        typer.Option("--images", min=1, help="Number of inputs to run.", show_default="10; 100 calls of a model with state"),
    ] = None,
    inputs: InputsOption = None,
    optimize: Annotated[
        Optimize, typer.Option("--optimize", help="As for `glyphlite compile`; only for a .tflite file.")
    ] = Optimize.SPEED,
    dataset: OwnDatasetOption = None,
    data_dir: DataDirOption = None,
    input_range: InputRangeOption = None,
    frame: Annotated[
        str | None,
        typer.Option("--frame", metavar="WxH", help="Also count the preparation of a camera's grey frame of this size: 96x96."),
    ] = None,
    canvas: Annotated[
        str | None,
        typer.Option("--canvas", metavar="WxH", help="Also count the preparation of a touch panel's canvas of bits: 64x64."),
    ] = None,
    strokes: Annotated[
        str | None,
        typer.Option("--strokes", metavar="WxH", help="Also count the drawing of a pen's 40 points on a panel of this size."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run generated C on an emulated core.

    Shows what each input gives, exact instructions per layer, flash and total RAM.
    """
    from glyphlite.boards import board_named
    from glyphlite.pipeline.simulate import picture_costs, simulate_target

    if cpu and board:
        raise typer.BadParameter("name cores with --cpu, or a board with --board")
    named = board_named(board) if board is not None else None
    cores = [named.emulated_cpu] if named else [core.value for core in cpu or [Cpu(PREFERRED_CORE)]]
    wanted = {kind: size for kind, size in (("frame", frame), ("canvas", canvas), ("strokes", strokes)) if size is not None}
    pictures = picture_costs(target, cores, wanted) if wanted else []
    simulation = simulate_target(
        target,
        cores,
        images=images,
        optimize=optimize.value,
        dataset=dataset,
        data_dir=data_dir,
        input_range=input_range,
        inputs=inputs,
    )
    fit = _fit(named, simulation.reports)
    if as_json:
        prepared = {core: [each.model_dump(mode="json") for each in pictures if each.cpu == core] for core in cores}
        added = [{"pictures": prepared[core]} if wanted else {} for core in cores]
        _print_json([{**entry, **more, **_fit_key(fit)} for entry, more in zip(simulation.document(), added, strict=True)])
        return
    from glyphlite.report.terminal.command_output import firmware_view
    from glyphlite.report.terminal.tables import outputs_table, predictions_table

    predictions = simulation.predictions()
    _print(predictions_table(predictions) if predictions else outputs_table(simulation.outputs()))
    _print_words(simulation.words)
    _print(firmware_view(simulation.reports))
    if pictures:
        from glyphlite.report.terminal.command_output import pictures_table

        _print(pictures_table(pictures))
    _print_fit(fit)


@app.command(epilog="Example: glyphlite draw runs/glyph-4k")
def draw(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL_int8.tflite]",
            help="An int8 .tflite file, a run's folder, or a pretrained model's name; the most accurate one when left out.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; 0.0.0.0 admits phones on the same network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on; 0 chooses a free one.")] = 8000,
    litertjs: LiteRtJsOption = True,
    input_range: InputRangeOption = None,
) -> None:
    """Serve a page to draw on.

    The int8 model answers every stroke, in the browser. Ctrl-C ends it.
    """
    from glyphlite.pipeline.export import draw_page

    draw_page(file, host=host, port=port, litertjs=litertjs, input_range=input_range)


@app.command(epilog="Example: glyphlite report runs/micro-cnn runs/glyph-4k --out comparison.html")
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Page to write; by default report.html in the run's folder, or comparison.html for several runs."
        ),
    ] = None,
) -> None:
    """Write a run's report again, or compare several runs.

    One run gives report.html, several give comparison.html.
    """
    from glyphlite.pipeline.report import write_reports

    _print_words(str(write_reports(runs, out)))
