"""The main job, ``glyphlite run``: data, training, conversion, measuring, verifying, firmware, report, in that order."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from glyphlite import __version__
from glyphlite.console import say
from glyphlite.conversion.folder import ConvertedArtifact
from glyphlite.conversion.isolation import prepare
from glyphlite.conversion.variants import VARIANT_NAMES
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ModelError
from glyphlite.evaluation.convention_search import FoundConvention
from glyphlite.evaluation.footprint import measure_footprint
from glyphlite.evaluation.model_evaluation import ArtifactEvaluation, KerasEvaluation, evaluate_keras
from glyphlite.evaluation.recorded_accuracy import in_words
from glyphlite.extras import require_extra
from glyphlite.files.owned import locked_folder
from glyphlite.files.single import sha256_of
from glyphlite.formatting import things
from glyphlite.models import DEFAULT_MODEL
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.models.interface.input_layers import training_convention
from glyphlite.models.pretrained import PretrainedCard
from glyphlite.models.registry import REFERENCE_NAMES, definition_of
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.convert import check_weights, convert_what_can_be
from glyphlite.pipeline.evaluate import measure
from glyphlite.pipeline.firmware import RUN_CORES, Firmware, build_firmware
from glyphlite.pipeline.inputs.conventions import say_if_at_chance
from glyphlite.pipeline.inputs.datasets import to_remember
from glyphlite.pipeline.report import write_report_of
from glyphlite.pipeline.runs.folder import RUN_FILES, Wish, require_exportable
from glyphlite.pipeline.runs.pretrained import (
    check_pretrained,
    pretrained_record,
    pretrained_report,
    take_pretrained,
    with_certainty_of_twin,
)
from glyphlite.pipeline.runs.record import definition_report, write_run_record
from glyphlite.pipeline.runs.stages import Stages
from glyphlite.pipeline.runs.tracked import tracked_figures, tracked_parameters
from glyphlite.pipeline.runs.training_plan import TrainingPlan, model_name, plan_training
from glyphlite.pipeline.verify import compare
from glyphlite.records import ArtifactReport, FailedReport, RuntimeReport, UnverifiedReport, VerifyReport
from glyphlite.report.findings.recommendation import recommend
from glyphlite.report.html.files import compare_report
from glyphlite.results import Results
from glyphlite.runtimes.registry import runtime_title
from glyphlite.training.history import training_report
from glyphlite.training.tracking.trackers import Trackers, Tracking
from glyphlite.training.trainer import TrainingResult, train


@dataclass(frozen=True)
class RunOptions:
    """The user's choices; every field is one option of ``glyphlite run``."""

    model: str = DEFAULT_MODEL
    dataset: str = "mnist"
    out: Path | None = None
    training: TrainingOptions = field(default_factory=TrainingOptions)
    seed: int = 0
    resume: bool = False
    overwrite: bool = False
    pretrained: bool = False
    input_range: str | None = None
    group_by: str | None = None
    calibration_samples: int = 300
    verify_images: int = 1000
    data_dir: Path | None = None
    cores: tuple[str, ...] = RUN_CORES
    tracking: Tracking = field(default_factory=Tracking)
    optimize: str = "speed"

    @property
    def wish(self) -> Wish:
        """Returns the user's wishes for the folder."""
        return Wish(self.out, self.resume, self.overwrite)

    def plan(self) -> TrainingPlan:
        """Checks what can be checked before anything is read; a pretrained model's folder is another than one's own training's.

        Raises:
            GlyphliteError: as :func:`~glyphlite.pipeline.runs.training_plan.plan_training`.
        """
        plan = plan_training(
            self.model,
            self.dataset,
            self.wish,
            seed=self.seed,
            options=self.training,
            data_dir=self.data_dir,
            input_range=self.input_range,
            group_by=self.group_by,
            suffix="-pretrained" if self.pretrained else "",
            writes=RUN_FILES,
        )
        require_exportable(plan.folder, overwrite=self.overwrite)
        return plan

    def command(self, folder: Path) -> list[str]:
        """Returns the command line that repeats the run."""
        words = [
            "glyphlite",
            "run",
            "--model",
            self.model,
            "--dataset",
            self.dataset,
            "--out",
            str(folder),
            "--seed",
            str(self.seed),
        ]
        words += ["--calibration-samples", str(self.calibration_samples), "--verify-images", str(self.verify_images)]
        words += ["--pretrained"] if self.pretrained else []
        words += ["--optimize", self.optimize] if self.optimize != "speed" else []
        words += ["--input-range", self.input_range] if self.input_range is not None else []
        words += ["--group-by", self.group_by] if self.group_by is not None else []
        return words + self.training.words() + self.tracking.words()


