// Vectors, and the observer of the 3D pane. World: right-handed, y up; a person at rest looks along +z.
(function (mp) {
  "use strict";

  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const add = (a, b, scale = 1) => [a[0] + scale * b[0], a[1] + scale * b[1], a[2] + scale * b[2]];
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const length = (a) => Math.sqrt(dot(a, a));
  const unit = (a) => a.map((value) => value / (length(a) || 1));
  const finite = (a) => Number.isFinite(a[0]) && Number.isFinite(a[1]) && Number.isFinite(a[2]);

  const NEAR = 0.02; // metres: nothing nearer to the observer is drawn
  const FIELD = (40 * Math.PI) / 180; // of view, along the shorter side of the pane
  const STEEPEST = (89.9 * Math.PI) / 180;

  // The file's camera in the world: X_camera = R X_world + t, y up in a left-handed frame, down in a right-handed one.
  function cameraAxes(camera) {
    const [right, second, forward] = [0, 1, 2].map((row) => camera.R.slice(3 * row, 3 * row + 3));
    const up = dot(cross(right, second), forward) < 0 ? second : second.map((value) => -value);
    const eye = [0, 1, 2].map((k) => -(right[k] * camera.t[0] + second[k] * camera.t[1] + forward[k] * camera.t[2]));
    return { eye, right, up, forward };
  }

  function toCamera(camera, x, y, z) {
    const R = camera.R;
    const t = camera.t;
    return [
      R[0] * x + R[1] * y + R[2] * z + t[0],
      R[3] * x + R[4] * y + R[5] * z + t[1],
      R[6] * x + R[7] * y + R[8] * z + t[2],
    ];
  }

  // By the same rule as mocapgen.camera.Camera.project: NaN in the camera's own plane.
  function toPixel(camera, x, y, z) {
    const p = toCamera(camera, x, y, z);
    if (!(Math.abs(p[2]) >= 1e-6)) return [NaN, NaN];
    return [(camera.K[0] * p[0]) / p[2] + camera.K[2], (camera.K[4] * p[1]) / p[2] + camera.K[5]];
  }

  // The point of the world that is seen at a pixel, at a depth.
  function fromPixel(camera, axes, u, v, depth) {
    const x = ((u - camera.K[2]) / Math.abs(camera.K[0])) * depth;
    const y = ((v - camera.K[5]) / Math.abs(camera.K[4])) * depth;
    return add(add(add(axes.eye, axes.right, x), axes.up, -y), axes.forward, depth);
  }

  // Where the observer stands and looks: an orbit around a target, or exactly where a camera of the file stands.
  function observer(orbit, width, height) {
    if (orbit.camera) {
      const axes = cameraAxes(orbit.camera);
      const frame = fitImage(orbit.camera, width, height, 1, 0, 0);
      return {
        ...axes,
        focal: Math.abs(orbit.camera.K[0]) * frame.scale,
        tall: Math.abs(orbit.camera.K[4]) * frame.scale,
        x: frame.x + orbit.camera.K[2] * frame.scale,
        y: frame.y + orbit.camera.K[5] * frame.scale,
      };
    }
    const flat = Math.cos(orbit.pitch);
    const back = [Math.sin(orbit.yaw) * flat, Math.sin(orbit.pitch), Math.cos(orbit.yaw) * flat];
    const forward = back.map((value) => -value);
    const right = unit(cross(forward, [0, 1, 0]));
    const focal = (0.5 * Math.min(width, height)) / Math.tan(FIELD / 2);
    return {
      eye: add(orbit.target, back, orbit.distance),
      right,
      up: cross(right, forward),
      forward,
      focal,
      tall: focal,
      x: width / 2,
      y: height / 2,
    };
  }

  // To the observer's own axes (right, up, forward), and from there to the pane.
  const seen = (view, p) => {
    const d = add(p, view.eye, -1);
    return [dot(d, view.right), dot(d, view.up), dot(d, view.forward)];
  };
  const onPane = (view, s) => [view.x + (view.focal * s[0]) / s[2], view.y - (view.tall * s[1]) / s[2], s[2]];

  function point(view, p) {
    const s = seen(view, p);
    return s[2] > NEAR ? onPane(view, s) : null;
  }

  // A line, cut off at the observer: two points on the pane, or null.
  function segment(view, a, b) {
    let [s, e] = [seen(view, a), seen(view, b)];
    if (!(s[2] > NEAR) && !(e[2] > NEAR)) return null;
    const cut = (from, to) => add(from, add(to, from, -1), (NEAR - from[2]) / (to[2] - from[2]));
    if (s[2] <= NEAR) s = cut(s, e);
    if (e[2] <= NEAR) e = cut(e, s);
    return [onPane(view, s), onPane(view, e)];
  }

  // The observer's place and projection as 4 x 4 matrices, row by row, for a camera that looks along -z with y up, as OpenGL's.
  function poseOf({ eye, right, up, forward }) {
    return [0, 1, 2].flatMap((k) => [right[k], up[k], -forward[k], eye[k]]).concat([0, 0, 0, 1]);
  }

  function projectionOf({ focal, tall, x, y }, width, height, near, far) {
    const deep = far - near;
    return [
      (2 * focal) / width, 0, 1 - (2 * x) / width, 0,
      0, (2 * tall) / height, (2 * y) / height - 1, 0,
      0, 0, -(far + near) / deep, (-2 * far * near) / deep,
      0, 0, -1, 0,
    ];
  }

  // Where the image lies in its pane: pixel (u, v) at (x + scale u, y + scale v).
  function fitImage(camera, width, height, zoom, panX, panY) {
    const margin = 0.94;
    const scale = margin * zoom * Math.min(width / camera.width, height / camera.height);
    return { scale, x: (width - scale * camera.width) / 2 + panX, y: (height - scale * camera.height) / 2 + panY };
  }

  mp.space = {
    add, cameraAxes, cross, dot, finite, fitImage, fromPixel, length, observer, point, poseOf, projectionOf, seen, segment, toCamera, toPixel, unit,
    FIELD, STEEPEST,
  };
})((globalThis.MocapPlayer ||= {}));
