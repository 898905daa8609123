"""Motions as glTF 2.0: a skeleton, a body of capsules that moves with it, and an animation."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mocapgen.anatomy.capsules import Side, body_capsules
from mocapgen.core.motion import Array, Motion, Skeleton
from mocapgen.core.rotation import IDENTITY, make_continuous, normalise
from mocapgen.formats._capsule_mesh import Mesh, capsule_mesh
from mocapgen.shared.body_colours import LEFT, RIGHT
from mocapgen.shared.version import __version__
from schemas.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from pygltflib import GLTF2

MIDDLE = "#9aa0a6"
LARGEST = 2**32 - 2**20
"""Bytes of the numbers of a file at most: the header of a ``.glb`` has 32 bits for its length."""
_FLOAT, _SHORT, _BYTE, _INT = 5126, 5123, 5121, 5125
_TYPES = {np.dtype("<f4"): _FLOAT, np.dtype("<u2"): _SHORT, np.dtype("u1"): _BYTE, np.dtype("<u4"): _INT}
_SHAPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_VERTICES, _INDICES = 34962, 34963  # what a part of the buffer is for


def format_glb(motion: Motion) -> bytes:
    """Return the bytes of a binary glTF file.

    Parameters
    ----------
    motion : Motion
        Its rest pose becomes the file's pose, standing on y = 0.

    Returns
    -------
    bytes
        Metres, right-handed, y up, a person in T-pose faces +z. A node for each joint, all of one skin; one mesh, each corner of which moves with
        one joint; one animation: the path of the root, and the rotations (x, y, z, w) of every joint that turns, 32-bit, a key for each frame,
        interpolated linearly.

    Raises
    ------
    ConfigError
        If the package pygltflib is not installed.
    FormatError
        If there are more frames than the file can hold or 32-bit times can tell apart.
    """
    gltf, blob = _document(motion)
    gltf.set_binary_blob(blob)
    return b"".join(gltf.save_to_bytes())


def format_gltf(motion: Motion) -> bytes:
    """Return the bytes of a glTF file in JSON, the numbers within it in base64; else as :func:`format_glb`."""
    gltf, blob = _document(motion)
    gltf.buffers[0].uri = f"data:application/octet-stream;base64,{base64.b64encode(blob).decode('ascii')}"
    text: str = gltf.gltf_to_json()
    return (text + "\n").encode("utf-8")


class _Buffer:
    """The numbers of a file, and where which of them are."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self.views: list[Any] = []
        self.accessors: list[Any] = []

    def add(self, values: NDArray[Any], target: int | None = None, bounds: bool = False, normalised: bool = False) -> int:
        """Append an array, one element a row, and return its number."""
        from pygltflib import Accessor, BufferView

        data = values.tobytes()
        self.views.append(BufferView(buffer=0, byteOffset=self._size, byteLength=len(data), target=target))
        accessor = Accessor(bufferView=len(self.views) - 1, componentType=_TYPES[values.dtype], count=len(values), type=_SHAPES[values.shape[1:]])
        accessor.normalized = normalised or None
        if bounds:
            accessor.min, accessor.max = (np.atleast_1d(bound(values, axis=0)).tolist() for bound in (np.min, np.max))
        self.accessors.append(accessor)
        padding = bytes(-len(data) % 4)
        self._parts += [data, padding]
        self._size += len(data) + len(padding)
        return len(self.accessors) - 1

    @property
    def blob(self) -> bytes:
        return b"".join(self._parts)


def _document(motion: Motion) -> tuple[GLTF2, bytes]:
    """Return what a file says about its numbers, and the numbers."""
    try:
        from pygltflib import GLTF2, Asset, Buffer, Node, Scene
    except ImportError:
        raise ConfigError("glTF: expected the package pygltflib, which is not installed: pip install 'mocapgen[gltf]'") from None
    if (size := 16 * len(motion) * len(motion.skeleton.names)) > LARGEST:
        raise FormatError(
            f"{motion.name}: expected at most {LARGEST:,} bytes for a glTF file, found {size:,} in {len(motion):,} frames; lower fps=..."
        )
    skeleton, buffer = motion.skeleton, _Buffer()
    places = np.array(skeleton.offsets)
    places[0] = (0.0, -float(skeleton.rest_positions[:, 1].min()), 0.0)
    children: list[list[int]] = [[] for _ in skeleton.names]
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            children[parent].append(joint)
    nodes = [
        Node(name=name, translation=place, children=below)
        for name, place, below in zip(skeleton.names, places.astype(np.float32).tolist(), children, strict=True)
    ]
    gltf = GLTF2(asset=Asset(version="2.0", generator=f"mocapgen {__version__}"), scene=0, nodes=nodes)
    gltf.scenes = [Scene(name=motion.name, nodes=[0])]
    _add_body(gltf, skeleton, places[0], buffer)
    _add_animation(gltf, motion, buffer)
    gltf.bufferViews, gltf.accessors, blob = buffer.views, buffer.accessors, buffer.blob
    gltf.buffers = [Buffer(byteLength=len(blob))]
    return gltf, blob


