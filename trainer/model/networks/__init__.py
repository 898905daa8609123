"""The models, each a file of this folder that defines ``NETWORK``, a subclass of :class:`~trainer.model.networks.base.Network`.

Adding a model is adding a file: it is found by its name, and its settings by its ``Settings``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocapgen.shared.parts import load_part, part_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocapgen.shared.config import SettingPath
    from schemas.base import Model
    from trainer.model.networks.base import Network


MOST_PARAMETERS = 200_000_000
"""Most trained numbers of a network: with their gradients and moments, 3.2 GB."""
MOST_FRAMES = 100_000
"""Largest receptive field: an hour of video."""


def model_names() -> tuple[str, ...]:
    """Return the names of all models, without importing any."""
    return part_names("trainer.model.networks", "NETWORK")


def network_class(name: str) -> type[Network]:
    """Return the class of a model.

    Raises
    ------
    ConfigError
        With the models that there are.
    """
    network: type[Network] = load_part("trainer.model.networks", "NETWORK", name, "model")
    return network


def check_settings(name: str, settings: dict[str, Any], subject: Callable[[SettingPath], str] | str = "") -> Model:
    """Return the checked settings of a model; `subject` is that of :func:`mocapgen.shared.config.checked`.

    Raises
    ------
    ConfigError
        If the model or a setting is unknown, or a value is not allowed.
    """
    from mocapgen.shared.config import checked

    return checked(network_class(name).Settings, settings, subject, group="model_settings", first=True)


def build_network(name: str, settings: dict[str, Any], inputs: int, outputs: int, most: int = MOST_PARAMETERS) -> Network:
    """Return a new network with random weights (drawn from PyTorch's generator).

    Parameters
    ----------
    name : str
    settings : dict
        Settings of the model; those left out have the defaults of its ``Settings``.
    inputs, outputs : int
        Numbers per frame.
    most : int
        Most trained numbers; no memory is taken for a network that has more.

    Raises
    ------
    ConfigError
        If the model or a setting is unknown, a value is not allowed, or the network would be too large.
    """
    from schemas.errors import ConfigError

    kind = network_class(name)
    chosen = check_settings(name, settings)
    count = kind.parameter_count(inputs, outputs, chosen)
    if count > most:
        advice = "; lower its width or depth" if most == MOST_PARAMETERS else ""
        raise ConfigError(f"model_settings: expected a network of at most {most:,} trained numbers, found one of {count:,}{advice}")
    network = kind(inputs, outputs, chosen)
    if network.receptive_field > MOST_FRAMES:
        found = f"found one of {network.receptive_field:,}"
        raise ConfigError(f"model_settings: expected a receptive field of at most {MOST_FRAMES:,} frames, {found}; lower its kernel or dilations")
    return network
