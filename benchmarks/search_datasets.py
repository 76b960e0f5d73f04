"""A search's winner in a tenth of edge-cnn's flash, against edge-cnn and micro-cnn, on data other than digits.

    python benchmarks/search_datasets.py --only rendered-letters --write
    python benchmarks/search_datasets.py --only fashion-mnist --write

``rendered-letters`` (37 classes, drawn from fonts) and Fashion-MNIST. The budget is a tenth of the flash that edge-cnn takes on a
Cortex-M0, code included. The search gets ``--seconds`` of this process's processor time, its winner is the most accurate network
on validation images. It and the two known models are then trained by their recipes, all with one seed, converted to int8 and
judged on the whole test split, once: McNemar's test pairs each of the two with the winner. A tenth of micro-cnn's flash is less
than the code of any network takes; what the smallest network tried takes is kept to show it. What was done before lies in
``--folder`` and is not done again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.compiler.compile import compile_artifact
from glyphlite.console import quiet_tensorflow, say
from glyphlite.conversion.converter import convert
from glyphlite.conversion.isolation import prepare
from glyphlite.datasets.registry import load_dataset
from glyphlite.evaluation.accuracy import mcnemar_p
from glyphlite.evaluation.model_evaluation import evaluate_artifact
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import write_json
from glyphlite.models.definition.writing import write_definition
from glyphlite.models.registry import require_definition
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.runs.folder import Wish, is_unfinished
from glyphlite.pipeline.runs.training_plan import plan_training
from glyphlite.pipeline.search.winner import definition_of
from glyphlite.search.budget import Budget
from glyphlite.search.cost import cost_of
from glyphlite.search.settings import SearchSettings, sides_for
from glyphlite.search.space import batch_for
from glyphlite.search.study import begin_study, fail_dead_trials, quiet_optuna, storage_of
from glyphlite.search.trials import TRAINED, TrialRecord, front_of, records_of
from glyphlite.search.work import Workplace, run_trial
from glyphlite.training.trainer import train

RESULTS = Path(__file__).parent / "results" / "search_datasets.json"
DATASETS = ("rendered-letters", "fashion-mnist")
CORE = "cortex-m0"
LARGE, SMALL, WINNER = "edge-cnn", "micro-cnn", "winner"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=DATASETS, help="one of the datasets")
    parser.add_argument("--seconds", type=float, default=120, help="processor time of the search")
    parser.add_argument("--epochs", type=int, default=30, help="of the winner's training; the known models keep their recipes")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmark-search-datasets"), help="where all of it is kept")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and the docs")
    arguments = parser.parse_args()
    quiet_tensorflow()
    prepare()
    for name in [arguments.only] if arguments.only else DATASETS:
        with quiet_optuna():
            found = compared(name, arguments.folder / name, arguments.seconds, arguments.epochs)
        print(json.dumps(found, indent=2))
        if arguments.write:
            from common.figures import write_pages

            known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
            write_json(RESULTS, {**known, name: found})
            write_pages()


def compared(name: str, folder: Path, seconds: float, epochs: int) -> dict[str, Any]:
    """Searches, trains and judges on one dataset; returns what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = load_dataset(name)
    untrained = {
        each: cost_of(require_definition(each).architecture, dataset.input_shape, dataset.classes, Budget(CORE))
        for each in (LARGE, SMALL)
    }
    budget = Budget(CORE, flash_bytes=untrained[LARGE].flash_bytes // 10)
    settings = SearchSettings(
        name,
        dataset.input_shape,
        dataset.classes,
        budget,
        sides=sides_for(dataset.input_shape),
        batch=batch_for(len(dataset.train)),
    )
    records = searched(settings, folder, seconds)
    best = front_of(records, settings.objectives)[0]
    model = folder / "winner.toml"
    model.write_text(write_definition(definition_of(best, settings, epochs)))
    judged = {
        label: trained_and_judged(label, source, settings, folder / label)
        for label, source in ((WINNER, str(model)), (SMALL, SMALL), (LARGE, LARGE))
    }
    labels = load_dataset(name).test.labels
    for label in (SMALL, LARGE):
        judged[label]["mcnemar_p"] = mcnemar_p(predictions_in(folder / WINNER), predictions_in(folder / label), labels)
    return {
        "classes": dataset.classes,
        "test_images": len(labels),
        "flash_limit": budget.flash_bytes,
        "smallest_tried": min(each.cost.flash_bytes for each in records if each.cost and not each.cost.is_bound),
        "tried": len(records),
        "trained": sum(each.outcome == TRAINED for each in records),
        "search_seconds": round(sum(each.cpu_seconds for each in records)),
        "network": best.point[0].words,
        "side": best.point[0].side,
        "models": judged,
    }


def searched(settings: SearchSettings, folder: Path, seconds: float) -> list[TrialRecord]:
    """Returns the trials of a search of so many seconds of processor time, those of an earlier call among them."""
    study = begin_study(storage_of(folder / "study.db"), "benchmark", settings)
    fail_dead_trials(study)
    workplace = Workplace(settings)
    while True:
        records = records_of(study.get_trials(deepcopy=False))
        if sum(each.cpu_seconds for each in records) >= seconds:
            return records
        run_trial(study, workplace)
        say(f"{settings.dataset}: {len(records) + 1} trials")


def trained_and_judged(label: str, model: str, settings: SearchSettings, folder: Path) -> dict[str, Any]:
    """Trains a model by its recipe, converts it to int8, and judges it on the test split; once, whoever calls again."""
    kept = folder / "judged.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    start = time.process_time()
    plan = plan_training(
        model,
        settings.dataset,
        Wish(folder, resume=is_unfinished(folder)),
        seed=settings.seed,
        options=TrainingOptions(class_weights="none"),
    )
    dataset, choice = plan.load()
    trained = train(choice, dataset, plan.folder, seed=settings.seed, resume=is_unfinished(folder))
    artifact = folder / "int8.tflite"
    artifact.write_bytes(convert(trained.model, "int8", representative=dataset.train.images[:300]).content)
    judged = evaluate_artifact(artifact, dataset, latency=False, runtimes=False)
    np.save(folder / "predictions.npy", judged.predictions)
    compile_artifact(artifact, folder / "c", optimize="speed", overwrite=True)
    core = simulate(folder / "c", CORE, dataset.test.images[:1]).report
    document = {
        "epochs": choice.recipe.epochs,
        "parameters": int(trained.model.count_params()),
        "validation_accuracy": max(each.validation_accuracy or 0.0 for each in trained.history),
        "accuracy": judged.report.accuracy.model_dump(),
        "flash_bytes": core.code_bytes + core.constant_bytes,
        "ram_bytes": core.ram_bytes,
        "instructions": core.instructions,
        "cpu_seconds": round(time.process_time() - start),
    }
    write_json(kept, document)
    return document


def predictions_in(folder: Path) -> np.ndarray:
    """Returns the classes that a judged model gave the test images."""
    return np.load(folder / "predictions.npy")


if __name__ == "__main__":
    main()
