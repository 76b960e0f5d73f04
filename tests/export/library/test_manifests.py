"""The manifests of the exported library, each read by its toolchain's own validator or against its published schema."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.exported import run
from support.published import LINT, NotReachableError, published
from support.validators import NoValidatorsError, validators

PLATFORMIO = """
import sys
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema
for name in ("library.json", "library.properties"):
    manifest = ManifestSchema().load_manifest(ManifestParserFactory.new_from_file(f"{sys.argv[1]}/{name}").as_dict())
    print(manifest["name"], manifest["version"])
"""

KCONFIG = """
import pathlib, sys, kconfiglib
library = pathlib.Path(sys.argv[1])
top = pathlib.Path(sys.argv[2]) / "Kconfig"
top.write_text(f'config PRINTK\\n\\tbool "printk"\\nsource "{library}/zephyr/Kconfig"\\n')
kconfig = kconfiglib.Kconfig(str(top), warn_to_stderr=False)
kconfig.load_config(str(library / "examples/zephyr/prj.conf"))
print(kconfig.syms["DIGITS"].str_value, kconfig.warnings)
"""

PACK = """
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
schema.assertValid(etree.parse(sys.argv[2]))
print("valid")
"""

ARDUINO = """
import json, sys
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
schemas = [json.load(open(path)) for path in sys.argv[2:]]
registry = Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in schemas])
lines = [line for line in open(sys.argv[1]).read().splitlines() if "=" in line and not line.startswith("#")]
validator = Draft7Validator(schemas[-1], registry=registry, format_checker=FormatChecker())
validator.validate(dict(line.split("=", 1) for line in lines))
print("valid")
"""


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return validators()
    except NoValidatorsError as error:
        pytest.skip(str(error))


def schema(place: str) -> Path:
    try:
        return published(place)
    except NotReachableError as error:
        pytest.skip(str(error))


def test_platformio_and_esp_idf_take_theirs(library: Path, tmp_path: Path, python: Path) -> None:
    assert run(python, "-c", PLATFORMIO, library).split() == ["digits", "0.2.0"] * 2
    run(python.parent / "compote", "component", "pack", "--name", "digits", "--dest-dir", tmp_path / "packed", cwd=library)
    assert list((tmp_path / "packed").glob("digits_*.tgz"))


def test_zephyrs_kconfig_is_parsed_and_its_example_turns_the_model_on(library: Path, tmp_path: Path, python: Path) -> None:
    assert run(python, "-c", KCONFIG, library, tmp_path) == "y []\n"


def test_the_packs_description_is_valid_by_its_published_schema(library: Path, python: Path) -> None:
    place = schema("Open-CMSIS-Pack/Open-CMSIS-Pack-Spec/v1.7.7/schema/PACK.xsd")
    assert run(python, "-c", PACK, place, library / "glyphlite.digits.pdsc") == "valid\n"


def test_arduinos_properties_are_valid_by_the_strict_schema_of_arduino_lint(library: Path, python: Path) -> None:
    names = ("general-definitions", "arduino-library-properties-definitions", "arduino-library-properties-strict")
    places = [schema(f"{LINT}/{name}-schema.json") for name in names]
    assert run(python, "-c", ARDUINO, library / "library.properties", *places) == "valid\n"


def test_they_name_files_that_are_there(library: Path) -> None:
    pack = ET.fromstring((library / "glyphlite.digits.pdsc").read_text())
    listed = [file.attrib["name"] for file in pack.iter("file")]
    assert all((library / name).exists() for name in listed)
    assert len(listed) == 8
    module = (library / "zephyr" / "module.yml").read_text()
    assert module == "name: digits\nbuild:\n  cmake: zephyr\n  kconfig: zephyr/Kconfig\n"
    assert "digits.c" in (library / "zephyr" / "CMakeLists.txt").read_text()
    manifest = json.loads((library / "library.json").read_text())
    assert manifest["headers"] == "digits.h"
    for example in manifest["examples"]:
        assert all((library / example["base"] / file).is_file() for file in example["files"])
