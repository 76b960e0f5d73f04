"""The document ``results.json``: the contract with other programs, written and read here.

Keys are only ever added; a changed meaning raises the schema number. Every figure in the report, the README and the terminal
comes from it.
"""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from glyphlite.errors import DataError
from glyphlite.files.owned import write_owned
from glyphlite.files.untrusted import read_input
from glyphlite.records import (
    ArtifactReport,
    DefinitionReport,
    FailedReport,
    FirmwareReport,
    KerasReport,
    PretrainedReport,
    Record,
    TrainingReport,
    UnverifiedReport,
    VerifyReport,
    what_is_wrong,
)

SCHEMA = 1


class Results(Record):
    """One run of the pipeline, whole."""

    schema_version: int = Field(default=SCHEMA, alias="schema")
    """1; raised only if the meaning of a key changes."""
    glyphlite: str = ""
    """Version that wrote the document."""
    model: str
    """Name of the model."""
    dataset: str
    """Name or path of the dataset."""
    seed: int
    """Seed of the run."""
    labels: list[str] = Field(default_factory=list)
    """Class names, in the order of the outputs."""
    seconds: dict[str, float] = Field(default_factory=dict)
    """Wall-clock time per stage."""
    cpu_seconds: dict[str, float] = Field(default_factory=dict)
    """CPU time per stage, child processes included; if `seconds` grew and this did not, the machine was busy."""
    pretrained: PretrainedReport | None = None
    """Null unless the weights came with glyphlite."""
    definition: DefinitionReport | None = None
    """Null unless a model file (TOML) defines the model."""
    training: TrainingReport | None = None
    """Null unless the model was trained here."""
    keras: KerasReport
    """The float Keras model."""
    artifacts: list[ArtifactReport] = Field(default_factory=list)
    """The .tflite files."""
    unverified: list[UnverifiedReport] = Field(default_factory=list)
    """Files that no installed runtime executes."""
    failed: list[FailedReport] = Field(default_factory=list)
    """Variants that could not be written."""
    verify: list[VerifyReport] = Field(default_factory=list)
    """Comparisons of runtimes."""
    firmware: list[FirmwareReport] = Field(default_factory=list)
    """Generated C on emulated cores."""

    def document(self) -> dict[str, Any]:
        """Returns the plain JSON document, keys as in the contract."""
        return self.model_dump(mode="json", by_alias=True)

    def save(self, path: Path) -> Path:
        """Writes ``results.json`` atomically."""
        return write_owned(path, self.model_dump_json(by_alias=True, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Reads a ``results.json``.

        Raises:
            DataError: the file is missing or is not a results document of this schema.
        """
        content = read_input(path, "the results.json of a finished run")
        try:
            results = cls.model_validate_json(content)
        except ValidationError as error:
            raise DataError(
                f"{path} is not a results.json of schema {SCHEMA}: {what_is_wrong(error)}; name the folder of a finished run"
            ) from None
        if results.schema_version != SCHEMA:
            raise DataError(
                f"{path} is of schema {results.schema_version}, this glyphlite reads {SCHEMA}; use the glyphlite that wrote it"
            )
        return results
