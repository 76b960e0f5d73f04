"""Zip archives from outside (.npz, .keras), opened with bounds on their directory and on what they unpack to.

Python reads an archive's whole directory when it opens one: a million members of a name each take seconds and hundreds of
megabytes before the first can be asked for.
"""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path

from glyphlite.errors import DataError, GlyphliteError
from glyphlite.files.untrusted import check_unfolded, open_input, parsing

LARGEST_DIRECTORY = 4 << 20
"""Bytes of an archive's directory: some 50,000 members."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What NumPy and Keras write. Python unpacks the others, bzip2 and LZMA, without a bound: 4 KB of them fill 4 GB."""


@contextmanager
def open_zip(path: Path, expected: str, error: type[GlyphliteError] = DataError) -> Iterator[zipfile.ZipFile]:
    """Opens a zip archive for reading; whatever fails while it is open, in zipfile or in who reads from it, is one line.

    Args:
        path: the file.
        expected: what it should be, with its article, for the error: "an .npz file".
        error: the kind of error to raise.

    Raises:
        GlyphliteError: of that kind: it is missing, no regular file, no archive, damaged, or would unpack to too much.
    """
    refusal = f"{path} is not a readable {expected.partition(' ')[2]}"
    with open_input(path, expected, error) as stream, parsing(refusal, error):
        bounded = _BoundedDirectory(stream)
        with zipfile.ZipFile(bounded) as archive:
            bounded.in_directory = False
            members = archive.infolist()
            if any(member.compress_type not in _METHODS for member in members):
                raise error(f"{refusal}: a member is compressed otherwise than by deflate; save it again")
            check_unfolded(str(path), os.fstat(stream.fileno()).st_size, sum(member.file_size for member in members), error)
            yield archive


class _BoundedDirectory(BytesIO):
    """A file as zipfile uses it, which refuses to be read in pieces larger than a directory while that is being read."""

    def __init__(self, stream: BufferedReader) -> None:
        super().__init__()
        self.in_directory = True
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        if self.in_directory and size is not None and size > LARGEST_DIRECTORY:
            raise ValueError(f"its directory takes {size:,} bytes, more than the {LARGEST_DIRECTORY:,} allowed")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
