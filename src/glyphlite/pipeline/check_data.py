"""``glyphlite data check``: a dataset looked through before it is trained on, and a page of what was found."""

from pathlib import Path

from glyphlite.datasets.registry import survey_dataset
from glyphlite.errors import ToolError
from glyphlite.escaping import visible
from glyphlite.evaluation.data_check.check import check_survey
from glyphlite.evaluation.data_check.records import DataCheck
from glyphlite.extras import require_extra
from glyphlite.files.named import require_own_file
from glyphlite.files.single import write_text
from glyphlite.report.html.data_page import render_data_check


def check_data(
    dataset: str,
    *,
    data_dir: Path | None = None,
    out: Path | None = None,
    size: tuple[int, int] | None = None,
    suspects: bool = True,
    group_by: str | None = None,
) -> tuple[DataCheck, Path]:
    """Checks a dataset and writes the page of what was found; returns the record and the page's path.

    Args:
        dataset: a name, a file or a folder.
        data_dir: where it lies, if the user says so.
        out: the page; by default ``data-check-NAME.html`` in the current folder.
        size: rows and columns that pictures are brought to, 28 and 28 by default.
        suspects: whether models are trained to judge the labels.
        group_by: how the images' groups are told, if they are to be checked.

    Raises:
        DataError: there is no such dataset, or nothing in it can be read.
        ModelError: no model can be trained on such images.
        OutputError: the page cannot be written, or a file that is not ours is in its place.
        ToolError: labels are to be judged, and the extra ``train`` is not installed.
    """
    if suspects:
        try:
            require_extra("train", "judging labels")
        except ToolError as error:
            raise ToolError(f"{error}; or leave label suspects out with --no-suspects") from None
    if out is not None:
        require_own_file(out, "--out")
    survey = survey_dataset(dataset, data_dir=data_dir, size=size or (28, 28), group_by=group_by)
    page = out or require_own_file(Path(f"data-check-{survey.name}.html"), "--out")
    check = check_survey(survey, suspects=suspects)
    write_text(page, visible(render_data_check(check, survey.images, survey.numbers), keep="\n\t"))
    return check, page
