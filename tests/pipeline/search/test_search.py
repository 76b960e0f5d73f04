"""``glyphlite search`` on pictures of one's own, from the first trial to the winner's run; and what the user can put right."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from glyphlite.cli import app
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import OutputError, ToolError
from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.models.definition.reading import read_definition
from glyphlite.pipeline.run import RunOptions, run_pipeline
from glyphlite.pipeline.search.command import Searched, SearchOptions, join_search, search
from glyphlite.pipeline.search.display import SearchDisplay, progress_words
from glyphlite.pipeline.search.winner import finish_search
from glyphlite.report.html.search_page import render_search, write_search
from glyphlite.report.terminal.search import search_table
from glyphlite.results import Results
from glyphlite.search.budget import Budget, Cost
from glyphlite.search.report import SearchedWinner, SearchReport, SeedReport, report_of
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate
from glyphlite.search.study import begin_study, storage_of
from glyphlite.search.trials import OVER, TRAINED, Counts, TrialRecord


def run_it(**options: object) -> Results:
    return run_pipeline(RunOptions(**options))  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def pictures(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ones and sevens, 60 pictures of each, 40 pixels high and wide."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    for label, name in ((1, "one"), (7, "seven")):
        (folder / name).mkdir(parents=True)
        for number in np.flatnonzero(mnist.train.labels == label)[:60]:
            Image.fromarray(mnist.train.images[number, ..., 0]).resize((40, 40)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def options(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> SearchOptions:
    out = tmp_path_factory.mktemp("searches") / "digits"
    return SearchOptions(Budget("cortex-m0", 12_000, 3000), dataset=str(pictures), trials=2, epochs=4, jobs=1, out=out)


@pytest.fixture(scope="module")
def searched(options: SearchOptions) -> Searched:
    return search(options)


@pytest.fixture(scope="module")
def finished(searched: Searched) -> SearchReport:
    found = searched
    return finish_search(found.folder, found.settings, found.records, found.report, run_it, seeds=2, epochs=6)


@pytest.mark.slow
def test_the_winner_is_a_run_within_the_budget(finished: SearchReport, searched: Searched) -> None:
    winner = finished.winner
    assert winner is not None
    assert winner.within_budget
    results = Results.load(searched.folder / winner.folder / "results.json")
    measured = next(each for each in results.firmware if each.cpu == "cortex-m0")
    assert measured.code_bytes + measured.constant_bytes == winner.flash_bytes
    assert winner.flash_bytes is not None
    assert winner.flash_bytes <= 12_000
    assert measured.ram_bytes is not None
    assert measured.ram_bytes <= 3000
    assert winner.seed == max(winner.seeds, key=lambda each: each.validation_accuracy).seed
    assert [artifact.accuracy for artifact in results.artifacts if artifact.variant == "int8"] == [winner.test_accuracy]


@pytest.mark.slow
def test_the_trained_network_takes_about_what_was_measured_before(finished: SearchReport) -> None:
    assert finished.winner is not None
    trial = finished.trial(finished.winner.trial)
    assert finished.winner.ram_bytes == pytest.approx(trial.ram_bytes, abs=32)  # some words of the stack, as the constants differ
    assert trial.flash_bytes is not None
    assert finished.winner.flash_bytes is not None
    more = finished.winner.flash_bytes - trial.flash_bytes
    # Six epochs leave the scores closer together than a whole training does: up to all 1,024 bytes of softmax's table are stored.
    assert -0.05 * trial.flash_bytes <= more <= 0.05 * trial.flash_bytes + 1024


@pytest.mark.slow
def test_a_finished_search_has_nothing_left_to_do(
    finished: SearchReport, searched: Searched, options: SearchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glyphlite.pipeline.search.command.Crew", None)  # no worker starts
    again = search(options)
    assert again.records == searched.records
    found = finish_search(again.folder, again.settings, again.records, again.report, run_it, seeds=2, epochs=6)
    assert found.winner == finished.winner


@pytest.mark.slow
def test_whoever_comes_late_is_told_that_it_is_finished(searched: Searched, capsys: pytest.CaptureFixture[str]) -> None:
    assert join_search(str(searched.folder)).trained == searched.report.trained
    assert "the study is finished" in capsys.readouterr().err


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused(searched: Searched, options: SearchOptions) -> None:
    with pytest.raises(OutputError, match="epochs 4, now epochs 5"):
        search(replace(options, epochs=5))


@pytest.mark.slow
def test_a_worker_that_cannot_read_the_data_ends_the_search(tmp_path: Path) -> None:
    settings = SearchSettings(str(tmp_path / "gone"), (28, 28, 1), 2, Budget("cortex-m0"))
    begin_study(storage_of(tmp_path / "study.db"), "gone", settings)
    with pytest.raises(ToolError, match="gone"):
        join_search(str(tmp_path / "study.db"), jobs=1)


@pytest.mark.parametrize(("core", "tool"), [("avr", "avr-gcc"), ("cortex-m55", "qemu-system-arm")])
def test_a_missing_compiler_or_emulator_is_told_before_anything_is_read_or_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, core: str, tool: str
) -> None:
    monkeypatch.setattr("glyphlite.emulation.system_tools.unpacked_packages", lambda: tmp_path / "none")
    monkeypatch.setattr("glyphlite.emulation.system_tools.shutil.which", lambda _: None)
    with pytest.raises(ToolError, match=f"no {tool} here; on Debian and Ubuntu: apt install "):
        search(SearchOptions(Budget(core), dataset=str(tmp_path / "gone"), out=tmp_path / "search"))
    assert not (tmp_path / "search").exists()
    begin_study(storage_of(tmp_path / "study.db"), "mine", SearchSettings("mnist", (28, 28, 1), 2, Budget(core)))
    with pytest.raises(ToolError, match=f"no {tool} here"):
        join_search(str(tmp_path / "study.db"), jobs=1)


@pytest.fixture
def report() -> tuple[SearchReport, list[TrialRecord], SearchSettings]:
    settings = SearchSettings("letters <b>", (28, 28, 1), 3, Budget("cortex-m0", 9000, 2000))
    cost = Cost("cortex-m0", "speed", 8000, 1500, 90_000, None, 40_000, 4000, 7000)
    small = replace(cost, flash_bytes=5000)
    records = [
        TrialRecord(0, TRAINED, Candidate(28, "c5s3x8 c3x12 h32 b4", 0.02), cost, 0.98, 0.1, 12, 20.0),
        TrialRecord(1, "over budget", Candidate(28, "c3s1x24", 0.02), replace(cost, flash_bytes=90_000), cpu_seconds=1.0),
        TrialRecord(2, TRAINED, Candidate(20, "c5s3x4 z", 0.01), small, 0.95, 0.3, 12, 12.0),
    ]
    return report_of("letters", settings, records, 100.0), records, settings


def test_the_report_has_the_front_and_escapes_what_comes_from_outside(
    report: tuple[SearchReport, list[TrialRecord], SearchSettings], tmp_path: Path
) -> None:
    page = write_search(report[0], tmp_path).read_text()
    document = json.loads((tmp_path / "search.json").read_text())
    assert (document["schema"], document["front"], document["over_budget"]) == (1, [0, 2], 1)
    assert "letters &lt;b&gt;" in page
    assert "<b>" not in page
    assert "c5s3x8 c3x12 h32 b4" in page
    assert "src=" not in page


def test_the_terminal_shows_the_front_and_the_winner(
    report: tuple[SearchReport, list[TrialRecord], SearchSettings],
) -> None:
    seed = SeedReport(seed=1, validation_accuracy=0.99, validation_loss=0.02, best_epoch=30)
    winner = SearchedWinner(
        trial=0,
        folder="winner-0",
        seeds=[seed],
        seed=1,
        validation_accuracy=0.99,
        test_accuracy=None,
        core="cortex-m0",
        flash_bytes=8100,
        ram_bytes=1500,
        instructions=90_000,
        within_budget=True,
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(search_table(report[0].model_copy(update={"winner": winner})))
    shown = console.export_text()
    assert "c5s3x8 c3x12 h32 b4" in shown
    assert "99.00 % of validation images, 8,100 bytes of flash" in shown
    assert "within the budget" in shown
    assert "winner-0/" in shown


def test_mean_recalls_are_called_so_where_classes_are_weighed(
    report: tuple[SearchReport, list[TrialRecord], SearchSettings],
) -> None:
    weighed = report[0].model_copy(update={"settings": report[0].settings | {"class_weights": "balanced"}})
    winner = SearchedWinner.model_validate(
        {
            "trial": 0,
            "folder": "winner-0",
            "seeds": [],
            "seed": 1,
            "validation_accuracy": 0.9,
            "core": "cortex-m0",
            "flash_bytes": 8100,
            "ram_bytes": 1500,
            "instructions": 90_000,
            "within_budget": True,
            "test_accuracy": wilson_interval(95, 100),
            "test_balanced_accuracy": 0.75,
        }
    )
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(search_table(weighed.model_copy(update={"winner": winner})))
    shown = console.export_text()
    assert "accuracy is mean recall of the classes of validation images" in shown
    assert "mean recall of the classes there 75.00 %, 90.00 % mean recall of the classes of validation images" in shown
    page = render_search(weighed.model_copy(update={"winner": winner}))
    assert page.count("mean recall of the classes") == 3
    assert "mean recall" not in render_search(report[0])


def test_the_page_counts_one_of_each_as_one(report: tuple[SearchReport, list[TrialRecord], SearchSettings]) -> None:
    trials = [each.model_copy(update={"epochs": 1}) for each in report[0].trials]
    page = render_search(report[0].model_copy(update={"trained": 1, "trials": trials}))
    assert "network was trained to the end" in page
    assert ", 1 epoch<" in page
    assert "1 epochs" not in page


def test_failed_trials_are_told(report: tuple[SearchReport, list[TrialRecord], SearchSettings]) -> None:
    failed = report[0].model_copy(update={"failed": 2, "trained": 1})
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(search_table(failed))
    shown = console.export_text()
    assert "1 network trained to the end" in shown
    assert "over the budget before an epoch, 2 failed;" in shown
    assert ">2</data> failed;" in render_search(failed)
    assert "failed" not in render_search(report[0])


def test_a_network_on_the_front_is_a_file_that_a_run_takes(
    report: tuple[SearchReport, list[TrialRecord], SearchSettings], tmp_path: Path
) -> None:
    found, records, settings = report
    finish_search(tmp_path, settings, records, found, run_it, seeds=0, epochs=20)
    stored = read_definition(tmp_path / "front" / "trial-2.toml").definition
    assert stored.architecture == replace(records[2].point[0].architecture(1), name="searched-2")
    assert stored.input_size == (20, 20)
    assert (stored.recipe.epochs, stored.recipe.quantized_epochs, stored.recipe.split_seed) == (20, 4, 0)
    assert read_definition(tmp_path / "front" / "trial-0.toml").definition.recipe.freezing == 0.85


def test_the_live_line_fits_80_columns(report: tuple[SearchReport, list[TrialRecord], SearchSettings]) -> None:
    words = progress_words(Counts(trained=67, pruned=226, over_budget=41), None, report[1][:1] * 17)
    assert words == "293 trials: 226 pruned, 41 over budget; best 98.00 %, front of 17"
    assert progress_words(Counts(trained=2, failed=1), 4, ()) == "2 of 4 trials: 0 pruned, 0 over budget, 1 failed"
    assert len(f"o {words} 29 min left") <= 80


def test_of_equally_accurate_networks_the_cheapest_wins(report: tuple[SearchReport, list[TrialRecord], SearchSettings]) -> None:
    _, records, settings = report
    equal = [replace(each, accuracy=0.98, loss=0.1 if each.number == 0 else 0.2) if each.accuracy else each for each in records]
    found = report_of("letters", settings, equal, 100.0)
    assert (found.front, found.best) == ([2], 2)


def test_where_no_network_could_be_emulated_the_smallest_bound_is_named() -> None:
    settings = SearchSettings("digits", (28, 28, 1), 10, Budget("cortex-m4", flash_bytes=10))
    bounds = [Cost("cortex-m4", "size", size, 0, 1, None, 1, size, 1, is_bound=True) for size in (1900, 1300)]
    display = SearchDisplay(settings, 1, None)
    display.show([TrialRecord(number, OVER, cost=cost) for number, cost in enumerate(bounds)])
    assert display.closest == "at least 1,300 bytes of flash"


@pytest.mark.parametrize("hours", ["inf", "nan", "1e9", "0"])
def test_hours_without_an_end_are_refused(hours: str) -> None:
    answer = CliRunner().invoke(app, ["search", "--dataset", "none.npz", "--hours", hours])
    assert answer.exit_code == 2
    assert "--hours" in answer.output
