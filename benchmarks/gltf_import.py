"""Check glTF files against Blender and three.js: python -m benchmarks.gltf_import IN.amc [IN.bvh DATA.h5 ...] --bpy PYTHON --three FOLDER.

Each motion-capture file is converted to .glb, each sequence of a dataset or predictions file (at most 8, evenly spread, or those that --clips
selects) exported to it. It is loaded by the glTF importer of Blender and by the GLTFLoader of three.js in headless Chromium, and the places of all
joints are compared, in several frames: with the positions that a dataset file holds, taken to the world; else with mocapgen's own forward kinematics.
With --pictures, three.js also draws a frame of each from the front and from the side. Not part of the test suite: PYTHON is a Python 3.11 with
the package bpy (pip install bpy), FOLDER has the npm package three in its node_modules; either may be left out.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.blender_import import FRAMES, SEQUENCES

Case = tuple[str, Path, list[str], Any, float]
"""A name, a .glb file, the names of its joints, where they are: (T, J, 3) metres, world frame, and frames per second."""

IN_BLENDER = """
import bpy, json, sys
path, out, seconds = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=path)
(armature,) = [thing for thing in bpy.data.objects if thing.type == "ARMATURE"]
scene, places = bpy.context.scene, []
for second in json.loads(seconds):
    frame = second * scene.render.fps / scene.render.fps_base
    scene.frame_set(int(frame), subframe=frame % 1.0)
    heads = {bone.name: armature.matrix_world @ bone.head for bone in armature.pose.bones}
    places.append({name: [x, z, -y] for name, (x, y, z) in heads.items()})  # Blender's z is up, its -y is our z
