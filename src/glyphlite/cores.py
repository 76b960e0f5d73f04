"""The cores that generated C is built for and emulated on: one record per core, from which every other list of cores is derived.

The command line's choices, the runtimes, the compilers' flags and the emulator's models all come from here: a new core is a new
record. Data; knows no compiler and no emulator.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """A core: what it is called, and how each tool is told to build for it and to emulate it.

    Attributes:
        name: on the command line and in results, such as ``cortex-m4``.
        title: for people.
        architecture: ``arm``, ``riscv`` or ``avr``.
        zig_target: the target triple of ``zig cc``; empty where it does not build for the core.
        zig_cpu: ``-mcpu`` of ``zig cc``.
        gnu_program: the GNU compiler that may build in its place.
        gnu_flags: what tells that compiler the core and the floating-point convention.
        dsp: the core has Arm's DSP extension (``__ARM_FEATURE_DSP``).
        unicorn_model: the name of unicorn's constant for the core; None where its architecture has no models.
        argument_registers: how many arguments of 32 bits a call passes in registers; the rest lie on the stack.
        optimize: the level that C is built with for the core, where nothing is said.
        packages: Debian's packages of compiler and emulator, where no wheel brings them.
        built_for: what holds in C's preprocessor where compilers use this core's instructions: of several cores that have the
            same ones, one has it.
    """

    name: str
    title: str
    architecture: str
    zig_target: str
    zig_cpu: str
    gnu_program: str
    gnu_flags: tuple[str, ...]
    dsp: bool = False
    unicorn_model: str | None = None
    argument_registers: int = 4
    optimize: str = "-O2"
    packages: str = ""
    built_for: str = ""

    @property
    def runtime(self) -> str:
        """Returns the name of the runtime that runs generated C on the core: ``cortex_m4``."""
        return self.name.replace("-", "_")


def _arm(
    number: int,
    zig_extension: str = "",
    gnu_extension: str = "",
    *,
    hard_float: bool = False,
    dsp: bool = False,
    built_for: str = "",
) -> Core:
    return Core(
        name=f"cortex-m{number}",
        title=f"Cortex-M{number}",
        architecture="arm",
        zig_target=f"thumb-freestanding-{'eabihf' if hard_float else 'eabi'}",
        zig_cpu=f"cortex_m{number}{zig_extension}",
        gnu_program="arm-none-eabi-gcc",
        gnu_flags=("-mthumb", f"-mcpu=cortex-m{number}{gnu_extension}", f"-mfloat-abi={'hard' if hard_float else 'soft'}"),
        dsp=dsp,
        unicorn_model=f"UC_CPU_ARM_CORTEX_M{number}",
        built_for=built_for,
    )


CORES = (
    _arm(0, built_for="defined(__ARM_ARCH_6M__)"),
    _arm(3, built_for="defined(__ARM_ARCH_7M__)"),
    _arm(4, "+vfp4d16sp", hard_float=True, dsp=True, built_for="defined(__ARM_ARCH_7EM__)"),
    _arm(7, "+fp_armv8d16sp", "+nofp.dp", hard_float=True, dsp=True),
    _arm(
        33,
        "+dsp+fp_armv8d16sp",
        hard_float=True,
        dsp=True,
        built_for="defined(__ARM_ARCH_8M_MAIN__) && defined(__ARM_FEATURE_DSP)",
    ),
    Core(
        name="rv32imc",
        title="RV32IMC",
        architecture="riscv",
        zig_target="riscv32-freestanding-none",
        zig_cpu="generic_rv32+m+c",
        gnu_program="riscv64-unknown-elf-gcc",
        gnu_flags=("-march=rv32imc", "-mabi=ilp32"),
        argument_registers=8,
        built_for="defined(__riscv) && __riscv_xlen == 32 && defined(__riscv_mul) && defined(__riscv_compressed)",
    ),
    # Sixteen registers and no multiplication: the smallest RISC-V there is.
    Core(
        name="rv32ec",
        title="RV32EC",
        architecture="riscv",
        zig_target="riscv32-freestanding-none",
        zig_cpu="generic_rv32+e+c",
        gnu_program="riscv64-unknown-elf-gcc",
        gnu_flags=("-march=rv32ec", "-mabi=ilp32e"),
        argument_registers=6,
        built_for="defined(__riscv_32e) && !defined(__riscv_mul) && defined(__riscv_compressed)",
    ),
    # One with all that small ones have and 128 KB of flash. Everybody builds with -Os for it, the Arduino IDE first.
    Core(
        name="avr",
        title="AVR (ATmega)",
        architecture="avr",
        zig_target="",
        zig_cpu="",
        gnu_program="avr-gcc",
        gnu_flags=("-mmcu=atmega1284p",),
        optimize="-Os",
        packages="gcc-avr avr-libc simavr",
        built_for="defined(__AVR__)",
    ),
)
"""Every core, the smallest Cortex-M first."""

CORE_NAMES = tuple(core.name for core in CORES)

QEMU_CORES = (
    Core(
        name="cortex-m55",
        title="Cortex-M55",
        architecture="arm",
        zig_target="thumb-freestanding-eabihf",
        zig_cpu="cortex_m55+mve+mve_fp",
        gnu_program="arm-none-eabi-gcc",
        gnu_flags=("-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"),
        dsp=True,
        built_for="defined(__ARM_ARCH_8_1M_MAIN__) && defined(__ARM_FEATURE_MVE)",
    ),
)
"""Cores that unicorn has not: an installed QEMU emulates them, for ``simulate`` alone."""

SIMULATED_CORES = (*CORES, *QEMU_CORES)

PREFERRED_CORE = "cortex-m4"
"""The core that is named first, and simulated where none is named."""


def core_title(name: str) -> str:
    """Returns a core's name for people: ``cortex-m4`` is ``Cortex-M4``; an unknown one is itself."""
    return next((core.title for core in SIMULATED_CORES if name in (core.name, core.runtime)), name)
