"""Section 4, pictures as people take them: desks, school paper, several glyphs, formats of phones and scanners.

The pretrained model that `predict` takes by itself reads them. A picture counts as right, doubted (refused, or called doubtful or
blank), or wrong and believed, which is what must not happen.
"""

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .drawings import DESKS, photographed, ruled, sheet, with_desk, write_digit
from .harness import Desk, Done, Measured, NotMeasuredError, all_right, row

SECTION = "pictures"


def predictions(done: Done) -> list[dict[str, Any]]:
    """The answers that ``predict --json`` printed, whatever its exit code (2 where a picture could not be read).

    Raises:
        NotMeasuredError: standard output holds no JSON.
    """
    import json

    try:
        document = json.loads(done.out)
    except ValueError:
        raise NotMeasuredError(f"no answers, exit code {done.code}: {done.last_line}") from None
    entries = document["predictions"] if isinstance(document, dict) else document
    return [each for each in entries if each.get("label") is not None]


def judged(desk: Desk, pictures: list[tuple[str, Any]], *, right_at_least: int) -> Measured:
    """Right, doubted or wrong: each picture by itself, since one that is called blank may end the command."""
    counts: Counter[str] = Counter()
    believed = []
    for number, (digit, picture) in enumerate(pictures):
        path = desk.folder / f"photo{number}.jpg"
        picture.save(path, quality=90)
        answers = predictions(desk.glyphlite("predict", path, "--json"))
        if not answers:
            counts["called blank or unreadable"] += 1
            continue
        answer = answers[0]
        state = "doubted" if answer["doubt"] or answer["refused"] else "right" if answer["label"] == digit else "wrong"
        counts[state] += 1
        if state == "wrong":
            believed.append(f"{digit} as {answer['label']}")
    words = ", ".join(f"{count} {state}" for state, count in counts.items())
    if believed:
        words += f" ({', '.join(believed)})"
    good = counts["wrong"] == 0 and counts["right"] >= right_at_least and counts["called blank or unreadable"] == 0
    return Measured(f"{words} of {len(pictures)}", good)


def _enter_desk(kind: str, colour: str, sides: str, rim: int, small: bool) -> None:
    where = {"lrtb": "on all sides"}.get(
        sides, "at " + " and ".join({"l": "left", "r": "right", "t": "top", "b": "bottom"}[s] for s in sides)
    )
    expected = "none wrong, none called blank; at least 2 of 3 right"

    @row(SECTION, f"desk-{kind}", f"a sheet on a {colour} desk seen {where}, digits 3, 5, 7", expected, small=small)
    def measure(desk: Desk) -> Measured:
        pictures = []
        for number, digit in enumerate("357"):
            picture, draw = sheet()
            with_desk(draw, DESKS[colour], sides, rim)
            write_digit(draw, digit, 340, 215)
            pictures.append((digit, photographed(picture, number, shade=0.15)))
        return judged(desk, pictures, right_at_least=2)


for _kind, _colour, _sides, _rim, _small in (
    ("dark-left", "dark", "l", 180, True),
    ("dark-right", "dark", "r", 150, False),
    ("dark-top", "dark", "t", 130, False),
    ("dark-bottom", "dark", "b", 110, False),
    ("dark-corner", "dark", "lb", 140, False),
    ("dark-around", "dark", "lrtb", 60, True),
    ("dark-narrow", "dark", "lrtb", 12, False),
    ("grey-around", "grey", "lrtb", 90, False),
    ("grey-two-sides", "grey", "lt", 120, False),
    ("wood-around", "wood", "lrtb", 110, True),
    ("wood-right", "wood", "r", 200, False),
    ("light-around", "light", "lrtb", 100, False),
    ("white-around", "white", "lrtb", 80, False),
):
    _enter_desk(_kind, _colour, _sides, _rim, _small)


