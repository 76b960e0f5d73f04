"""A search against random search and against networks picked by hand, within a chip's budget, for equal processor time.

    rm -rf runs/benchmark-search; python benchmarks/search.py --seconds 90 --seeds 2 --write
    python benchmarks/search.py --only uno            # one budget; a run that was stopped goes on
    python benchmarks/search.py --example runs/search-mnist-arduino-uno --commit 1234567   # keeps what a finished search found

MNIST within two budgets: an Arduino Uno's flash and RAM, and a Cortex-M0 of 16 KB of flash and 4 KB of RAM. Three ways get the
same seconds of this process's processor time in cost and training: ``glyphlite search`` as it comes (its first points, TPE),
proposals at random from the same space (everything else the same: cost first, the same rungs), and networks picked by hand,
trained by the same recipe. Search and chance take turns, trial by trial, so that what else the machine does slows both; each
seed is another search and other proposals by chance. Accuracy is of validation images after the short training, the test split
is not looked at; flash, RAM and instructions are measured on the emulated core. The trials lie in ``--folder``, one SQLite file
for each way and seed.
"""

import argparse
import json
import time
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from glyphlite.boards import board_named
from glyphlite.console import quiet_tensorflow, say
from glyphlite.files.single import write_json
from glyphlite.search.budget import Budget, budget_of
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate
from glyphlite.search.study import begin_study, fail_dead_trials, quiet_optuna, storage_of
from glyphlite.search.trials import TRAINED, TrialRecord, dominates, front_of, hypervolume, records_of
from glyphlite.search.work import Workplace, choice_of, run_trial

RESULTS = Path(__file__).parent / "results" / "search.json"
SHAPE, CLASSES = (28, 28, 1), 10
OBJECTIVES = ("accuracy", "flash")
EPOCHS = 12

BUDGETS = {
    "uno": replace(budget_of(board_named("arduino-uno")), instructions=None),
    "m0": Budget("cortex-m0", 16 * 1024, 4 * 1024),
}
TITLES = {"uno": "Arduino Uno", "m0": "Cortex-M0, 16 KB and 4 KB"}

BY_HAND = {
    "micro-cnn's layers": Candidate(28, "c3x8 p2 h16", 0.006, "affine_gentle"),
    "BitNetMCU's layers": Candidate(16, "c16x64 c1x64 c1x64 b4", 0.01, "affine_gentle"),
    "LeNet-like": Candidate(28, "c5x4 p2 c5x8 p2 h32", 0.01, "affine_gentle"),
}
"""Networks that people start from: our reference micro-cnn; three hidden layers of 64 on 16x16 with weights of four bits, as
BitNetMCU has; a small LeNet. All in layers that are trained for int8."""

REFERENCE_ERROR = 0.05
"""Reference of the hypervolume, beside the budget's flash: networks that err more often count for nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90, help="processor time of each way and budget")
    parser.add_argument("--seeds", type=int, default=1, help="searches of each way and budget")
    parser.add_argument("--only", choices=tuple(BUDGETS), help="one of the budgets")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmark-search"), help="where the trials are kept")
    parser.add_argument("--example", type=Path, help="folder of a finished search, whose winner the docs show")
    parser.add_argument("--commit", default="", help="of the glyphlite that made it")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and the docs")
    arguments = parser.parse_args()
    if arguments.example:
        return keep_example(arguments.example, arguments.commit)
    quiet_tensorflow()
    from glyphlite.conversion.isolation import prepare

    prepare()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    found = {}
    with quiet_optuna():
        for name in [arguments.only] if arguments.only else BUDGETS:
            settings = SearchSettings("mnist", SHAPE, CLASSES, BUDGETS[name], OBJECTIVES, epochs=EPOCHS)
            hand = by_hand(settings, arguments.folder / f"{name}-by-hand.json")
            found[name] = compared(
                settings.budget,
                [
                    {**taking_turns(settings, seed, arguments.folder / f"{name}-{seed}", arguments.seconds), "by hand": hand}
                    for seed in range(arguments.seeds)
                ],
            )
            show(name, found[name])
    if arguments.write:
        from common.figures import write_pages

        write_json(RESULTS, {**measured(), "seconds": arguments.seconds, "epochs": EPOCHS, "budgets": found})
        write_pages()
    return None


def measured() -> dict[str, Any]:
    """Returns what was measured before."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}


def keep_example(folder: Path, commit: str) -> None:
    """Writes what a search of the command line found into the results: its trials in numbers, its winner, its run's figures."""
    from common.figures import write_pages

    report = json.loads((folder / "search.json").read_text())
    trial = next(each for each in report["trials"] if each["number"] == report["winner"]["trial"])
    kept = ("seconds", "cpu_seconds", "trained", "pruned", "over_budget", "winner")
    write_json(RESULTS, {**measured(), "example": {**{key: report[key] for key in kept}, "trial": trial, "commit": commit}})
    write_pages()