def _add_body(gltf: GLTF2, skeleton: Skeleton, root: Array, buffer: _Buffer) -> None:
    """Add the skin and the mesh, unless no bone has a length."""
    from pygltflib import Attributes, Node, Primitive, Skin
    from pygltflib import Mesh as GltfMesh

    capsules = body_capsules(skeleton)
    if not capsules:
        return
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(skeleton.names), 1, 1))
    inverse[:, 3, :3] = -(skeleton.rest_positions + root)  # column by column
    gltf.skins = [Skin(inverseBindMatrices=buffer.add(inverse), skeleton=0, joints=list(range(len(skeleton.names))))]
    primitives = []
    for side, colour in _COLOURS.items():
        if those := [capsule for capsule in capsules if capsule.side == side]:
            mesh = capsule_mesh(those)
            attributes, triangles = Attributes(**_attributes(mesh, root, buffer)), _triangles(mesh, buffer)
            primitives.append(Primitive(attributes=attributes, indices=triangles, material=len(gltf.materials)))
            gltf.materials.append(_material(side, colour))
    gltf.meshes = [GltfMesh(name="Body", primitives=primitives)]
    gltf.nodes.append(Node(name="Body", mesh=0, skin=0))
    gltf.scenes[0].nodes.append(len(gltf.nodes) - 1)


_COLOURS: dict[Side, str] = {"left": LEFT["light"], "right": RIGHT["light"], "middle": MIDDLE}


def _attributes(mesh: Mesh, root: Array, buffer: _Buffer) -> dict[str, int]:
    """Add the corners of a mesh, and return the number of each of their arrays by name."""
    joints = np.zeros((len(mesh.joints), 4), dtype="u1" if mesh.joints.max() < 256 else "<u2")
    joints[:, 0] = mesh.joints
    weights = np.zeros((len(mesh.joints), 4), dtype="u1")
    weights[:, 0] = 255
    return {
        "POSITION": buffer.add((mesh.positions + root).astype("<f4"), _VERTICES, bounds=True),
        "NORMAL": buffer.add(mesh.normals.astype("<f4"), _VERTICES),
        "JOINTS_0": buffer.add(joints, _VERTICES),
        "WEIGHTS_0": buffer.add(weights, _VERTICES, normalised=True),
    }


def _triangles(mesh: Mesh, buffer: _Buffer) -> int:
    return buffer.add(mesh.triangles.ravel().astype("<u2" if len(mesh.positions) < 2**16 else "<u4"), _INDICES)


def _material(name: str, colour: str) -> Any:
    from pygltflib import Material, PbrMetallicRoughness

    shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255.0
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)  # of sRGB, IEC 61966-2-1
    surface = PbrMetallicRoughness(baseColorFactor=[*np.round(linear, 6).tolist(), 1.0], metallicFactor=0.0, roughnessFactor=0.7)
    return Material(name=name, pbrMetallicRoughness=surface, alphaCutoff=None)


def _add_animation(gltf: GLTF2, motion: Motion, buffer: _Buffer) -> None:
    """Add a key for each frame: where the root is, and how every joint that turns is turned."""
    from pygltflib import Animation, AnimationChannel, AnimationChannelTarget, AnimationSampler

    times = (np.arange(len(motion)) / motion.fps).astype("<f4")
    if (np.diff(times) <= 0).any():
        raise FormatError(f"{motion.name}: expected times that 32 bits tell apart, found {len(motion):,} frames at {motion.fps:g} fps; lower fps=...")
    clock = buffer.add(times, bounds=True)
    animation = Animation(name=motion.name, extras={"fps": motion.fps})

    def add(joint: int, path: str, values: Array) -> None:
        animation.samplers.append(AnimationSampler(input=clock, output=buffer.add(values.astype("<f4")), interpolation="LINEAR"))
        animation.channels.append(AnimationChannel(sampler=len(animation.samplers) - 1, target=AnimationChannelTarget(node=joint, path=path)))

    add(0, "translation", motion.root_positions)
    for joint in range(len(motion.skeleton.names)):
        rotations = motion.rotations[:, joint]
        if joint == 0 or np.abs(rotations - IDENTITY).max() > 1e-9:
            add(joint, "rotation", normalise(make_continuous(rotations)))
    gltf.animations = [animation]