@row(
    SECTION,
    "desk-turned",
    "a sheet turned by 8 degrees on a dark desk, digits 2, 4, 5",
    "none wrong, none called blank; 2 of 3 right",
)
def desk_turned(desk: Desk) -> Measured:
    pictures = []
    for number, digit in enumerate("245"):
        picture, draw = sheet(640, 520)
        write_digit(draw, digit, 200, 130)
        ground, _ = sheet(900, 700, DESKS["dark"])
        turned = picture.convert("RGBA").rotate(8, expand=True)
        ground.paste(turned, (90, 40), turned)
        pictures.append((digit, photographed(ground, number)))
    return judged(desk, pictures, right_at_least=2)


def _enter_paper(kind: str, example: str, small: bool) -> None:
    @row(
        SECTION,
        f"paper-{kind}",
        f"{example}, digits 0 to 5 and 7",
        "none wrong, none called blank; at least 4 of 7 right",
        small=small,
    )
    def measure(desk: Desk) -> Measured:
        pictures = []
        for number, digit in enumerate("0123457"):
            picture, draw = sheet()
            ruled(draw, kind)
            write_digit(draw, digit, 335, 225)
            pictures.append((digit, photographed(picture, 40 + number, shade=0.1)))
        return judged(desk, pictures, right_at_least=4)


for _kind, _example, _small in (
    ("ruled", "ruled school paper", False),
    ("margin", "ruled paper with a margin line in sight", False),
    ("squared", "squared paper", True),
    ("boxed", "a printed box around the digit", True),
    ("form", "a form's row of boxes, the digit in the middle one", False),
    ("plain", "plain paper", False),
):
    _enter_paper(_kind, _example, _small)


# --- several glyphs ----------------------------------------------------------------------------------------------------------


def number_picture(number: str, *, gap: int = 230) -> Any:
    """A number of several digits on one line."""
    picture, draw = sheet(120 + gap * len(number), 400, (240, 238, 232))
    for place, digit in enumerate(number):
        write_digit(draw, digit, 40 + gap * place, 70)
    return photographed(picture, len(number))


def _enter_number(number: str, small: bool) -> None:
    expected = f"predict says {len(number)} glyphs and --all; --all reads {' '.join(number)}"

    @row(SECTION, f"number-{number}", f"the number {number}", expected, small=small)
    def measure(desk: Desk) -> Measured:
        path = desk.folder / "number.png"
        number_picture(number).save(path)
        one = desk.glyphlite("predict", path)
        every = desk.glyphlite("predict", path, "--all", "--json")
        words = desk.glyphlite("predict", path, "--all")
        read = "".join(each["label"] for each in predictions(every))
        return all_right(
            [
                (f"{len(number)} glyphs said", one.says(rf"\b{len(number)} glyphs") and one.says("--all")),
                (f"--all reads {read}", read == number),
                ("a reading line", words.says(r"reads:? *" + r"\?? ".join(number))),
            ]
        )


for _number, _small in (("35", False), ("17", True), ("402", True), ("2024", False)):
    _enter_number(_number, _small)


@row(SECTION, "two-lines", "the numbers 31 and 42 below each other", "--all reads 3 1 4 2 in this order")
def two_lines(desk: Desk) -> Measured:
    from PIL import Image

    upper, lower = number_picture("31"), number_picture("42")
    both = Image.new("RGB", (upper.width, 800), (240, 238, 232))
    both.paste(upper, (0, 0))
    both.paste(lower, (0, 400))
    both.save(desk.folder / "lines.png")
    read = "".join(each["label"] for each in predictions(desk.glyphlite("predict", "lines.png", "--all", "--json")))
    return Measured(read, read == "3142")


# --- formats -----------------------------------------------------------------------------------------------------------------


def _photo(digit: str) -> Any:
    picture, draw = sheet(400, 400)
    write_digit(draw, digit, 80, 70)
    return photographed(picture)