def taking_turns(settings: SearchSettings, seed: int, place: Path, seconds: float) -> dict[str, list[TrialRecord]]:
    """Returns the trials of a search and of chance, of so many seconds of processor time each, those of an earlier call among
    them.
    """
    studies = {}
    workplace = Workplace(settings)
    for way, sampler in (("search", settings.sampler), ("random", "random")):
        storage = storage_of(place.with_name(f"{place.name}-{way}.db"))
        studies[way] = begin_study(
            storage, "benchmark", replace(settings, sampler=sampler), priors=way == "search", proposals=seed
        )
        fail_dead_trials(studies[way])
    while True:
        records = {way: records_of(study.get_trials(deepcopy=False)) for way, study in studies.items()}
        spent = {way: sum(each.cpu_seconds for each in found) for way, found in records.items()}
        behind = min(spent, key=lambda way: spent[way])
        if spent[behind] >= seconds:
            return {way: within(found, seconds) for way, found in records.items()}
        run_trial(studies[behind], workplace)
        say(f"{place.name}-{behind}: {len(records[behind]) + 1} trials, {spent[behind]:.0f} s")


def within(records: list[TrialRecord], seconds: float) -> list[TrialRecord]:
    """Returns the trials that began within so many seconds of processor time, so that a longer search can be cut."""
    ends = accumulate(each.cpu_seconds for each in records)
    return [each for each, end in zip(records, ends, strict=True) if each.cpu_seconds and end - each.cpu_seconds < seconds]


def by_hand(settings: SearchSettings, place: Path) -> list[TrialRecord]:
    """Returns the networks picked by hand as trials; those that are over the budget are not trained."""
    from glyphlite.search.cost import cost_of
    from glyphlite.search.short_training import train_briefly

    known: dict[str, Any] = json.loads(place.read_text()) if place.is_file() else {}
    records = []
    for number, (name, candidate) in enumerate(BY_HAND.items()):
        cost = cost_of(candidate.architecture(1), candidate.input_shape(1), CLASSES, settings.budget)
        if name not in known and cost.fits(settings.budget):
            start = time.process_time()
            trained = train_briefly(
                choice_of(candidate, settings, f"hand-{number}"),
                Workplace(settings).data(candidate.side),
                candidate.recipe(settings.epochs),
                settings.seed,
                (),
                lambda *_: None,
                lambda: None,
            )
            known[name] = {"accuracy": trained.accuracy, "cpu_seconds": time.process_time() - start}
            write_json(place, known)
        if name in known:
            records.append(TrialRecord(number, TRAINED, candidate, cost, epochs=settings.epochs, **known[name]))
        else:
            records.append(TrialRecord(number, "over budget", candidate, cost))
    return records


def compared(budget: Budget, seeds: list[dict[str, list[TrialRecord]]]) -> dict[str, Any]:
    """Returns each way's front of the first seed, how much of it that of the search dominates, and the hypervolume of each seed's
    front, as a share of the whole.
    """
    reference = (REFERENCE_ERROR, float(budget.flash_bytes or 1))
    points = [{way: objectives_of_front(records) for way, records in ways.items()} for ways in seeds]
    found = {}
    for way, records in seeds[0].items():
        volumes = [hypervolume(each[way], reference) / (reference[0] * reference[1]) for each in points]
        best, theirs = points[0]["search"], points[0][way]
        found[way] = {
            "front": [described(each) for each in front_of(records, OBJECTIVES)],
            "hypervolume": sum(volumes) / len(volumes),
            "hypervolumes": volumes,
            "dominated_by_search": sum(any(dominates(mine, other) for mine in best) for other in theirs),
            "dominating_search": sum(any(dominates(other, mine) for other in theirs) for mine in best),
            "trained": sum(each.outcome == TRAINED for each in records),
            "tried": len(records),
            "cpu_seconds": round(sum(each.cpu_seconds for each in records)),
        }
    return found


def objectives_of_front(records: list[TrialRecord]) -> list[tuple[float, ...]]:
    """Returns the objectives of each point of a front."""
    return [each.objectives(OBJECTIVES) for each in front_of(records, OBJECTIVES)]


def described(record: TrialRecord) -> dict[str, Any]:
    """Returns a point of a front as the results keep it."""
    candidate, cost, accuracy = record.point
    return {
        "network": candidate.words,
        "side": candidate.side,
        "accuracy": accuracy,
        "optimize": cost.optimize,
        "flash_bytes": cost.flash_bytes,
        "ram_bytes": cost.ram_bytes,
        "instructions": cost.instructions,
    }


def show(name: str, found: dict[str, Any]) -> None:
    """Prints the fronts of a budget."""
    print(f"\n{TITLES[name]}: {BUDGETS[name].words}")
    for way, each in found.items():
        volumes = " and ".join(f"{one:.3f}" for one in each["hypervolumes"])
        print(
            f"  {way}: hypervolume {volumes}, {each['tried']} tried, {each['trained']} trained, "
            f"{each['cpu_seconds']} s; the search dominates {each['dominated_by_search']} of {len(each['front'])} points"
        )
        for point in each["front"]:
            print(
                f"    {point['accuracy']:.2%}  {point['flash_bytes']:>6,} flash  {point['ram_bytes']:>5,} RAM  "
                f"{point['instructions']:>9,} instructions  {point['network']} at {point['side']}x{point['side']}"
            )


if __name__ == "__main__":
    main()
