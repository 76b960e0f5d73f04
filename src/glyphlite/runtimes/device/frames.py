"""Frames of the serial protocol between a computer and a board: a type, data, a CRC, in the framing of SLIP.

Source: RFC 1055 (SLIP); the CRC is CRC-16/CCITT-FALSE. The board's side is ``link.c`` among the templates of
`glyphlite.export.library`. Pure functions of bytes.
"""

from binascii import crc_hqx
from dataclasses import dataclass

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
LARGEST = 1 << 24
"""Bytes without an end that are kept: no board has outputs that large."""
_CRC_START = 0xFFFF
_OVERHEAD = 3
"""Bytes of a frame beside its data: type and CRC."""


@dataclass(frozen=True)
class Frame:
    """One message: what it is, as a letter, and its data."""

    type: str
    data: bytes = b""


def encoded(frame: Frame) -> bytes:
    """Returns the bytes that go over the line, an end before and after."""
    content = frame.type.encode() + frame.data
    content += crc_hqx(content, _CRC_START).to_bytes(2, "big")
    escaped = content.replace(bytes([ESC]), bytes([ESC, ESC_ESC])).replace(bytes([END]), bytes([ESC, ESC_END]))
    return bytes([END]) + escaped + bytes([END])


def decoded(content: bytes) -> Frame | None:
    """Returns the frame between two ends; None where it is damaged or none at all."""
    plain = content.replace(bytes([ESC, ESC_END]), bytes([END])).replace(bytes([ESC, ESC_ESC]), bytes([ESC]))
    if len(plain) < _OVERHEAD or crc_hqx(plain[:-2], _CRC_START) != int.from_bytes(plain[-2:], "big"):
        return None
    return Frame(chr(plain[0]), plain[1:-2])


class FrameReader:
    """Bytes as they arrive, cut at the ends of frames.

    Attributes:
        rubbish: the latest bytes that were no frame, for a message; sixty at most.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self.rubbish = b""

    def take(self, arrived: bytes) -> list[Frame]:
        """Returns the sound frames that end within newly arrived bytes."""
        whole: list[bytes] = []
        for number, part in enumerate(arrived.split(bytes([END]))):  # only what is new is looked through
            if number:
                whole.append(bytes(self._rest))
                self._rest.clear()
            self._rest += part
        if len(self._rest) > LARGEST:
            self.rubbish = bytes(self._rest[-60:])
            self._rest.clear()
        frames: list[Frame] = []
        for content in filter(None, whole):
            frame = decoded(content)
            if frame is None:
                self.rubbish = content[-60:]
            else:
                frames.append(frame)
        return frames

    @property
    def seen(self) -> bytes:
        """Returns the latest bytes that were part of no frame."""
        return bytes(self._rest[-60:]) or self.rubbish
