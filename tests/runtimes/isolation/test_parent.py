"""Files that crash, hang or eat memory: each one an ArtifactError with its reason, and the worker is ready for the next."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from support import hostile

from glyphlite.errors import ArtifactError, ToolError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.verification.agreement import _refusals
from glyphlite.evaluation.verification.same_answers import same_answers
from glyphlite.runtimes.base import Acceptance, LoadedModel, Runtime
from glyphlite.runtimes.isolation import parent
from glyphlite.runtimes.isolation.parent import Worker
from glyphlite.runtimes.registry import INTERPRETERS, acceptance_of, accepts, get_runtime
from glyphlite.tflite.reader import read_graph


@pytest.fixture(scope="module")
def good(samples: Path) -> bytes:
    return (samples / "model_int8.tflite").read_bytes()


def test_a_crash_is_a_reason_and_the_worker_goes_on(good: bytes, samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "crashing.tflite"
    path.write_bytes(hostile.crashing(good))
    with Worker() as worker:
        for _ in range(3):
            acceptance = _accepted(worker, "tflm", path)
            assert not acceptance.accepts
            assert "crashes the runtime (segmentation fault)" in str(acceptance.reason)
            assert _accepted(worker, "tflm", samples / "model_int8.tflite").accepts
        with pytest.raises(ArtifactError, match=r"crashing.tflite: tflm refuses it: it crashes"):
            worker.load("tflm", path)


@pytest.mark.slow
def test_an_endless_loop_is_stopped(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "endless.tflite"
    path.write_bytes(hostile.endless())
    with Worker(cpu_s=0.5) as worker:
        started = time.process_time()
        acceptance = _accepted(worker, "litert_builtin", path)
        assert not acceptance.accepts
        assert acceptance.reason == "it was still computing after 0.5 s and was stopped"
        assert time.process_time() - started < 0.5
        assert _accepted(worker, "litert_builtin", samples / "model_int8.tflite").accepts


def test_a_busy_machine_is_no_reason_to_refuse_a_file(samples: Path) -> None:
    """A child that gets no processor for 25 times its CPU time is waited for."""
    with Worker(cpu_s=0.1) as worker:
        model = worker.load("litert", samples / "model_int8.tflite")
        process = worker._process
        assert process is not None
        os.killpg(process.pid, signal.SIGSTOP)
        threading.Timer(2.5, os.killpg, (process.pid, signal.SIGCONT)).start()
        assert model.predict(np.zeros((1, *model.input.shape), model.input.dtype)).shape == (1, 10)


def test_a_child_that_sleeps_for_ever_is_stopped(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Worker() as worker:
        model = worker.load("litert", samples / "model_int8.tflite")
        process = worker._process
        assert process is not None
        os.killpg(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(parent, "SILENT_SECONDS", 0.2)
        with pytest.raises(ArtifactError, match=r"did not finish within 0\.2 s and was stopped"):
            model.predict(np.zeros((1, *model.input.shape), model.input.dtype))
        assert process.poll() is not None


@pytest.mark.parametrize("gone", [False, True])
def test_a_worker_killed_from_outside_starts_again(samples: Path, gone: bool) -> None:
    """Whether it is still dying when it is asked, or dead already."""
    with Worker() as worker:
        model = worker.load("litert", samples / "model_int8.tflite")
        blank = np.zeros((1, *model.input.shape), model.input.dtype)
        expected = model.predict(blank)
        process = worker._process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        if gone:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ArtifactError, match=r"model_int8.tflite: litert refuses it: it crashes the child process"):
            model.predict(blank)
        with pytest.raises(ArtifactError, match="no longer loaded"):
            model.predict(blank)
        np.testing.assert_array_equal(worker.load("litert", samples / "model_int8.tflite").predict(blank), expected)


def test_a_second_model_takes_the_place_of_the_first(samples: Path) -> None:
    with Worker() as worker:
        first = worker.load("litert", samples / "model_int8.tflite")
        second = worker.load("litert", samples / "model_float32.tflite")
        assert second.input.dtype == np.float32
        second.predict(np.zeros((1, *second.input.shape), np.float32))
        with pytest.raises(ArtifactError, match="no longer loaded"):
            first.predict(np.zeros((1, *first.input.shape), np.int8))


def test_several_models_at_once(samples: Path) -> None:
    with (
        get_runtime("tflm").load(samples / "model_int8.tflite") as one,
        get_runtime("litert").load(samples / "model_int8.tflite") as two,
        get_runtime("litert").load(samples / "model_float32.tflite") as three,
    ):
        for model in (one, two, three, one):
            assert model.predict(np.zeros((2, *model.input.shape), model.input.dtype)).shape == (2, 10)


@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_files_that_are_no_models(runtime: str, good: bytes, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name, content in {
        "random": generator.bytes(5000),
        "random behind the mark": b"\x18\0\0\0TFL3" + generator.bytes(5000),
        "empty": b"",
        "mark alone": b"\x08\0\0\0TFL3",
        "half": good[: len(good) // 2],
    }.items():
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        acceptance = accepts(runtime, path)
        assert not acceptance.accepts, name
        assert acceptance.reason
        assert "\n" not in acceptance.reason
    for path, words in ((tmp_path / "absent.tflite", "cannot read"), (tmp_path, "is a folder; expected a .tflite file")):
        assert words in str(accepts(runtime, path).reason)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", INTERPRETERS)
def test_mutated_files_are_run_or_refused(runtime: str, good: bytes, samples: Path, tmp_path: Path) -> None:
    path, accepted = tmp_path / "mutated.tflite", 0
    with Worker() as worker:
        for seed in range(45):
            path.write_bytes(hostile.mutated(good, seed))
            acceptance = _accepted(worker, runtime, path)
            assert acceptance.accepts or acceptance.reason
            accepted += acceptance.accepts
        assert _accepted(worker, runtime, samples / "model_int8.tflite").accepts
    assert 0 < accepted < 45


def _accepted(worker: Worker, name: str, path: Path) -> Acceptance:
    """Whether a runtime takes a file in this worker."""

    class InWorker(Runtime):
        """That runtime, in the worker."""

        def load(self, artifact: Path) -> LoadedModel:
            return worker.load(name, artifact)

    runtime = InWorker()
    runtime.name = name
    return acceptance_of(runtime, path)


def test_the_child_does_not_outlive_its_worker(samples: Path) -> None:
    worker = Worker()
    worker.load("litert", samples / "model_int8.tflite")
    process = worker._process
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    worker.close()
    assert process.returncode == -signal.SIGKILL
    assert len(children) == 1
    deadline = time.monotonic() + 10
    while _alive(children[0]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(children[0])


def test_a_child_that_is_late_is_told_from_one_that_fails(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "START_SECONDS", 0.001)
    with (
        Worker() as worker,
        pytest.raises(ToolError, match=r"does not start: it was not ready after 0.001 s; is the machine busy"),
    ):
        worker.load("litert", samples / "model_int8.tflite")


def test_a_child_that_does_not_start_says_nothing_of_the_file(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "START_SECONDS", 0.001)
    monkeypatch.setattr(parent, "_pool", parent._Pool)
    with pytest.raises(ToolError, match="does not start"):
        accepts("litert", samples / "model_int8.tflite")
    refused: dict[str, str] = {}
    with pytest.raises(ToolError, match="does not start"), _refusals("litert", refused):
        get_runtime("litert").load(samples / "model_int8.tflite")
    assert refused == {}
    file = samples / "model_int8.tflite"
    with pytest.raises(ToolError, match="does not start"):
        same_answers(file, file, random_set(inputs_of(read_graph(file)), 1))


def _alive(pid: str) -> bool:
    """Whether a process still runs; one that has ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
