"""The boards and chips that people use: one record per board, with what its datasheet says.

Data; knows no compiler. Flash and RAM are what a program may use: a bootloader's part is taken off, and RAM is the largest block
that is in one piece, since an arena is. A board whose core no tool of ours builds for is listed all the same, and says so.
Beside the datasheet, each source names a toolchain's file that says the same; they were compared in November 2026.
"""

from dataclasses import dataclass

from glyphlite.errors import ToolError, did_you_mean

KIB = 1024


@dataclass(frozen=True)
class Board:
    """A board or chip.

    Attributes:
        name: on the command line and in results.
        title: for people.
        chip: the microcontroller.
        core: what its maker calls the core.
        cpu: the record in ``cores.CORES`` whose code runs on it; None where there is none.
        mhz: the clock at most, in MHz.
        flash_bytes: of flash that a program may use.
        ram_bytes: of RAM in one piece.
        family: the toolchain that its users have.
        source: the datasheet, or the file of the board's own package, that the figures are from.
        constants_in_ram: its toolchain puts a program's constants into RAM as well as into flash.
    """

    name: str
    title: str
    chip: str
    core: str
    cpu: str | None
    mhz: int
    flash_bytes: int
    ram_bytes: int
    family: str
    source: str
    constants_in_ram: bool = False

    @property
    def emulated_cpu(self) -> str:
        """Returns the core that is emulated in place of its own.

        Raises:
            ToolError: there is none.
        """
        if self.cpu is None:
            raise ToolError(
                f"nothing here runs the {self.core} of {self.name}: glyphlite fits MODEL --board {self.name} says what is known "
                "of it, glyphlite boards lists the others"
            )
        return self.cpu


_CPUS = {
    "Cortex-M0": "cortex-m0",
    "Cortex-M0+": "cortex-m0",  # Armv6-M, as the Cortex-M0
    "Cortex-M3": "cortex-m3",
    "Cortex-M4F": "cortex-m4",
    "Cortex-M7": "cortex-m7",
    "Cortex-M33": "cortex-m33",
    "Cortex-M55": "cortex-m55",
    "RV32IMC": "rv32imc",
    "RV32IMAC": "rv32imc",
    "RV32EC": "rv32ec",
    "AVR": "avr",
}
"""The emulated core whose code runs on a maker's core."""


def _board(
    name: str,
    title: str,
    chip: str,
    core: str,
    mhz: int,
    flash_kib: float,
    ram_kib: float,
    family: str,
    source: str,
    *,
    constants_in_ram: bool = False,
) -> Board:
    """Returns a board with the emulated core that stands for its own, if there is one."""
    flash_bytes, ram_bytes = int(flash_kib * KIB), int(ram_kib * KIB)
    return Board(name, title, chip, core, _CPUS.get(core), mhz, flash_bytes, ram_bytes, family, source, constants_in_ram)


