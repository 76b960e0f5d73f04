"""The winner of a search: trained again with the full recipe and several seeds, then made into the folder of a run.

Chosen on validation images alone: the network by its trial, the seed by its training. The run that follows looks at the test
split, once. Killed at any moment and called again, it goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from glyphlite.console import say
from glyphlite.conversion.isolation import prepare
from glyphlite.files.owned import locked_folder, remove_ours, write_owned
from glyphlite.formatting import percent, things
from glyphlite.models.definition.definition import ModelDefinition
from glyphlite.models.definition.writing import write_definition
from glyphlite.models.recipe import Recipe
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.runs.folder import Wish, is_finished, is_unfinished
from glyphlite.pipeline.runs.training_plan import plan_training
from glyphlite.records import FirmwareReport
from glyphlite.report.findings.unequal_classes import mean_recall_beside
from glyphlite.report.html.search_page import write_search
from glyphlite.results import Results
from glyphlite.search.report import SearchedWinner, SearchReport, SeedReport
from glyphlite.search.settings import SearchSettings
from glyphlite.search.trials import TrialRecord, front_of
from glyphlite.training.trainer import train

Run = Callable[..., Results]
"""``glyphlite run`` on the fields of its options: passed in, as what makes runs knows nothing of searches, nor they of it."""

_CORES = ("cortex-m4", "cortex-m0")
"""Measured beside the budget's own, as every run does."""


def definition_of(record: TrialRecord, settings: SearchSettings, epochs: int) -> ModelDefinition:
    """Returns a trial's network and full recipe as a model's file holds them.

    The recipe is the trial's over more epochs; INT4 weights are frozen progressively, as in the glyph family. Every seed holds
    out the images that the search judged by.
    """
    candidate, _, accuracy = record.point
    name = f"searched-{record.number}"
    architecture = candidate.architecture(settings.channels, name)
    own = candidate.side == settings.sides[0] and settings.channels > 1  # pictures in colour keep the size that they come in
    return ModelDefinition(
        architecture,
        _full_recipe(candidate.recipe(epochs, name, settings.batch), settings, is_narrow=architecture.weight_bits < 8),
        f"{candidate.words}: trial {record.number} of a search within {settings.budget.words}, {percent(accuracy)} of validation "
        "images after a short training",
        None if own else (candidate.side, candidate.side),
    )


def finish_search(
    folder: Path,
    settings: SearchSettings,
    records: Sequence[TrialRecord],
    report: SearchReport,
    run_it: Run,
    *,
    seeds: int,
    epochs: int,
    data_dir: Path | None = None,
) -> SearchReport:
    """Writes the front's model files, ``search.json`` and ``report.html``, and makes the winner's run between them.

    Args:
        folder: of the search.
        settings: of its study.
        records: its trials.
        report: what is known of them.
        run_it: makes a run.
        seeds: trainings of the winner; 0 makes none.
        epochs: of each of them.
        data_dir: the folder of a known dataset's files.

    Returns:
        The report, with the winner.

    Raises:
        GlyphliteError: as a training and a run.
    """
    with locked_folder(folder) as place:
        front = front_of(records, settings.objectives)
        best = front[0] if front else None
        _write_front(front, settings, place / "front", epochs)
        write_search(report, place)
        if best is None:
            say("no network was trained to its end: give it more time with --hours or --trials", style="yellow")
        elif seeds:
            say(f"{percent(best.accuracy or 0.0)} of validation images", lead=f"Winner, trial {best.number}:", style="bold green")
            winner = crown(best, settings, place, run_it, seeds=seeds, epochs=epochs, data_dir=data_dir)
            report = report.model_copy(update={"winner": winner})
            write_search(report, place)
    return report


def crown(
    record: TrialRecord,
    settings: SearchSettings,
    folder: Path,
    run_it: Run,
    *,
    seeds: int,
    epochs: int,
    data_dir: Path | None = None,
) -> SearchedWinner:
    """Trains a trial's network again and makes the run of it; what was done of it before is not done again.

    Args:
        record: the trial.
        settings: of the search.
        folder: of the search; the run goes into ``winner-NUMBER`` there.
        run_it: makes a run.
        seeds: how many trainings, of which validation images choose one.
        epochs: of each.
        data_dir: the folder of a known dataset's files.

    Raises:
        GlyphliteError: as a training and a run.
    """
    place, run = folder / f"seeds-{record.number}", folder / f"winner-{record.number}"
    model = write_owned(
        folder / "front" / f"trial-{record.number}.toml", write_definition(definition_of(record, settings, epochs))
    )
    found = _trained_seeds(model, settings, place, run, seeds, data_dir)
    best = max(found, key=lambda seed: (seed.validation_accuracy, -seed.validation_loss))
    if is_finished(run):
        results = Results.load(run / "results.json")
    else:
        say(f"seed {best.seed} has the best of {things(seeds, 'training')}, {percent(best.validation_accuracy)}: now its run")
        if not is_unfinished(run):
            (place / f"seed-{best.seed}").rename(run)
        _, cost, _ = record.point
        results = run_it(
            model=str(model),
            dataset=settings.dataset,
            out=run,
            seed=best.seed,
            resume=True,
            training=_training(settings),
            data_dir=data_dir,
            group_by=settings.group_by,
            cores=tuple(dict.fromkeys((settings.budget.core, *_CORES))),
            optimize=cost.optimize,
        )
    return _winner(record, settings, results, run, found, best.seed)


