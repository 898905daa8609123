"""Arguments of another kind, or the other way round, are one line with the right command, before anything heavy is imported."""

from __future__ import annotations

import shlex
from pathlib import Path

from mocapgen.shared.kinds import FOLDER, HDF5, JSON, MODEL, NOTHING, OTHER, RUN, kind_of
from mocapgen.shared.text import one_line
from schemas.errors import DatasetError

_MODELS = (RUN, MODEL)
_BUILD = "`mocapgen build --source folder --root {folder} --out data.h5` makes a dataset file of it"
_LIFT = "`trainer predict default {file} --out pred.h5` lifts it"


def require_model(model: str, command: str = "", data: str = "", ending: str = "") -> None:
    """Refuse a model that is none, with the command that it should be if the data is named first.

    Parameters
    ----------
    model : str
    command, data, ending : str
        Such as ``trainer evaluate``, what is given as its data, and what it needs besides.

    Raises
    ------
    DatasetError
    """
    found = kind_of(model)
    if found in (*_MODELS, FOLDER, NOTHING, OTHER):  # the last three: whoever looks for the model says what is missing
        return
    advice = "; `trainer models` lists those that ship, `trainer fit DATA.H5` makes one"
    if data and _is_model(data):
        advice = f"; the model goes first: `{command} {shlex.quote(data)} {shlex.quote(model)}{ending}`"
    raise DatasetError(one_line(model, f"expected a model, found {found}", advice))


def require_dataset(data: str, if_run: str = "") -> None:
    """Refuse what is no dataset file, with the command that reads it.

    Parameters
    ----------
    data : str
    if_run : str
        What to do where it is a run; ``{run}`` stands for it.

    Raises
    ------
    DatasetError
    """
    found = kind_of(data)
    if found in (HDF5, NOTHING, OTHER):  # whoever reads it says what is wrong
        return
    if found in _MODELS:
        run = Path(data) if found == RUN else Path(data).parent
        advice = if_run.format(run=shlex.quote(str(run))) or "name the file that the model is to see"
    elif "capture" in found:
        advice = _BUILD.format(folder=shlex.quote(str(Path(data).parent)))
    elif "video" in found or found == JSON:
        advice = _LIFT.format(file=shlex.quote(data))
    else:
        advice = "`mocapgen build` writes one"
    raise DatasetError(one_line(data, f"expected a dataset file, found {found}", f"; {advice}"))


def require_source(source: str) -> None:
    """Refuse a model where a video, keypoints or a dataset file is to be lifted.

    Raises
    ------
    DatasetError
    """
    found = kind_of(source)
    if found in _MODELS:
        raise DatasetError(one_line(source, f"expected a video, keypoints or a dataset file, found {found}", "; name what it shall lift"))


def _is_model(name: str) -> bool:
    from trainer.model.shipped import shipped_names

    return kind_of(name) in _MODELS or name in shipped_names()
