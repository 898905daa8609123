"""What is attacked: every kind of file that the programs read, and the commands that read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A kind of input and what reads it.

    Parameters
    ----------
    name : str
    files : tuple of str
        Sound files, relative to the folder of seeds; one of them is damaged in each case.
    commands : tuple of str
        Command lines, one of which runs in an empty folder: ``{file}`` is the damaged file, ``{text}`` what it holds, ``{seeds}`` the folder of
        sound files, ``{folder}`` the copy of `folder`.
    weight : int
        Share of the cases.
    folder : str
        A folder of the seeds that is copied, and whose file is damaged.
    beside : tuple of str
        Sound files that lie beside the damaged one.
    words : tuple of bytes
        Words that mean something in the format.
    names_file : bool
        Whether a refusal must name the damaged file.
    sound : bool
        Whether the commands succeed with the sound files.
    takes : float
        Seconds of the processor that sound files take, if that is a good part of what a case may take.
    """

    name: str
    files: tuple[str, ...]
    commands: tuple[str, ...]
    weight: int = 10
    folder: str = ""
    beside: tuple[str, ...] = ()
    words: tuple[bytes, ...] = ()
    names_file: bool = True
    sound: bool = True
    takes: float = 0.0

    @property
    def folder_name(self) -> str:
        """Its name as one of a folder."""
        return self.name.replace(",", "").replace(" ", "_")


_BVH = (
    b"HIERARCHY",
    b"ROOT",
    b"JOINT",
    b"End Site",
    b"OFFSET",
    b"CHANNELS",
    b"MOTION",
    b"Frames:",
    b"Frame Time:",
    b"Hips",
    b"Xrotation",
    b"Yposition",
)
_ASF = (
    b":root",
    b":units",
    b"begin",
    b"end",
    b"root",
    b"lfoot",
    b"rx",
    b"tx",
    b"XYZ",
    b"length",
    b"dof",
    b"axis",
    b"limits",
    b":DEGREES",
    b":RADIANS",
)
_LABELS = (
    b"POINT",
    b"RATE",
    b"LABELS",
    b"SCALE",
    b"UNITS",
    b"FRAMES",
    b"USED",
    b"SUBJECTS",
    b"*1",
    b":",
    b"mm",
    b"\x02\x50",
    b"\x54",
    b"\x55",
    b"\x56",
)
_AMASS = (
    b"poses.npy",
    b"trans.npy",
    b"betas.npy",
    b"gender.npy",
    b"mocap_framerate.npy",
    b"root_orient.npy",
    b"descr",
    b"<f8",
    b"|O",
    b"shape",
    b"PK",
)
_COLUMNS = (b"file", b"actor", b"fps", b"x", b"y", b"frame", b"nose_x", b"scorer", b"bodyparts", b"coords", b"likelihood", b'""', b'"', b"\t")
_PICKLE = (
    b"cos\nsystem\n",
    b"c__builtin__\neval\n",
    b"R",
    b".",
    b"(",
    b"0",
    b"cnumpy\nndarray\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"\x80\x05",
)
_JSON = tuple(f"keypoints/{name}" for name in ("own.json", "alphapose.json", "coco.json", "mmpose.json", "ultralytics.json", "by_frame.json"))
_JSON = (*_JSON, "keypoints/landmarks.json", "keypoints/poses.json", "keypoints/lines.jsonl")
_FOLDER = "mocapgen build --source folder --fps 60 --min-frames 1 --workers 1 --out out.h5"
_BUILD = f"{_FOLDER} --avatars average_man"
_OPTIONS = "--fps 30 --image 1920x1080 --device cpu --threads 1 --out out.h5"
_SERIES = (
    "trainer experiments {seeds}/data.h5 --out {folder} --recipes {seeds}/run.yaml --seeds 0 --only A --epochs 1 --set test_share=0.5 --finished"
)
_FETCH = "mocapgen fetch hdm05 --to {folder} --insecure --url http://127.0.0.1:9/none.zip"
_FIT = "trainer fit {seeds}/data.h5 --device cpu --threads 1 --out out"