BOARDS = (
    _board(
        *("arduino-uno", "Arduino Uno R3", "ATmega328P", "AVR", 16, 31.5, 2, "Arduino"),
        "Microchip DS40002061B; arduino:avr boards.txt; PlatformIO atmelavr, boards/uno.json",
    ),
    _board(
        *("arduino-nano", "Arduino Nano", "ATmega328P", "AVR", 16, 30, 2, "Arduino"),
        "Microchip DS40002061B; arduino:avr boards.txt; PlatformIO atmelavr, boards/nanoatmega328.json",
    ),
    _board(
        *("arduino-mega", "Arduino Mega 2560", "ATmega2560", "AVR", 16, 248, 8, "Arduino"),
        "Microchip DS40002211A; arduino:avr boards.txt; PlatformIO atmelavr, boards/megaatmega2560.json",
    ),
    _board(
        *("microbit-v1", "BBC micro:bit v1", "nRF51822", "Cortex-M0", 16, 256, 16, "CMake"),
        "Nordic nRF51822 Product Specification v3.4; PlatformIO nordicnrf51, boards/bbcmicrobit.json",
    ),
    _board(
        *("nucleo-f030r8", "Nucleo-F030R8", "STM32F030R8", "Cortex-M0", 48, 64, 8, "STM32Cube"),
        "ST DS9773; PlatformIO ststm32, boards/nucleo_f030r8.json",
    ),
    _board(
        *("nucleo-f072rb", "Nucleo-F072RB", "STM32F072RB", "Cortex-M0", 48, 128, 16, "STM32Cube"),
        "ST DS9826; PlatformIO ststm32, boards/nucleo_f072rb.json",
    ),
    _board(
        *("nucleo-g071rb", "Nucleo-G071RB", "STM32G071RB", "Cortex-M0+", 64, 128, 36, "STM32Cube"),
        "ST DS12232; PlatformIO ststm32, boards/nucleo_g071rb.json",
    ),
    _board(
        *("arduino-zero", "Arduino Zero", "SAMD21G18A", "Cortex-M0+", 48, 248, 32, "Arduino"),
        "Microchip DS40001882; the bootloader takes 8 KB (ArduinoCore-samd, flash_with_bootloader.ld)",
    ),
    _board(
        *("pico", "Raspberry Pi Pico", "RP2040", "Cortex-M0+", 133, 2048, 264, "Pico SDK"),
        "RP2040 datasheet; 2 MB W25Q16JV; PlatformIO raspberrypi, boards/pico.json",
    ),
    _board(
        *("blue-pill", "Blue Pill", "STM32F103C8", "Cortex-M3", 72, 64, 20, "STM32Cube"),
        "ST DS5319; PlatformIO ststm32, boards/bluepill_f103c8.json",
    ),
    _board(
        *("microbit-v2", "BBC micro:bit v2", "nRF52833", "Cortex-M4F", 64, 512, 128, "CMake"),
        "Nordic nRF52833 PS v1.6; PlatformIO nordicnrf52, boards/bbcmicrobit_v2.json",
    ),
    _board(
        *("arduino-nano-33-ble", "Arduino Nano 33 BLE Sense", "nRF52840", "Cortex-M4F", 64, 960, 256, "Arduino"),
        "Nordic nRF52840 PS v1.7; PlatformIO nordicnrf52, boards/nano33ble.json",
    ),
    _board(
        *("arduino-uno-r4", "Arduino Uno R4", "RA4M1", "Cortex-M4F", 48, 256, 32, "Arduino"),
        "Renesas R01DS0355; PlatformIO renesas-ra, boards/uno_r4_minima.json",
    ),
    _board(
        *("nucleo-f401re", "Nucleo-F401RE", "STM32F401RE", "Cortex-M4F", 84, 512, 96, "STM32Cube"),
        "ST DS10086; PlatformIO ststm32, boards/nucleo_f401re.json",
    ),
    _board(
        *("nucleo-f446re", "Nucleo-F446RE", "STM32F446RE", "Cortex-M4F", 180, 512, 128, "STM32Cube"),
        "ST DS10693; PlatformIO ststm32, boards/nucleo_f446re.json",
    ),
    _board(
        *("nucleo-l476rg", "Nucleo-L476RG", "STM32L476RG", "Cortex-M4F", 80, 1024, 96, "STM32Cube"),
        "ST DS10198; 96 KB SRAM1 beside 32 KB SRAM2; PlatformIO ststm32, boards/nucleo_l476rg.json",
    ),
    _board(
        *("sparkfun-edge", "SparkFun Edge", "Apollo3 Blue", "Cortex-M4F", 48, 976, 384, "CMake"),
        "Ambiq Apollo3 Blue datasheet v1.0; 96 MHz in bursts; Ambiq's neuralSPOT, apollo3/gcc/linker_script.ld",
    ),
    _board(
        *("apollo4", "Apollo4 EVB", "Apollo4", "Cortex-M4F", 192, 1952, 1024, "CMake"),
        "Ambiq Apollo4 SoC datasheet; 1 MB shared SRAM beside 384 KB TCM; Ambiq's neuralSPOT, apollo4l/gcc/linker_script.ld",
    ),
    _board(
        *("nucleo-h743zi", "Nucleo-H743ZI", "STM32H743ZI", "Cortex-M7", 480, 2048, 512, "STM32Cube"),
        "ST DS12110; 512 KB AXI SRAM, 480 MHz from revision V; PlatformIO ststm32, boards/nucleo_h743zi.json",
    ),
    _board(
        *("portenta-h7", "Arduino Portenta H7", "STM32H747XI", "Cortex-M7", 480, 768, 523_624 / KIB, "Arduino"),
        "ST DS12930; 768 KB of flash for the M7, AXI SRAM; PlatformIO ststm32, boards/portenta_h7_m7.json",
    ),
    _board(
        *("teensy-4.1", "Teensy 4.1", "i.MX RT1062", "Cortex-M7", 600, 7936, 512, "Arduino"),
        "NXP IMXRT1060CEC; 512 KB OCRAM beside 512 KB TCM; PlatformIO teensy, boards/teensy41.json",
    ),
    _board(
        *("pico-2", "Raspberry Pi Pico 2", "RP2350", "Cortex-M33", 150, 4096, 520, "Pico SDK"),
        "RP2350 datasheet; 4 MB W25Q32; Raspberry Pi's pico-sdk, boards/pico2.h and memmap_default.ld",
    ),
    _board(
        *("nrf5340-dk", "nRF5340 DK", "nRF5340", "Cortex-M33", 128, 1024, 512, "Zephyr"),
        "Nordic nRF5340 PS v1.3.1; the application core; Zephyr, dts/arm/nordic/nrf5340_cpuapp_qkaa.dtsi",
    ),
    _board(
        *("nucleo-u575zi", "Nucleo-U575ZI-Q", "STM32U575ZI", "Cortex-M33", 160, 2048, 768, "STM32Cube"),
        "ST DS13737; 768 KB SRAM1 to SRAM3 in one piece; PlatformIO ststm32, boards/nucleo_u575zi_q.json",
    ),
    _board(
        *("corstone-300", "Corstone-300 (MPS3 AN547)", "SSE-300", "Cortex-M55", 32, 512, 512, "CMSIS"),
        "Arm DAI0547; 512 KB ITCM for code, 512 KB DTCM; Zephyr, boards/arm/mps3/mps3_corstone300_an547.dts",
    ),
    _board(
        *("esp32-c3", "ESP32-C3-DevKitM-1", "ESP32-C3", "RV32IMC", 160, 4096, 320, "ESP-IDF"),
        "Espressif ESP32-C3 datasheet v1.4; 320 KB of RAM for programs; PlatformIO espressif32, boards/esp32-c3-devkitm-1.json",
    ),
    _board(
        *("ch32v203", "CH32V203C8T6", "CH32V203C8", "RV32IMAC", 144, 64, 20, "CMake"),
        "WCH CH32V203DS0; PlatformIO ch32v, boards/genericCH32V203C8T6.json",
    ),
    _board(
        *("longan-nano", "Longan Nano (GD32VF103CB)", "GD32VF103CB", "RV32IMAC", 108, 128, 32, "CMake"),
        "GigaDevice GD32VF103 datasheet rev 1.4; PlatformIO gd32v, boards/sipeed-longan-nano.json",
    ),
    _board(
        *("ch32v003", "CH32V003F4P6", "CH32V003", "RV32EC", 48, 16, 2, "CMake"),
        "WCH CH32V003DS0; PlatformIO ch32v, boards/genericCH32V003F4P6.json",
    ),
    _board(
        *("esp32", "ESP32-DevKitC", "ESP32", "Xtensa LX6", 240, 4096, 320, "ESP-IDF"),
        "Espressif ESP32 datasheet v4.3; 4 MB module, 320 KB DRAM; PlatformIO espressif32, boards/esp32dev.json",
    ),
    _board(
        *("esp32-s3", "ESP32-S3-DevKitC-1", "ESP32-S3", "Xtensa LX7", 240, 8192, 320, "ESP-IDF"),
        "Espressif ESP32-S3 datasheet v1.8; 320 KB of RAM for programs; PlatformIO espressif32, boards/esp32-s3-devkitc-1.json",
    ),
    _board(
        *("esp8266", "NodeMCU (ESP8266)", "ESP8266EX", "Xtensa L106", 80, 4096, 80, "Arduino"),
        "Espressif ESP8266EX datasheet v6.8; 4 MB module, 80 KB user data RAM; PlatformIO espressif8266, boards/nodemcuv2.json",
        constants_in_ram=True,  # .rodata is linked into dram0 (its Arduino core's eagle.app.v6.common.ld)
    ),
)
"""Every board, by core."""

BOARD_NAMES = tuple(board.name for board in BOARDS)


def board_named(name: str) -> Board:
    """Returns the board of that name.

    Raises:
        ToolError: there is none; the message lists those there are.
    """
    for board in BOARDS:
        if board.name == name.lower():
            return board
    raise ToolError(f"there is no board {name!r}{did_you_mean(name, BOARD_NAMES)}; glyphlite boards lists them")
