"""picture: the words in a picture (PNG, JPEG, GIF, WebP, TIFF, BMP), by RapidOCR with the models that its package carries.

An extra: `pip install 'lsfs[ocr]'`, and `ocr = yes` in lsfs.conf. Nothing is downloaded, no network is asked. Runs in a child of its own
(`lsfs.engine.extract`): the library takes 0.6 GiB.
"""

import functools
import importlib.util
import io
from typing import Any

from lsfs.engine.document import Document
from lsfs.engine.encoding import clean
from lsfs.engine.formats import Unreadable

MISSING = "The picture was not read: ocr is on in lsfs.conf, but its packages are not installed (pip install 'lsfs[ocr]')."
_PIXELS = 100_000_000  # what is larger is a map, or a bomb
_SIDE = 3000  # pixels: larger pictures are made smaller; letters of a scanned page are 30 high then
_SURE = 0.6  # of 1: less is a pattern that looks like a letter


def available() -> bool:
    """Whether the packages for it are there; imports nothing."""
    return importlib.util.find_spec("rapidocr") is not None and importlib.util.find_spec("PIL") is not None


@functools.cache
def _engine() -> Any:
    from rapidocr import EngineType, RapidOCR

    kinds = {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
    return RapidOCR(params={**kinds, "Global.log_level": "error"})


def parse(data: bytes) -> Document:
    """The words in a picture, a line for each line of writing, from the top to the bottom. Raises Unreadable."""
    if not available():
        raise Unreadable(MISSING)
    import numpy
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _PIXELS
    try:
        with Image.open(io.BytesIO(data)) as picture:
            kind = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif"}.get(picture.format or "", "image")
            if picture.width * picture.height > _PIXELS:
                raise Unreadable("The picture has more pixels than are read.")
            picture.draft("RGB", (_SIDE, _SIDE))
            picture.thumbnail((_SIDE, _SIDE))
            # what is transparent is white paper, not black
            flat = Image.new("RGB", picture.size, "white")
            layered = picture.convert("RGBA")
            flat.paste(layered, mask=layered.getchannel("A"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable("The picture is damaged, or of a kind that is not read.") from error
    found = _engine()(numpy.asarray(flat)[:, :, ::-1])
    lines = [
        " ".join(clean(text).split())
        for text, score in zip(found.txts or (), found.scores or (), strict=True)
        if score >= _SURE
    ]
    text = "\n".join(line for line in lines if line)
    return Document(kind, text, text.split("\n", 1)[0][:160])