TARGETS = (
    Target(
        "bvh",
        ("walk.bvh", "kick.bvh"),
        (
            "mocapgen convert {file} out.bvh",
            "mocapgen convert {file} out.amc --lenient",
            "mocapgen convert {file} out.c3d",
            f"{_BUILD} --root {{file}}",
        ),
        60,
        words=_BVH,
    ),
    Target(
        "amc",
        ("HDM_sa_walk_001_120.amc",),
        ("mocapgen convert {file} out.bvh", "mocapgen convert {file} out.trc", f"{_BUILD} --root {{file}}"),
        40,
        beside=("HDM_sa.asf",),
        words=_ASF,
    ),
    Target(  # where skeleton and motion do not fit together, the line of the motion is named
        "asf", ("HDM_sa.asf",), ("mocapgen convert {seeds}/HDM_sa_walk_001_120.amc out.bvh --asf {file}",), 40, words=_ASF, names_file=False
    ),
    Target(
        "amass",
        ("smpl_poses.npz", "smplx_poses.npz"),
        (
            "mocapgen convert {file} out.bvh",
            "mocapgen convert {file} out.amc --source-up y --source-fps 50",
            "mocapgen convert {file} out.trc --body-model {seeds}",
            f"{_BUILD} --root {{file}}",
        ),
        20,
        words=_AMASS,
    ),
    Target(
        "body model", ("smpl.pkl", "SMPL_FEMALE.npz"), ("mocapgen convert {seeds}/smpl_poses.npz out.bvh --body-model {file}",), 10, words=_PICKLE
    ),
    Target(
        "c3d",
        ("walk.c3d", "kick.c3d"),
        ("mocapgen convert {file} out.bvh --lenient", "mocapgen convert {file} out.glb", f"{_BUILD} --root {{file}}"),
        30,
        words=_LABELS,
    ),
    Target("clips.zip", ("clips.zip",), (f"{_BUILD} --root {{file}}", f"{_BUILD} --root {{file}} --dry-run"), 20),
    Target(
        "dataset",
        ("data.h5", "data_old.h5", "more.h5"),
        (
            "mocapgen inspect {file} --json out.json",
            "mocapgen inspect {file} --workers 1",
            "mocapgen view {file} --out out.html",
            "mocapgen select {file} --actors sb --out out.h5",
            "mocapgen select {file} --min-frames 3 --out out.h5",
            "mocapgen merge {file} {seeds}/more.h5 --out out.h5",
            "mocapgen export {file} --format bvh --out out",
            "mocapgen export {file} --format csv --out out",
            "mocapgen export {file} --format npz --space camera --out out.npz",
            "mocapgen export {file} --format videopose3d --out out",
            "mocapgen export {file} --format mmpose --out out",
            "trainer evaluate {seeds}/run {file} --side all --device cpu --threads 1 --json out.json",
            "trainer predict {seeds}/run {file} --device cpu --threads 1 --out out.h5",
            "library open_dataset {file}",
            "library PoseDataset {file}",
        ),
        200,
    ),
    Target("dataset to train on", ("data.h5", "data_old.h5"), ("trainer fit {file} --config {seeds}/run.yaml --out out",), 10),
    Target(
        "dataset to draw",
        ("data.h5", "data_old.h5"),
        ("mocapgen render {file} --frame 0 --size 200x100 --out out.png", "mocapgen inspect {file} --html out.html"),
        10,
    ),
    Target(
        "predictions",
        ("pred.h5", "person.h5", "pred_old.h5", "person_old.h5"),
        (
            "mocapgen inspect {file} --json out.json",
            "mocapgen view {file} --out out.html",
            "mocapgen export {file} --format bvh --avatar average_man --out out",
            "mocapgen export {file} --format trc --out out",
            "mocapgen export {file} --format npz --out out.npz",
            "library open_predictions {file}",
        ),
        90,
    ),
    Target("predictions to compare", ("pred.h5", "pred_old.h5"), ("mocapgen view {seeds}/data.h5 --predictions {file} --out out.html",), 10),
    Target("keypoints, own JSON", ("keypoints/own.json",), ("trainer predict {seeds}/live {file} --device cpu --threads 1 --out out.h5",), 20),
    Target(
        "keypoints, JSON",
        _JSON,
        (f"trainer predict {{seeds}}/live {{file}} {_OPTIONS}",),
        60,
    ),
    Target(
        "keypoints, arrays",
        tuple(f"keypoints/{name}" for name in ("array.npy", "array.npz", "packed.npz", "detectron2.npz", "videopose3d.npz", "own.pkl")),
        (f"trainer predict {{seeds}}/live {{file}} {_OPTIONS} --layout coco17",),
        60,
        words=_PICKLE,
    ),
    Target(
        "keypoints, packed",
        ("keypoints/packed.json.gz", "keypoints/frames.zip"),
        (f"trainer predict {{seeds}}/live {{file}} {_OPTIONS} --layout coco17",),
        20,
    ),
    Target(
        "keypoints, HDF5",
        ("keypoints/sleap.h5", "keypoints/deeplabcut.h5"),
        (f"trainer predict {{seeds}}/live {{file}} {_OPTIONS}",),
        40,
        words=_PICKLE,
    ),
    Target(
        "keypoints, tables",
        ("keypoints/mediapipe.csv", "keypoints/sleap.csv", "keypoints/long.csv"),
        (f"trainer predict {{seeds}}/live {{file}} {_OPTIONS}",),
        40,
        words=_COLUMNS,
    ),
    Target(
        "keypoints, folder of JSON", ("clip_000000000001_keypoints.json",), (f"trainer predict {{seeds}}/live {{folder}} {_OPTIONS}",), 15, "openpose"
    ),
    Target("keypoints, folder of texts", ("clip_2.txt",), (f"trainer predict {{seeds}}/live {{folder}} {_OPTIONS}",), 15, "yolo"),
    Target(
        "avatar",
        ("avatar.json",),
        (f"{_FOLDER} --root {{seeds}}/kick.bvh --avatars {{file}}", "mocapgen export {seeds}/person.h5 --format bvh --avatar {file} --out out"),
        30,
    ),
    Target(
        "build settings", ("build.yaml",), ("mocapgen build --config {file} --root {seeds}/kick.bvh --workers 1 --out out.h5",), 40, names_file=False
    ),
    Target("profile", ("profile.yaml",), ("mocapgen convert {seeds}/kick.bvh out.bvh --profile {file}",), 20),
    Target("marker set", ("markers.yaml", "markers_more.yaml"), ("mocapgen convert {seeds}/kick.c3d out.bvh --marker-set {file}",), 20),
    Target("policy", ("policy.yaml",), ("mocapgen inspect {seeds}/pred.h5 --policy {file} --workers 1",), 20),
    Target("table of clips", ("table.csv",), (f"{_BUILD} --root {{seeds}}/clips --table {{file}} --dry-run",), 20, words=_COLUMNS),
    Target(
        "training settings",
        ("train.yaml", "run.yaml"),
        (f"{_FIT} --config {{file}} --epochs 1", f"{_FIT} --recipe {{file}} --epochs 1"),
        30,
        names_file=False,
    ),
    Target(
        "one training setting",
        tuple(f"setting{number}.txt" for number in range(6)),
        (f"{_FIT} --config {{seeds}}/run.yaml --set {{text}}",),
        20,
        names_file=False,
    ),
    Target("list of the test side", ("split.txt",), (f"{_FIT} --config {{seeds}}/run.yaml --split {{file}}",), 10),
    Target(
        "weights",
        ("best.safetensors", "best.json"),
        (
            "trainer evaluate {folder} {seeds}/data.h5 --side all --device cpu --threads 1",
            "trainer predict {folder} {seeds}/person.json --device cpu --threads 1 --out out.h5",
            "trainer predict {folder}/best.safetensors {seeds}/person.json --device cpu --threads 1 --out out.h5",
            "library load {folder}",
        ),
        50,
        "live",
    ),
    Target(
        "run",
        ("last.safetensors", "last.json", "config.json", "split.json", "log.csv", "log.jsonl", "metrics.json"),
        (
            "trainer fit {seeds}/data.h5 --out {folder} --resume",
            "mocapgen inspect {seeds}/data.h5 --split {folder}",
            "trainer evaluate {folder} {seeds}/data.h5 --device cpu --threads 1",
        ),
        30,
        "run",
    ),
    Target(
        "series",
        (
            "results.json",
            "runs/run-A-s0/result.json",
            "runs/run-A-s0/evaluation-test.json",
            "runs/run-A-s0/examples.npz",
            "runs/run-A-s0/config.json",
        ),
        (_SERIES,),
        5,
        "series",
        takes=1.5,
    ),
    Target("download", ("HDM05_cut_amc.zip.json", "HDM05_cut_amc.zip"), (_FETCH,), 10, "store"),
    Target("download, begun", (".HDM05_cut_amc.zip.partial.json",), (_FETCH,), 5, "begun", names_file=False, sound=False),
    Target("video", ("clip.mp4",), ("mocapgen view {seeds}/person.h5 --video {file} --out out.html",), 15),
)