def _read_or_line(desk: Desk, path: Path, digit: str, *, must_read: bool) -> Measured:
    """The digit, or (where it need not be read) one line with what to do; never silent about further pages."""
    done = desk.glyphlite("predict", path, "--json")
    if done.code == 2 and not must_read:
        return Measured(f"refused: {done.last_line}", done.err.strip().count("\n") == 0 and len(done.last_line) > 40)
    labels = [each["label"] for each in predictions(done)]
    return Measured(f"read as {' '.join(labels) or 'nothing'}; {done.last_line}", labels[:1] == [digit])


_FORMATS: dict[str, tuple[str, Any, bool]] = {
    "tiff": ("a scanner's TIFF", lambda path: _photo("5").save(path.with_suffix(".tiff"), compression="tiff_lzw"), True),
    "bmp": ("a BMP", lambda path: _photo("5").save(path.with_suffix(".bmp")), False),
    "pgm": ("a PGM", lambda path: _photo("5").convert("L").save(path.with_suffix(".pgm")), False),
    "cmyk": ("a CMYK JPEG", lambda path: _photo("5").convert("CMYK").save(path.with_suffix(".jpg")), False),
    "16-bit": ("a 16-bit grey PNG", lambda path: _sixteen().save(path.with_suffix(".png")), False),
    "exif-turned": ("a photo turned by its EXIF", lambda path: _turned(path.with_suffix(".jpg")), False),
    "transparent": ("black on transparent", lambda path: _see_through().save(path.with_suffix(".png")), False),
    "upper-case": ("a suffix in capitals", lambda path: _photo("5").save(path.with_name("PHOTO.JPG")), False),
}


def _sixteen() -> Any:
    from PIL import Image

    return Image.fromarray(np.asarray(_photo("5").convert("L")).astype(np.uint16) * 257)


def _turned(path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    _photo("5").rotate(90, expand=True).save(path, exif=exif)


def _see_through() -> Any:
    from PIL import Image

    ink = 255 - np.asarray(_photo("5").convert("L"))
    strength = np.where(ink > 100, 255, 0).astype(np.uint8)
    return Image.fromarray(np.dstack([np.zeros((*ink.shape, 3), np.uint8), strength]))


def _enter_format(kind: str, example: str, save: Any, small: bool) -> None:
    @row(SECTION, f"format-{kind}", f"{example} of a 5", "read as 5", small=small)
    def measure(desk: Desk) -> Measured:
        save(desk.folder / "photo")
        (path,) = desk.folder.iterdir()
        return _read_or_line(desk, path, "5", must_read=True)


for _kind, (_example, _save, _small) in _FORMATS.items():
    _enter_format(_kind, _example, _save, _small)


@row(
    SECTION,
    "format-multi-page-tiff",
    "a TIFF of two pages, 2 and 7",
    "both read, or the first read and the second named, or one line",
    small=True,
)
def multi_page(desk: Desk) -> Measured:
    _photo("2").save(desk.folder / "scan.tif", save_all=True, append_images=[_photo("7")])
    return _pages(desk, "scan.tif", r"2 pages|page 2|pages")


@row(
    SECTION,
    "format-animated-gif",
    "an animated GIF, 3 then 4",
    "both read, or the first read and the rest named, or one line",
    small=True,
)
def animated_gif(desk: Desk) -> Measured:
    _photo("3").save(desk.folder / "moving.gif", save_all=True, append_images=[_photo("4")], duration=200)
    return _pages(desk, "moving.gif", r"frames|animat|pictures|pages")


@row(
    SECTION, "format-animated-webp", "an animated WebP, 3 then 4", "both read, or the first read and the rest named, or one line"
)
def animated_webp(desk: Desk) -> Measured:
    _photo("3").save(desk.folder / "moving.webp", save_all=True, append_images=[_photo("4")], duration=200)
    return _pages(desk, "moving.webp", r"frames|animat|pictures|pages")


def _pages(desk: Desk, name: str, said: str) -> Measured:
    done = desk.glyphlite("predict", name, "--json")
    labels = [each["label"] for each in predictions(done)] if done.out.strip() else []
    if not labels:
        return Measured(f"refused: {done.last_line}", done.says(said))
    return Measured(f"read as {' '.join(labels)}; {done.last_line}", len(labels) == 2 or done.says(said))


@row(SECTION, "format-heic", "a phone's HEIC of a 5", "read as 5 with pillow-heif, else one line that names it", small=True)
def heic(desk: Desk) -> Measured:
    path = desk.folder / "IMG_0001.HEIC"
    try:
        pillow_heif = importlib.import_module("pillow_heif")
    except ImportError:
        # The first box of every HEIC file: enough to be recognized, and nobody here could decode more.
        path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
        done = desk.glyphlite("predict", path)
        return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2 and done.says("pillow.heif"))
    pillow_heif.from_pillow(_photo("5")).save(path)
    return _read_or_line(desk, path, "5", must_read=True)


