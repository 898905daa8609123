"""The models, each a file of this folder that defines ``NETWORK``, a subclass of :class:`~trainer.model.networks.base.Network`.

Adding a model is adding a file: it is found by its name, and its settings by its ``Settings``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocapgen.shared.parts import load_part, part_names

if TYPE_CHECKING:
    from trainer.model.networks.base import Network


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


def build_network(name: str, settings: dict[str, Any], inputs: int, outputs: int) -> Network:
    """Return a new network with random weights (drawn from PyTorch's generator).

    Parameters
    ----------
    name : str
    settings : dict
        Settings of the model; those left out have the defaults of its ``Settings``.
    inputs, outputs : int
        Numbers per frame.

    Raises
    ------
    ConfigError
        If the model or a setting is unknown, or a value is not allowed.
    """
    from mocapgen.shared.config import checked

    kind = network_class(name)
    return kind(inputs, outputs, checked(kind.Settings, settings, group="model_settings", first=True))
