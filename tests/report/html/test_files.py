"""The page as a program sees it: valid, self-contained, every figure that of the results, and nothing from outside markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from support.made_up import crowded

from glyphlite.errors import DataError
from glyphlite.evaluation.accuracy import wilson_interval
from glyphlite.records import ArtifactReport, RuntimeReport, UnverifiedReport
from glyphlite.report.figures.samples import SampleSheet
from glyphlite.report.html.comparison_page import distinct_names
from glyphlite.report.html.files import compare_report, write_report
from glyphlite.report.html.run_page import confusion_cells
from glyphlite.report.html.templating import accuracy_scale, tied
from glyphlite.results import Results

VOID = {"meta", "img", "br", "hr", "link", "input", "area", "base", "col", "embed", "source", "track", "wbr"}
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}$x^2$"

HISTORY = """epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds
1,0.001,0.5,0.85,0.3,0.91,6.0
2,0.001,0.2,0.94,0.2,0.96,6.0
3,0.001,0.2,0.95,0.2,0.96,6.0
"""


class Page(HTMLParser):
    """A page's elements: balanced or an error, with text, attributes and the figures of each element with an id."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.ids: list[tuple[int, str]] = []
        self.figures: dict[str, list[str]] = {}
        self.feed(markup)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
            if "id" in attributes:
                self.ids.append((len(self.open), attributes["id"]))
        if tag == "data":
            for _, name in self.ids:
                self.figures.setdefault(name, []).append(attributes["value"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.ids = [each for each in self.ids if each[0] != len(self.open)]
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(results: Results, sheet: SampleSheet, tmp_path: Path) -> Page:
    (tmp_path / "history.csv").write_text(HISTORY)
    (tmp_path / "run.toml").write_text('command = "glyphlite run --model micro-cnn"\n')
    path = write_report(results, tmp_path, samples=sheet, graph_svg="<svg><text>conv</text></svg>")
    assert path == tmp_path / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def assert_self_contained(page: Page) -> None:
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert not {"script", "iframe", "object", "link", "base", "form"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            if name in attributes:
                assert re.match(r"data:image/(png|svg\+xml);base64,|\./|#", attributes[name]), (tag, name, attributes[name][:60])


def test_the_page_is_valid_and_needs_nothing_from_outside(page: Page):
    assert_self_contained(page)
    assert [each["lang"] for each in page.all("html")] == ["en"]
    assert all(each.get("alt") for each in page.all("img"))
    assert all(each.get("scope") in {"col", "row"} for each in page.all("th"))
    assert all(each.get("aria-label") for each in page.all("svg"))
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_every_figure_of_every_file_is_that_of_the_results(page: Page, results: Results):
    for number, artifact in enumerate(results.artifacts):
        expected = [
            artifact.accuracy.value,
            artifact.accuracy.low,
            artifact.accuracy.high,
            artifact.agreement_with_keras,
            artifact.mcnemar_p,
            artifact.bytes,
            artifact.weight_bytes,
            artifact.latency_us,
        ]
        assert [float(each) for each in page.figures[f"artifact-{number}"]] == expected
    keras = results.keras
    assert [float(each) for each in page.figures["keras"]] == [
        keras.parameters,
        keras.macs,
        keras.accuracy.value,
        keras.bytes,
        keras.latency_us,
    ]


def numbers_of(document: object) -> set[float]:
    if isinstance(document, dict):
        return set().union(*(numbers_of(each) for each in document.values())) if document else set()
    if isinstance(document, list):
        return set().union(*(numbers_of(each) for each in document)) if document else set()
    return {float(document)} if isinstance(document, int | float) and not isinstance(document, bool) else set()


def test_no_figure_comes_from_elsewhere(page: Page, results: Results, sheet: SampleSheet):
    """Every figure on the page is in results.json or the sample sheet, or a sum or a class figure made of them."""
    from glyphlite.evaluation.accuracy import macro_of

    known = numbers_of(results.document()) | numbers_of(json.loads(sheet.model_dump_json()))
    for core in results.firmware:
        known.add(core.code_bytes + core.constant_bytes)
    macro = macro_of(results.artifacts[3].confusion)
    known |= {macro.precision, macro.recall, macro.f1}
    known |= {figure for each in macro.classes for figure in (each.precision, each.recall, each.f1)}
    shown = {float(each["value"]) for each in page.all("data")}
    assert len(shown) > 60
    assert shown <= known
    # What stands deep in the page is there all the same.
    assert {7_200, 2_272, 10_016, 216, 1_874, 51_234, 21_696} <= shown


def test_the_headline_is_the_recommendation(page: Page, results: Results):
    text = " ".join(page.text)
    assert "Ship these files" in text
    dynamic, int8 = results.artifacts[2], results.artifacts[3]
    assert [float(each) for each in page.figures["for-phone"]] == [dynamic.accuracy.value, dynamic.bytes, dynamic.latency_us]
    core = results.firmware[1]
    assert [float(each) for each in page.figures["for-microcontroller"]] == [
        int8.accuracy.value,
        core.code_bytes + core.constant_bytes,
        core.ram_bytes,
    ]
    assert [float(each) for each in page.figures["for-browser"]] == [int8.accuracy.value, int8.bytes]
    assert "glyphlite run --model micro-cnn" in text
    assert "no kernel; use int8" in text


def test_the_confusion_matrix_and_samples_are_there(page: Page, results: Results, sheet: SampleSheet):
    pictures = [each for each in page.all("img") if each["src"].startswith("data:image/png")]
    assert len(pictures) == len(sheet.right) + len(sheet.wrong) > 0
    text = " ".join(page.text)
    for sample in sheet.wrong:
        assert any(each["alt"].startswith(f"Test image {sample.index}: ") for each in pictures)
    assert all(f" {count} " in text for row in results.artifacts[3].confusion for count in row if count > 20)


def test_hostile_names_stay_text(results: Results, sheet: SampleSheet, tmp_path: Path):
    artifacts = [each.model_copy(update={"path": f"//evil.example/{HOSTILE}"}) for each in results.artifacts]
    refusing = {HOSTILE: RuntimeReport(accepts=False, reason=HOSTILE)}
    artifacts[0] = artifacts[0].model_copy(update={"variant": HOSTILE, "runtimes": refusing})
    hostile = results.model_copy(
        update={
            "labels": [f"{HOSTILE}{each}" for each in range(10)],
            "model": HOSTILE,
            "dataset": HOSTILE,
            "glyphlite": HOSTILE,
            "seconds": {HOSTILE: 1.0},
            "artifacts": artifacts,
            "unverified": [
                UnverifiedReport(variant=HOSTILE, path=HOSTILE, bytes=3, sha256=HOSTILE, reason=HOSTILE, operators=[HOSTILE])
            ],
            "verify": [each.model_copy(update={"artifact": HOSTILE, "runtime": HOSTILE}) for each in results.verify],
            "firmware": [
                each.model_copy(
                    update={"cpu": HOSTILE, "layers": [layer.model_copy(update={"name": HOSTILE}) for layer in each.layers]}
                )
                for each in results.firmware
            ],
        }
    )
    (tmp_path / "run.toml").write_text(HOSTILE)
    path = write_report(hostile, tmp_path, samples=sheet, graph_svg=f"<svg><script>alert(3)</script>{HOSTILE}</svg>")
    page = Page(path.read_text(encoding="utf-8"))
    assert_self_contained(page)
    assert "{{7*7}}" in " ".join(page.text)
    for link in (each["href"] for each in page.all("a")):
        assert unquote(link).startswith(("./", "#"))


def test_a_run_without_artifacts_has_a_page(results: Results, tmp_path: Path):
    bare = Results(model="m", dataset="d", seed=1, keras=results.keras.model_copy(update={"latency_us": None}))
    page = Page(write_report(bare, tmp_path).read_text(encoding="utf-8"))
    assert_self_contained(page)
    assert "Ship" not in " ".join(page.text)


@pytest.mark.parametrize(("classes", "cells"), [(26, 676), (62, 3844), (1000, 0)])
def test_a_page_of_many_classes(results: Results, tmp_path: Path, classes: int, cells: int):
    markup = write_report(crowded(results, classes), tmp_path).read_text(encoding="utf-8")
    page = Page(markup)
    assert_self_contained(page)
    matrix = re.search(r'<table class="confusion.*?</table>', markup, re.DOTALL)
    assert (matrix[0].count("<td") if matrix else 0) == cells
    text = " ".join(" ".join(page.text).split())
    assert "class 0 read as class 1 : 1 time" in text
    assert f"Not measured, since they have no test image: class {classes - 1}." in text
    assert "not measured: no test image" in text
    assert ("The hardest classes" in text) == (classes > 30)


def test_a_page_has_contents_that_lead_to_its_sections(page: Page):
    links = [each["href"].removeprefix("#") for each in page.all("a") if each["href"].startswith("#")]
    identifiers = {attributes["id"] for tag, attributes in page.elements if "id" in attributes and tag in ("section", "div")}
    assert {"ship", "variants", "meaning", "charts", "runtimes", "firmware", "mistakes", "graph", "how"} == set(links)
    assert set(links) <= identifiers


def test_a_model_that_is_not_ready_is_not_called_a_file_to_ship(results: Results, tmp_path: Path):
    rising = HISTORY.splitlines()[:3]
    (tmp_path / "history.csv").write_text("\n".join(rising) + "\n")
    text = " ".join(Page(write_report(results, tmp_path).read_text(encoding="utf-8")).text)
    assert "Not ready for use" in text
    assert "The validation accuracy still rises" in text
    assert "Ship" not in text


def test_the_mean_recall_stands_beside_the_accuracy_of_unequal_classes(results: Results, tmp_path: Path):
    per_class = [wilson_interval(10, 20), wilson_interval(60, 60), *[wilson_interval(0, 0)] * 8]
    unequal = results.model_copy(
        update={
            "keras": results.keras.model_copy(update={"per_class": per_class}),
            "artifacts": [each.model_copy(update={"per_class": per_class}) for each in results.artifacts],
        }
    )
    unequal.save(tmp_path / "results.json")
    page = Page(write_report(unequal, tmp_path).read_text(encoding="utf-8"))
    assert "0.75" in page.figures["keras"]
    assert "0.75" in page.figures["artifact-0"]
    assert "least recognized is 0" in " ".join(page.text)
    compared = Page(compare_report([tmp_path, tmp_path], tmp_path / "compare.html").read_text(encoding="utf-8"))
    assert compared.figures["run-0"].count("0.75") == 2
    assert "mean recall of the classes" not in (write_report(results, tmp_path)).read_text(encoding="utf-8")


def test_several_runs_side_by_side(results: Results, tmp_path: Path):
    folders = []
    for name, gain in (("micro", 0.0), ("edge", 0.01)):
        folder = tmp_path / name
        better = [_better(each, gain) for each in results.artifacts]
        changed = results.model_copy(update={"model": f"{name}-cnn", "artifacts": better})
        changed.save(folder / "results.json")
        write_report(changed, folder)
        folders.append(folder)
    page = Page(compare_report(folders, tmp_path / "compare.html").read_text(encoding="utf-8"))
    assert_self_contained(page)
    for number, folder in enumerate(folders):
        shown = [float(each) for each in page.figures[f"run-{number}"]]
        saved = Results.load(folder / "results.json")
        assert saved.artifacts[3].accuracy.value in shown
        assert saved.artifacts[3].bytes in shown
    assert {"./micro/report.html", "./edge/report.html"} <= {each["href"] for each in page.all("a")}
    assert "edge-cnn's int8" in " ".join(page.text)


def test_runs_of_one_model_are_told_apart_by_what_differs(results: Results):
    seed = [results.model_copy(update={"seed": each}) for each in (0, 1)]
    other = results.model_copy(update={"dataset": "fashion-mnist", "seed": 1})
    folders = [Path("/runs/a"), Path("/runs/b")]
    assert distinct_names(seed, folders) == ["micro-cnn, seed 0", "micro-cnn, seed 1"]
    assert distinct_names([seed[0], other], folders) == ["micro-cnn on mnist", "micro-cnn on fashion-mnist"]
    assert distinct_names([seed[0], seed[0]], folders) == ["micro-cnn (a)", "micro-cnn (b)"]
    same_end = [Path("/runs/a/last"), Path("/runs/b/last")]
    assert distinct_names([seed[0], seed[0]], same_end) == ["micro-cnn (a/last)", "micro-cnn (b/last)"]
    edge = results.model_copy(update={"model": "edge-cnn"})
    assert distinct_names([seed[0], seed[0], edge], [*same_end, Path("/runs/c")])[2] == "edge-cnn"


def test_hostile_runs_side_by_side_stay_text(results: Results, tmp_path: Path):
    for name in ("a", "b"):
        results.model_copy(update={"model": HOSTILE + name, "dataset": HOSTILE}).save(tmp_path / name / "results.json")
    page = Page(compare_report([tmp_path / "a", tmp_path / "b"], tmp_path / "compare.html").read_text(encoding="utf-8"))
    assert_self_contained(page)
    assert "{{7*7}}$x^2$" in " ".join(page.text)


def test_a_run_that_is_larger_and_worse_is_called_beaten(results: Results, tmp_path: Path):
    folders = []
    for name, right, size in (("small", 9_900, 10_000), ("large", 9_500, 50_000)):
        artifact = results.artifacts[3].model_copy(update={"accuracy": wilson_interval(right, 10_000), "bytes": size})
        keras = results.keras.model_copy(update={"accuracy": artifact.accuracy})
        results.model_copy(update={"model": name, "artifacts": [artifact], "keras": keras}).save(tmp_path / name / "results.json")
        folders.append(tmp_path / name)
    (tmp_path / "large" / "history.csv").write_text("\n".join(HISTORY.splitlines()[:2]) + "\n")
    text = " ".join(" ".join(Page(compare_report(folders, tmp_path / "compare.html").read_text(encoding="utf-8")).text).split())
    assert text.count("Not ready: ") == 1
    assert "large is worse in both: another run's file is smaller and significantly more accurate." in text


def _better(artifact: ArtifactReport, gain: float) -> ArtifactReport:
    correct = round((artifact.accuracy.value - 0.1 + gain) * artifact.accuracy.n)
    return artifact.model_copy(update={"accuracy": wilson_interval(correct, artifact.accuracy.n)})


def test_comparing_what_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"results\.json"):
        compare_report([tmp_path], tmp_path / "compare.html")
    with pytest.raises(DataError, match="no run"):
        compare_report([], tmp_path / "compare.html")
    assert not (tmp_path / "compare.html").exists()


def test_axes_hold_what_they_show(results: Results):
    scale = accuracy_scale([results.keras.accuracy])
    assert 0 < float(scale.at(results.keras.accuracy.low)) < float(scale.at(results.keras.accuracy.high)) < 100
    cells = confusion_cells([[97, 3], [0, 50]])
    assert [[each.kind.split()[0] for each in row] for row in cells] == [["right", "wrong"], ["none", "right"]]
    assert 0 < float(cells[0][1].depth) < float(cells[0][0].depth) <= 1


def test_an_option_stays_whole_and_can_be_copied():
    assert tied("take <it> --to int8 -- now, --show-all") == (
        'take &lt;it&gt; <span class="option">--to</span> int8 -- now, <span class="option">--show-all</span>'
    )
    assert tied("95.4 %") == "95.4\N{NO-BREAK SPACE}%"
