"""Label suspects: images whose label was changed are found by models that did not see them; few others are accused."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.datasets.survey import survey_arrays
from glyphlite.evaluation.data_check import suspects
from glyphlite.evaluation.data_check.check import check_survey
from glyphlite.evaluation.data_check.suspects import Judgement, judge_labels


def test_changed_labels_are_found(mnist: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(suspects, "REPEATS", 2)
    monkeypatch.setattr(suspects, "_SEEN", 8_000)
    few = np.isin(mnist.train.labels, (0, 1, 6))
    images, labels = mnist.train.images[few][:500], np.unique(mnist.train.labels[few], return_inverse=True)[1][:500]
    wrong = np.arange(0, 500, 25)
    labels[wrong] = (labels[wrong] + 1) % 3
    survey = survey_arrays("digits", ("0", "1", "6"), {"training": Split(images, labels)})
    check = check_survey(survey)
    found = [each.image.index for each in check.suspects]
    assert len(set(found) & set(wrong)) >= 12
    assert len(set(found) - set(wrong)) <= 4
    assert found[0] in wrong
    assert check.suspect_search is not None
    assert check.suspect_search.trainings == 6
    said = " ".join(capsys.readouterr().err.split())
    assert "label suspects: 6 trainings" in said
    assert "--no-suspects" in said


def test_only_what_all_models_contradict_surely_is_suspect() -> None:
    votes = np.array([[1, 1, 1, 0, 1], [1, 1, 0, 0, 1]])
    probabilities = np.array([[0.05, 0.95], [0.02, 0.98], [0.05, 0.95], [0.9, 0.1], [0.4, 0.6]], np.float32)
    judged = Judgement("net", votes, probabilities, 1.0)
    assert judged.suspects(np.array([0, 0, 0, 0, 0])).tolist() == [1, 0]
    assert judged.suspects(np.array([1, 1, 1, 0, 1])).tolist() == []


def test_every_image_is_answered_by_models_that_did_not_see_it() -> None:
    labels = np.repeat([0, 1, 2], [50, 7, 2])
    for rest, part in suspects._parts(labels, 0):
        assert not set(rest) & set(part)
        assert set(labels[rest]) == {0, 1, 2}
    assert np.sort(np.concatenate([part for _, part in suspects._parts(labels, 0)])).tolist() == list(range(59))


def test_too_few_images_are_not_judged(mnist: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    survey = survey_arrays("digits", mnist.labels, {"training": mnist.train.take(slice(20))})
    assert check_survey(survey).suspect_search is None
    assert "too few to judge labels by" in capsys.readouterr().err


def test_images_that_the_first_model_cannot_take_are_judged_by_another(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "REPEATS", 1)
    monkeypatch.setattr(suspects, "_SEEN", 100)
    monkeypatch.setattr(suspects, "_FEWEST_EPOCHS", 1)
    judged = judge_labels(mnist.train.images[:90, :12, :12], mnist.train.labels[:90], 10)
    assert judged.model == suspects.ELSEWHERE
    np.testing.assert_allclose(judged.probabilities.sum(axis=1), 1, rtol=1e-3)
