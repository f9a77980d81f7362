"""What every attention head of a CLIP model looks for, in a notebook.

The model runs in the browser's tab, as WebAssembly: this package needs neither Node nor PyTorch, and pictures stay on the machine
that shows the notebook.

>>> import clip_interpret as ci
>>> view = ci.explain("monkey.png", ["a monkey", "a palm tree"])
>>> view                                  # shows the map and the matrix of heads
>>> view.explanation["texts"][0]["sum"]   # in a later cell: the numbers of `clip-interpret explain --json`
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["Explanation", "NotReadyError", "ViewError", "explain"]
__version__ = "0.1.0"

_STATIC = Path(__file__).parent / "static"
_DEFAULT_MODEL = "emoji-4x128-p8"
#: A model's files travel to the tab as one message: larger ones come from a web server instead.
_MOST_MODEL_BYTES = 256 * 1024 * 1024
_MOST_PICTURE_BYTES = 64 * 1024 * 1024
_MOST_TEXTS = 16
_MODEL_FILES = (
    "open_clip_config.json",
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "open_clip_model.safetensors",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
)


class NotReadyError(RuntimeError):
    """The tab has not computed the numbers yet, or nothing shows the view."""


class ViewError(RuntimeError):
    """What went wrong in the tab, with the tool's stable code."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
        self.code = code
        self.hint = hint


class Explanation(anywidget.AnyWidget):
    """A picture and texts, as one model's heads saw them.

    ``texts`` and ``heads`` may be set: the view follows. ``heads`` is a component set as in the command: ``all``, ``L3.H2``,
    ``last2``; a click on a cell of the matrix sets it.
    """

    _esm = _STATIC / "view.js"
    _picture = traitlets.Bytes().tag(sync=True)
    _name = traitlets.Unicode().tag(sync=True)
    _model = traitlets.Unicode().tag(sync=True)
    _looked = traitlets.Dict().tag(sync=True)
    _problem = traitlets.Dict().tag(sync=True)
    texts = traitlets.List(traitlets.Unicode(), minlen=1, maxlen=_MOST_TEXTS).tag(sync=True)
    heads = traitlets.Unicode("all").tag(sync=True)

    def __init__(self, files: Mapping[str, Path], **traits: Any) -> None:
        if not (_STATIC / "view.js").exists():
            raise FileNotFoundError(
                f"{_STATIC} is empty: in a clone, run `npm run build:python` first."
            )
        self._files = dict(files)
        super().__init__(**traits)
        self.on_msg(self._send_files)

    def _send_files(self, _widget: object, asked: Mapping[str, Any], _buffers: object) -> None:
        what = asked.get("files")
        files = {"runtime.wasm.gz": _STATIC / "runtime.wasm.gz"} if what == "runtime" else self._files
        buffers = [path.read_bytes() for path in files.values()]
        self.send({"id": asked.get("id"), "names": list(files)}, buffers=buffers)

    @traitlets.observe("texts", "heads")
    def _ask_anew(self, _change: object) -> None:
        self._looked = {}
        self._problem = {}

    @property
    def explanation(self) -> dict[str, Any]:
        """The result of ``clip-interpret explain --json``: every text's cosine, and what each head and MLP added to it.

        Raises ``NotReadyError`` before the view was shown and has answered, ``ViewError`` where it could not.
        """
        return self._result("explanation")

    @property
    def segmentation(self) -> dict[str, Any]:
        """The result of ``clip-interpret segment --json`` over ``heads``: every text's map. Raises as ``explanation``."""
        return self._result("segmentation")

    def _result(self, which: str) -> dict[str, Any]:
        if self._problem:
            raise ViewError(self._problem["code"], self._problem["message"], self._problem["hint"])
        if not self._looked:
            raise NotReadyError(
                "The tab computes the numbers once the view is shown: show it, and read them in a later cell."
            )
        return self._looked[which]


def explain(
    image: Any,
    texts: str | Sequence[str],
    *,
    heads: str = "all",
    model: str | os.PathLike[str] = _DEFAULT_MODEL,
) -> Explanation:
    """Shows what the heads of a CLIP model saw of texts in an image, and gives the numbers.

    :param image: a path, a file's bytes, or a Pillow image (sent as PNG)
    :param texts: up to 16 texts
    :param heads: whose map is shown
    :param model: the embedded ``emoji-4x128-p8`` (a small model of a generated world, no CLIP of photographs); the address of
        a checkpoint's folder, such as ``https://huggingface.co/<id>/resolve/main``; or a folder here of up to 256 MB
    """
    picture, name = _picture_of(image)
    listed = [texts] if isinstance(texts, str) else list(texts)
    if not 1 <= len(listed) <= _MOST_TEXTS or not all(isinstance(t, str) and t.strip() for t in listed):
        raise ValueError(f"texts: 1 to {_MOST_TEXTS} texts, none of them blank")
    called, files = _model_of(model)
    return Explanation(files, _picture=picture, _name=name, _model=called, texts=listed, heads=heads)


def _picture_of(image: Any) -> tuple[bytes, str]:
    if isinstance(image, (str, os.PathLike)):
        path = Path(image)
        if not path.is_file():
            raise FileNotFoundError(f"image: there is no file {path}")
        if path.stat().st_size > _MOST_PICTURE_BYTES:
            raise ValueError(f"image: {path} has more than {_MOST_PICTURE_BYTES // 2**20} MB")
        return path.read_bytes(), path.name
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image)
        if len(data) > _MOST_PICTURE_BYTES:
            raise ValueError(f"image: more than {_MOST_PICTURE_BYTES // 2**20} MB")
        return data, "image"
    if callable(getattr(image, "save", None)):
        out = io.BytesIO()
        image.save(out, format="PNG")
        return out.getvalue(), Path(getattr(image, "filename", "") or "image").name
    raise TypeError(f"image: a path, bytes or a Pillow image, not {type(image).__name__}")


def _model_of(model: str | os.PathLike[str]) -> tuple[str, dict[str, Path]]:
    called = os.fspath(model)
    if "://" in called:
        return called.rstrip("/"), {}
    folder = _STATIC / "models" / called if called == _DEFAULT_MODEL else Path(called)
    files = {name: folder / name for name in _MODEL_FILES if (folder / name).is_file()}
    if not any(name.endswith(".safetensors") for name in files):
        raise FileNotFoundError(
            f"model: {called} is neither {_DEFAULT_MODEL}, an address, nor a folder with a safetensors checkpoint"
        )
    size = sum(path.stat().st_size for path in files.values())
    if size > _MOST_MODEL_BYTES:
        raise ValueError(
            f"model: {called} has {size / 2**20:.0f} MB, and {_MOST_MODEL_BYTES // 2**20} travel to a tab at most: "
            "serve the folder (python -m http.server does not allow other origins; any server that does, will) and give its address"
        )
    return called, files