def run_all(options: RunOptions) -> list[Results]:
    """Runs each reference model into a folder of its own and puts them side by side in ``comparison.html``.

    Raises:
        GlyphliteError: as :func:`run_pipeline`.
    """
    require_extra("train", "run")
    if options.pretrained:
        raise ModelError("--pretrained takes one model; name it with --model (glyphlite models lists those that are pretrained)")
    parent = options.out or Path("runs")
    everything, folders = [], []
    for name in REFERENCE_NAMES:
        say(name, style="bold")
        each = replace(options, model=name, out=None if options.out is None else parent / name)
        plan = each.plan()
        everything.append(_run(each, plan))
        folders.append(plan.folder)
    page = compare_report(folders, parent / "comparison.html")
    say(str(page), lead=f"All {len(folders)} side by side:", style="bold green")
    return everything


def run_pipeline(options: RunOptions) -> Results:
    """Does the whole of one run and leaves its folder.

    Raises:
        DataError: the dataset cannot be had or is not what its hash says.
        ModelError: the model is unknown or does not fit the dataset.
        ConversionError: no variant can be expressed.
        OutputError: the folder cannot be written.
        ToolError: the extra ``train`` is not installed.
    """
    require_extra("train", "run")
    card = None
    if definition_of(options.model) is None:  # the plan builds it, and then it is too late to fork off the converter
        model_name(options.model)
        prepare()
    if options.pretrained:
        card = check_pretrained(options.model, options.dataset, changes=options.training.words(), resume=options.resume)
    return _run(options, options.plan(), card)


def _run(options: RunOptions, plan: TrainingPlan, card: PretrainedCard | None = None) -> Results:
    with locked_folder(plan.folder), options.tracking.begin(plan.folder.name, resumed=options.resume) as trackers:
        return _run_alone(options, plan, card, trackers)


def _run_alone(options: RunOptions, plan: TrainingPlan, card: PretrainedCard | None, trackers: Trackers) -> Results:
    stages, folder = Stages(6), plan.folder
    with stages.stage("data", f"Data: {options.dataset}"):
        dataset, choice = plan.load()
        dataset = dataset.with_all_images() if card and card.all_images else dataset
        plan.clear()
    trackers.describe(tracked_parameters(choice, dataset, options.seed))
    prepare()
    if card is not None:
        with stages.stage("pretrained", f"Taking the {choice.name} that comes with glyphlite"):
            trained = take_pretrained(card, dataset, folder)
    else:
        with stages.stage("train", f"Training {choice.name} on {things(len(dataset.train), 'image')}"):
            trained = train(choice, dataset, folder, seed=options.seed, resume=options.resume, watch=trackers.epochs)
    convention = training_convention(trained.model, choice.convention)
    if not convention.same_values(OURS):
        say(f"{choice.name} takes pixels as {convention.title} ({convention.source})")
    with stages.stage("convert", f"Converting to {', '.join(VARIANT_NAMES)}"):
        artifacts, failed = convert_what_can_be(
            trained.model,
            folder,
            VARIANT_NAMES,
            dataset=dataset,
            convention=convention,
            samples=options.calibration_samples,
            seed=options.seed,
        )
        check_weights(folder, dataset.train.images)
    with stages.stage("evaluate", f"Measuring each on {things(len(dataset.test), 'test image')}"):
        keras = _measure_keras(trained, dataset, convention)
        say_if_at_chance(folder / "model.keras", keras.held_out, dataset, "validation images", FoundConvention(convention))
        evaluations, unverified = _measure_artifacts(artifacts, dataset, convention, keras)
        if card is not None:
            evaluations = [with_certainty_of_twin(each, card, dataset.test.labels) for each in evaluations]
    measured = {each.report.path for each in evaluations}
    int8 = next((each for each in artifacts if each.variant == "int8" and each.path.name in measured), None)
    pretrained = pretrained_report(card, int8) if card else None
    with stages.stage("firmware", "Firmware from the int8 artifact: TFLite Micro project, C99, emulated cores"):
        measured = next((each.report.accuracy for each in evaluations if int8 and each.report.path == int8.path.name), None)
        accuracy = f"{in_words(measured)}, {dataset.name}" if measured else ""
        firmware = (
            build_firmware(int8.path, folder, dataset, convention, accuracy, cores=options.cores, optimize=options.optimize)
            if int8
            else Firmware()
        )
    compared = things(min(options.verify_images, len(dataset.test)), "test image")
    with stages.stage("verify", f"Verifying the int8 artifact in every runtime on {compared}"):
        verified = _verify(int8, dataset, convention, folder, options)
    results = Results(
        glyphlite=__version__,
        model=choice.name,
        dataset=dataset.name,
        seed=options.seed,
        labels=list(dataset.labels),
        seconds=stages.seconds,
        cpu_seconds=stages.cpu_seconds,
        pretrained=pretrained,
        definition=definition_report(choice),
        training=training_report(trained.history, len(dataset.validation)),
        keras=keras.report,
        artifacts=[_with_arena(each, firmware.tflm) for each in evaluations],
        unverified=unverified,
        failed=[FailedReport(variant=variant, reason=reason) for variant, reason in failed.items()],
        verify=verified,
        firmware=firmware.reports,
    )
    write_run_record(
        folder,
        command=options.command(folder),
        model=options.model,
        dataset=dataset,
        remember=to_remember(options.dataset, dataset, options.data_dir, plan.input_shape, plan.group_by),
        recipe=trained.recipe,
        pretrained=pretrained_record(card) if card else None,
        definition=choice.definition,
        settings={
            "seed": options.seed,
            **options.training.settings(),
            **({"all_images": True} if dataset.joined else {}),
            "epochs": card.recipe.get("epochs") if card else len(trained.history),
            "best_epoch": trained.best_epoch,
            "engine": None if card else trained.engine,
            "calibration_samples": options.calibration_samples,
            "verify_images": options.verify_images,
        },
        hashes={
            name: sha256_of(folder / name)
            for name in ("model.keras", "model.weights.h5", *(each.path.name for each in artifacts))
        },
    )
    chosen = recommend(results)
    shipped = next((each for each in evaluations if chosen and each.report.path == chosen.artifact.path), None)
    page = write_report_of(folder, results, dataset, shipped)
    results.save(folder / "results.json")  # last: with it the run is finished
    plan.finish()
    trackers.finish(tracked_figures(results))
    say(
        f"Look at {page}; programs read {folder / 'results.json'}",
        lead=f"Done in {sum(stages.seconds.values()):.0f} s.",
        style="bold green",
    )
    return results


