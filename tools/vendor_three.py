"""Bundle what the player uses of three.js into one script: python -m tools.vendor_three (needs Node.js with npm, and its registry)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

THREE, ESBUILD = "0.187.0", "0.28.2"
USED = (
    *("BufferAttribute", "BufferGeometry", "CircleGeometry", "Color", "DirectionalLight", "DoubleSide", "DynamicDrawUsage", "GreaterDepth"),
    *("HemisphereLight", "InstancedBufferAttribute", "InstancedBufferGeometry", "Mesh", "MeshBasicMaterial", "MeshDepthMaterial"),
    *(
        "MeshLambertMaterial",
        "PCFShadowMap",
        "PerspectiveCamera",
        "Scene",
        "ShaderMaterial",
        "ShadowMaterial",
        "Vector2",
        "Vector3",
        "WebGLRenderer",
    ),
)
FOLDER = Path(__file__).parents[1] / "mocapgen/view/assets/vendor"


def main() -> None:
    """Write ``three.min.js`` and its licence."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("vendor_three: expected the program npm, found none; install Node.js")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([npm, "install", "--prefix", name, "--no-audit", "--no-fund", f"three@{THREE}", f"esbuild@{ESBUILD}"], check=True)
        (folder / "entry.js").write_text(f'export {{ {", ".join(USED)} }} from "three";\n', encoding="utf-8")
        options = ["--bundle", "--minify", "--format=iife", "--global-name=MocapThree", "--legal-comments=none", "--target=es2022"]
        banner = f"--banner:js=/* three.js {THREE}, MIT, https://threejs.org: the parts in tools/vendor_three.py */"
        command = [str(folder / "node_modules/.bin/esbuild"), "entry.js", *options, banner, "--outfile=three.min.js"]
        subprocess.run(command, cwd=folder, check=True)
        FOLDER.mkdir(exist_ok=True)
        shutil.copy(folder / "three.min.js", FOLDER)
        shutil.copy(folder / "node_modules/three/LICENSE", FOLDER / "three.LICENSE")


if __name__ == "__main__":
    main()