def _write_front(records: Sequence[TrialRecord], settings: SearchSettings, folder: Path, epochs: int) -> None:
    """Writes the model file of each network, and removes those of networks that were on the front before."""
    files = {f"trial-{record.number}.toml": definition_of(record, settings, epochs) for record in records}
    remove_ours(folder, [path.name for path in folder.glob("trial-*.toml") if path.name not in files])
    for name, definition in files.items():
        write_owned(folder / name, write_definition(definition))


def _full_recipe(recipe: Recipe, settings: SearchSettings, *, is_narrow: bool) -> Recipe:
    return replace(
        recipe,
        quantized_epochs=max(1, round(recipe.epochs / 5)),
        freezing=0.85 if is_narrow else None,
        split_seed=settings.seed,
        class_weights=settings.class_weights,
    )


def _training(settings: SearchSettings) -> TrainingOptions:
    """Returns the options of a training that keep the search's decision on the weights of classes."""
    return TrainingOptions(class_weights=settings.class_weights or "none")


def _trained_seeds(
    model: Path, settings: SearchSettings, place: Path, run: Path, seeds: int, data_dir: Path | None
) -> list[SeedReport]:
    """Trains each seed into a folder of its own; the one that became the run is asked there."""
    found = []
    for seed in range(settings.seed, settings.seed + seeds):
        own = place / f"seed-{seed}"
        kept = place / f"seed-{seed}.json"
        if kept.is_file():
            found.append(SeedReport.model_validate_json(kept.read_text()))
            continue
        out = own if own.exists() or not run.exists() else run
        say(f"training seed {seed}, {seed - settings.seed + 1} of {seeds}", style="bold cyan")
        resume = is_unfinished(out)
        prepare()
        plan = plan_training(
            str(model),
            settings.dataset,
            Wish(out, resume=resume),
            seed=seed,
            options=_training(settings),
            data_dir=data_dir,
            group_by=settings.group_by,
        )
        with locked_folder(plan.folder):
            dataset, choice = plan.load()
            trained = train(choice, dataset, plan.folder, seed=seed, resume=resume)
        best = trained.history[trained.best_epoch - 1]
        assert best.validation_accuracy is not None  # a search holds some out
        assert best.validation_loss is not None
        report = SeedReport(
            seed=seed,
            validation_accuracy=evenly if (evenly := best.validation_balanced_accuracy) is not None else best.validation_accuracy,
            validation_loss=best.validation_loss,
            best_epoch=best.epoch,
        )
        write_owned(kept, report.model_dump_json() + "\n")
        found.append(report)
    return found


def _winner(
    record: TrialRecord, settings: SearchSettings, results: Results, run: Path, seeds: Sequence[SeedReport], seed: int
) -> SearchedWinner:
    """Returns what the run measured, held against the budget."""
    int8 = next((each for each in results.artifacts if each.variant == "int8"), None)
    core = next((each for each in results.firmware if each.cpu == settings.budget.core), None)
    fits = core is not None and all(excess <= 0 for excess in settings.budget.excesses(*_taken(core)).values())
    if not fits:
        say("the trained network is not within the budget, or was not measured", lead=f"trial {record.number}:", style="yellow")
    flash, ram, instructions = _taken(core) if core else (None, None, None)
    return SearchedWinner(
        trial=record.number,
        folder=run.name,
        seeds=list(seeds),
        seed=seed,
        validation_accuracy=next(each.validation_accuracy for each in seeds if each.seed == seed),
        test_accuracy=int8.accuracy if int8 else None,
        core=settings.budget.core,
        flash_bytes=flash,
        ram_bytes=ram,
        instructions=instructions,
        within_budget=fits,
        test_balanced_accuracy=mean_recall_beside(int8) if int8 else None,
    )


def _taken(core: FirmwareReport) -> tuple[int, int, int]:
    return core.code_bytes + core.constant_bytes, core.ram_bytes or 0, core.instructions
