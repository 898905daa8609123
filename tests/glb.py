"""Read binary glTF by the letter of its specification, with NumPy and SciPy alone: what another program makes of a file."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

TYPES = {5126: "<f4", 5123: "<u2", 5121: "u1", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True)
class Glb:
    """The two chunks of a file."""

    json: dict[str, Any]
    blob: bytes

    def array(self, number: int) -> NDArray[Any]:
        """Return an accessor's numbers, an element a row."""
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        width, kind = WIDTHS[accessor["type"]], np.dtype(TYPES[accessor["componentType"]])
        values = np.frombuffer(self.blob, kind, accessor["count"] * width, view.get("byteOffset", 0))
        assert values.nbytes == view["byteLength"]
        if "min" in accessor:
            found = values.reshape(-1, width)
            assert (found.min(0).tolist(), found.max(0).tolist()) == (accessor["min"], accessor["max"])
        return values.reshape(-1, width) if width > 1 else values

    @property
    def times(self) -> NDArray[Any]:
        """Seconds of the keys."""
        animation = self.json["animations"][0]
        assert {sampler["interpolation"] for sampler in animation["samplers"]} == {"LINEAR"}
        (clock,) = {sampler["input"] for sampler in animation["samplers"]}
        return self.array(clock)

    def channel(self, node: int, path: str) -> NDArray[Any] | None:
        """Return what an animation sets of a node."""
        animation = self.json["animations"][0]
        for channel in animation["channels"]:
            if (channel["target"]["node"], channel["target"]["path"]) == (node, path):
                return self.array(animation["samplers"][channel["sampler"]]["output"])
        return None

    @cached_property
    def joints(self) -> list[str]:
        """Names of the joints of the skin."""
        return [self.json["nodes"][node]["name"] for node in self.json["skins"][0]["joints"]]

    @cached_property
    def matrices(self) -> NDArray[np.float64]:
        """(T, J, 4, 4): from each joint to the world, at every key."""
        nodes, joints = self.json["nodes"], self.json["skins"][0]["joints"]
        count, found = len(self.times), {}
        pending = [(node, np.broadcast_to(np.eye(4), (count, 4, 4))) for node in self.json["scenes"][0]["nodes"]]
        while pending:
            number, above = pending.pop()
            node, own = nodes[number], np.tile(np.eye(4), (count, 1, 1))
            rotations = self.channel(number, "rotation")
            moves = self.channel(number, "translation")
            own[:, :3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1]) if rotations is None else rotations).as_matrix()
            own[:, :3, 3] = node.get("translation", [0, 0, 0]) if moves is None else moves
            found[number] = above @ own
            pending += [(child, found[number]) for child in node.get("children", [])]
        return np.stack([found[joint] for joint in joints], axis=1)

    @property
    def positions(self) -> NDArray[np.float64]:
        """(T, J, 3): where the joints are."""
        return self.matrices[..., :3, 3]

    def corners(self, frame: int) -> NDArray[np.float64]:
        """(V, 3): where the corners of the mesh are."""
        inverse = self.array(self.json["skins"][0]["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        skin = self.matrices[frame] @ inverse
        found = []
        for primitive in self.json["meshes"][0]["primitives"]:
            at, joints, weights = (self.array(primitive["attributes"][name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
            weights = weights / 255.0
            assert np.allclose(weights.sum(1), 1)
            mixed = np.einsum("vk,vkij->vij", weights, skin[joints])
            found.append(np.einsum("vij,vj->vi", mixed, np.concatenate([at, np.ones((len(at), 1))], axis=1))[:, :3])
        return np.concatenate(found)


def read_glb(path: Path) -> Glb:
    """Read a file."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    chunks, place = {}, 12
    while place < length:
        size, kind = struct.unpack_from("<I4s", data, place)
        assert size % 4 == 0
        chunks[kind] = data[place + 8 : place + 8 + size]
        place += 8 + size
    return Glb(json.loads(chunks[b"JSON"]), chunks[b"BIN\0"])