@row(SECTION, "format-avif", "an AVIF of a 5", "read as 5, or one line that says what to do")
def avif(desk: Desk) -> Measured:
    from PIL import features

    path = desk.folder / "photo.avif"
    if not features.check("avif"):
        path.write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(200))
    else:
        _photo("5").save(path)
    return _read_or_line(desk, path, "5", must_read=bool(features.check("avif")))


@row(SECTION, "format-pdf", "a PDF called scan.pdf", "one line, exit code 2")
def pdf(desk: Desk) -> Measured:
    (desk.folder / "scan.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    done = desk.glyphlite("predict", "scan.pdf")
    return Measured(f"exit code {done.code}: {done.last_line}", done.code == 2)


# --- many --------------------------------------------------------------------------------------------------------------------


def many(desk: Desk) -> list[str]:
    """Nine pictures: seven digits, a blank one, a broken one. Returns their names."""
    names = []
    for digit in "0123457":
        names.append(f"{digit}.png")
        _photo(digit).save(desk.folder / names[-1])
    sheet(400, 400)[0].save(desk.folder / "blank.png")
    (desk.folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return [*names[:3], "blank.png", *names[3:5], "broken.png", *names[5:]]


@row(
    SECTION,
    "many-one-blank-one-broken",
    "nine pictures, a blank and a broken one among them",
    "seven answers, both others named, exit code 2",
    small=True,
)
def many_pictures(desk: Desk) -> Measured:
    names = many(desk)
    as_json, as_text = desk.glyphlite("predict", *names, "--json"), desk.glyphlite("predict", *names)
    answers = predictions(as_json)
    return all_right(
        [
            (f"exit code 2 (it is {as_json.code})", as_json.code == as_text.code == 2),
            (f"{len(answers)} answers", len(answers) == 7),
            ("the blank one named", as_text.says("blank.png")),
            ("the broken one named", as_text.says("broken.png")),
            ("the last digit answered", as_text.says(r"7\.png")),
        ]
    )


@row(SECTION, "missing-picture", "two pictures, one of them missing", "one answer, the other named, exit code 2")
def missing(desk: Desk) -> Measured:
    _photo("4").save(desk.folder / "4.png")
    done = desk.glyphlite("predict", "4.png", "nowhere.png", "--json")
    return Measured(
        f"exit code {done.code}, {len(predictions(done))} answers: {done.last_line}",
        done.code == 2 and len(predictions(done)) >= 1 and done.says("nowhere.png"),
    )


@row(SECTION, "more-than-99", "a clear 7", "'> 99 %' or a number below 100 %, never 100 %", small=True)
def more_than_99(desk: Desk) -> Measured:
    _photo("7").save(desk.folder / "7.png")
    done = desk.glyphlite("predict", "7.png")
    return Measured(" ".join(done.out.split())[:120], done.code == 0 and not done.says(r"\b100(\.0+)? ?%"))
