"""Where a core's instructions go: the same layer looks the same on every core."""

from glyphlite.records import FirmwareReport, LayerReport
from glyphlite.report.findings.emulated_cores import layer_shares


def core(cpu: str, **instructions: int) -> FirmwareReport:
    layers = [LayerReport(name=name, op="CONV_2D", macs=1, instructions=count) for name, count in instructions.items()]
    total = sum(instructions.values())
    return FirmwareReport(
        cpu=cpu,
        instructions=total,
        instructions_per_mac=1.0,
        code_bytes=1,
        constant_bytes=1,
        arena_bytes=1,
        stack_bytes=1,
        layers=layers,
    )


def test_a_layer_has_one_colour_on_all_cores_though_its_rank_differs():
    shares = layer_shares([core("cortex-m4", a=10, b=70, c=15, d=3, e=2), core("cortex-m0", a=20, b=70, c=5, d=3, e=2)])
    colours = {cpu: {each.name: each.colour for each in layers} for cpu, layers in shares.items()}
    assert colours["cortex-m4"] == colours["cortex-m0"]
    assert colours["cortex-m4"] == {"b": 0, "a": 1, "c": 2, "d": 3, "e": 3}
    assert [each.name for each in shares["cortex-m0"] if each.is_large] == ["a", "b", "c"]
    assert [each.share for each in shares["cortex-m4"]] == [0.1, 0.7, 0.15, 0.03, 0.02]


def test_cores_without_counted_layers_are_left_out():
    assert layer_shares([core("cortex-m4")]) == {}