def _measure_keras(trained: TrainingResult, dataset: Dataset, convention: InputConvention) -> KerasEvaluation:
    return evaluate_keras(
        trained.folder / "model.keras",
        dataset,
        convention=convention,
        validation_accuracy=trained.validation_accuracy,
        best_epoch=trained.best_epoch,
    )


def _verify(
    int8: ConvertedArtifact | None, dataset: Dataset, convention: InputConvention, folder: Path, options: RunOptions
) -> list[VerifyReport]:
    if int8 is None:
        say("There is no int8 artifact that a runtime here executes: nothing to verify.", style="yellow")
        return []
    verification = compare(
        int8.path,
        dataset,
        images=options.verify_images,
        seed=options.seed,
        convention=convention,
        keras=folder / "model.keras",
    )
    say(verification.verdict)
    for runtime, reason in verification.refused.items():
        say(f"{runtime_title(runtime)}: {reason}", lead="Not compared:", style="yellow")
    return list(verification.records)


def _with_arena(evaluation: ArtifactEvaluation, tflm: RuntimeReport | None) -> ArtifactReport:
    """Puts into the int8 artifact's report the arena that the export measured, with its breakdown."""
    report = evaluation.report
    if report.variant != "int8" or tflm is None:
        return report
    return report.model_copy(update={"runtimes": {**report.runtimes, "tflm": tflm}})


def _measure_artifacts(
    artifacts: list[ConvertedArtifact], dataset: Dataset, convention: InputConvention, keras: KerasEvaluation
) -> tuple[list[ArtifactEvaluation], list[UnverifiedReport]]:
    """Measures what LiteRT executes; what it does not is said in one line and kept as not verified."""
    evaluations, unverified = [], []
    for each in artifacts:
        if each.ruled_out:
            unverified.append(_unverified(each, "uses ops that no installed runtime executes; converted, not verified here"))
            continue
        try:
            evaluations.append(measure(each.path, dataset, keras.predictions, convention=convention, variant=each.variant))
        except ArtifactError as error:
            say(str(error), lead="Not measured:", style="yellow")
            unverified.append(_unverified(each, str(error)))
    return evaluations, unverified


def _unverified(artifact: ConvertedArtifact, reason: str) -> UnverifiedReport:
    footprint = measure_footprint(artifact.path)
    return UnverifiedReport(
        variant=artifact.variant,
        path=artifact.path.name,
        bytes=footprint.bytes,
        sha256=footprint.sha256,
        reason=reason,
        operators=list(artifact.select_tf_ops),
    )