json.dump(places, open(out, "w"))
"""

PAGE = """<!doctype html><style>body { margin: 0 }</style>
<script type="importmap">{"imports": {
  "three": "/node_modules/three/build/three.module.js",
  "three/addons/": "/node_modules/three/examples/jsm/"
}}</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(innerWidth, innerHeight);
document.body.append(renderer.domElement);
window.load = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const gltf = await new GLTFLoader().parseAsync(bytes.buffer, "");
  const mixer = new THREE.AnimationMixer(gltf.scene);
  const action = mixer.clipAction(gltf.animations[0]);
  action.setLoop(THREE.LoopOnce);
  action.clampWhenFinished = true;
  action.play();
  const joints = gltf.parser.json.skins[0].joints.map((index) => gltf.parser.json.nodes[index].name);
  const bones = [];
  gltf.scene.traverse((thing) => { if (thing.isSkinnedMesh && !bones.length) bones.push(...thing.skeleton.bones); });
  window.at = (second) => {
    mixer.setTime(second);
    gltf.scene.updateMatrixWorld(true);
    const place = new THREE.Vector3();
    return Object.fromEntries(bones.map((bone, index) => [joints[index], bone.getWorldPosition(place).toArray()]));
  };
  window.draw = (second, angle) => {
    window.at(second);
    const scene = new THREE.Scene();
    scene.background = new THREE.Color("#f4f4f0");
    scene.add(gltf.scene, new THREE.HemisphereLight("#ffffff", "#888880", 2), new THREE.GridHelper(10, 20, "#888888", "#cccccc"));
    const sun = new THREE.DirectionalLight("#ffffff", 2);
    sun.position.set(2, 5, 3);
    scene.add(sun);
    const root = bones[0].getWorldPosition(new THREE.Vector3());
    const camera = new THREE.PerspectiveCamera(35, innerWidth / innerHeight, 0.1, 100);
    camera.position.set(root.x + 4 * Math.sin(angle), 1.3, root.z + 4 * Math.cos(angle));
    camera.lookAt(root.x, 0.95, root.z);
    renderer.render(scene, camera);
  };
};
window.ready = true;
</script>"""


def cases(source: Path, folder: Path, clips: tuple[str, ...]) -> Iterator[Case]:
    """Write the .glb files of a source."""
    from mocapgen import forward_kinematics, read
    from mocapgen.export import export
    from mocapgen.export.export_input import ExportInput, SequenceFilter
    from mocapgen.reading.convert import convert
    from mocapgen.store import open_any

    if source.suffix != ".h5":
        out, motion = folder / f"{source.stem}.glb", read(source)
        convert(source, out)
        yield source.name, out, list(motion.skeleton.names), forward_kinematics(motion), motion.fps
        return
    for kind in ("gltf", "bvh"):
        export(source, kind, folder / kind, clips=clips)
    with open_any(source) as data:
        opened = ExportInput(data)
        items = opened.select(SequenceFilter(clips=clips))
        for item in items[:: max(len(items) // SEQUENCES, 1)][:SEQUENCES]:
            names, positions = list(opened.bones), opened.world(item)
            if opened.predicted:  # solved to rotations, in BVH as in glTF
                motion = read(folder / "bvh" / f"{item.name}.bvh", scale=0.01, up="y")
                names, positions = list(motion.skeleton.names), forward_kinematics(motion)
            yield item.name, folder / "gltf" / f"{item.name}.glb", names, positions, opened.fps


def in_blender(path: Path, seconds: list[float], python: str, folder: Path) -> list[dict[str, list[float]]]:
    """Return where Blender has each joint at some times."""
    script, result = folder / "in_blender.py", folder / "places.json"
    script.write_text(IN_BLENDER)
    done = subprocess.run([python, str(script), str(path), str(result), json.dumps(seconds)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{path.name}: Blender ended with status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    found: list[dict[str, list[float]]] = json.loads(result.read_text())
    return found


class Three:
    """three.js in headless Chromium."""

    def __init__(self, folder: Path, size: tuple[int, int] = (640, 720)) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        self._browser = self._playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--enable-unsafe-swiftshader"])
        self.page = self._browser.new_page(viewport={"width": size[0], "height": size[1]})
        self.page.route("http://three/**", lambda route: self._serve(route, folder))
        self.page.goto("http://three/")
        self.page.wait_for_function("window.ready")

    def _serve(self, route: Any, folder: Path) -> None:
        path = route.request.url.removeprefix("http://three/")
        if not path:
            route.fulfill(body=PAGE, content_type="text/html")
        elif (folder / path).is_file():
            route.fulfill(body=(folder / path).read_text(), content_type="text/javascript")
        else:
            route.fulfill(status=404)

    def places(self, path: Path, seconds: list[float]) -> list[dict[str, list[float]]]:
        """Return where three.js has each joint at some times."""
        self.page.evaluate("(text) => window.load(text)", base64.b64encode(path.read_bytes()).decode())
        return [self.page.evaluate("(second) => window.at(second)", second) for second in seconds]

    def draw(self, out: Path, second: float) -> None:
        """Draw what was loaded last, from the front and from the side."""
        for view, angle in (("front", 0.0), ("side", 1.5708)):
            self.page.evaluate("([second, angle]) => window.draw(second, angle)", [second, angle])
            self.page.screenshot(path=out.with_name(f"{out.stem}-{view}.png"))

    def close(self) -> None:
        """End the browser."""
        self._browser.close()
        self._playwright.stop()


def compare(found: list[dict[str, list[float]]], frames: list[int], case: Case) -> tuple[int, float, str]:
    """Return how many joints were compared, the largest distance in millimetres, and where it is."""
    import numpy as np

    name, _, names, positions, _ = case
    shared = [joint for joint in names if joint in found[0]]
    if len(shared) < 0.75 * len(names):
        sys.exit(f"{name}: expected the joints {', '.join(names)}, found {', '.join(found[0])}")
    theirs = np.array([[places[joint] for joint in shared] for places in found])
    apart = 1000.0 * np.linalg.norm(theirs - positions[frames][:, [names.index(joint) for joint in shared]], axis=-1)
    row, joint = np.unravel_index(int(apart.argmax()), apart.shape)
    return len(shared), float(apart.max()), f"{shared[joint]}, frame {frames[row]}"


def main() -> None:
    """Compare the files of the command line; the exit status is 1 if any is more than a millimetre off."""
    import numpy as np

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--bpy", metavar="PYTHON", help="a Python that has the package bpy")
    parser.add_argument("--three", type=Path, metavar="FOLDER", help="where node_modules/three is")
    parser.add_argument("--clips", default="", help="of dataset and predictions files, only these; wildcards, comma-separated")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw a frame of each with three.js")
    arguments = parser.parse_args()
    clips, off = tuple(filter(None, arguments.clips.split(","))), False
    three = Three(arguments.three) if arguments.three else None
    for source in arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            for case in cases(source, Path(folder), clips):
                name, path, _, positions, fps = case
                frames = np.unique(np.linspace(0, len(positions) - 1, FRAMES).astype(int)).tolist()
                seconds = [frame / fps for frame in frames]
                results = {"Blender": in_blender(path, seconds, arguments.bpy, Path(folder))} if arguments.bpy else {}
                results |= {"three.js": three.places(path, seconds)} if three else {}
                for program, found in results.items():
                    joints, worst, where = compare(found, frames, case)
                    off |= worst > 1.0
                    print(f"{name} in {program}: {joints} joints x {len(frames)} frames, at most {worst:.4f} mm apart ({where})")
                if three and arguments.pictures:
                    three.draw(arguments.pictures / path.stem, seconds[len(seconds) // 2])
    if three:
        three.close()
    sys.exit(off)


if __name__ == "__main__":
    main()
