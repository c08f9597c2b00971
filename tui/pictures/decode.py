"""A picture file as pixels small enough for a terminal; bounded in memory whatever the file claims. Pure."""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
TYPES = ("jpeg", "png", "webp")
"""Types of evidence that are pictures."""
PIXELS_AT_MOST = 60_000_000
LARGEST = (960, 720)
"""What is kept of a picture; no terminal shows more."""


class PictureProblem(Exception):
    """The content is no picture that can be shown; the text says why."""


def decode(content: bytes, largest: tuple[int, int] = LARGEST) -> Image.Image:
    """The picture upright (by its EXIF orientation), in RGB, no larger than `largest`.

    Raises:
        PictureProblem: damaged, of another format, or of too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > PIXELS_AT_MOST:
                    raise PictureProblem(f"{opened.width} x {opened.height}")
                opened.draft("RGB", (largest[0] * 2, largest[1] * 2))
                opened.thumbnail((max(largest), max(largest)))
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail(largest)
                return _flat(upright)
    except PictureProblem:
        raise
    except (OSError, ValueError, SyntaxError, ArithmeticError, MemoryError, Image.DecompressionBombError) as error:
        raise PictureProblem(str(error) or type(error).__name__) from error
    except Warning as error:
        raise PictureProblem(str(error)) from error


def _flat(picture: Image.Image) -> Image.Image:
    """In RGB; what is transparent becomes black."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        whole = picture.convert("RGBA")
        ground = Image.new("RGBA", whole.size, (0, 0, 0, 255))
        return Image.alpha_composite(ground, whole).convert("RGB")
    return picture.convert("RGB")
