// Which bodies are shown together, and where each stands: avatars of a clip side by side, a prediction over or beside the truth.
(function (mp) {
  "use strict";

  const MOST = 5; // avatars at once
  const GAP = 0.35; // metres between two bodies at their closest

  // The level direction to the right of the file's camera.
  function across(scene) {
    const [x, , z] = scene.axes.right;
    const length = Math.hypot(x, z);
    return length > 1e-3 ? [x / length, 0, z / length] : [1, 0, 0];
  }

  // How far a body reaches along a direction, frame by frame: [lowest, highest].
  function reach(world, joints, frames, direction) {
    const low = new Float64Array(frames).fill(Infinity);
    const high = new Float64Array(frames).fill(-Infinity);
    for (let frame = 0, i = 0; frame < frames; frame++) {
      for (let joint = 0; joint < joints; joint++, i += 3) {
        const place = world[i] * direction[0] + world[i + 2] * direction[2];
        if (place < low[frame]) low[frame] = place;
        if (place > high[frame]) high[frame] = place;
      }
    }
    return { low, high };
  }

  // The smallest shift to the right that keeps one body clear of another in every frame.
  function clear(left, right) {
    let shift = -Infinity;
    for (let frame = 0; frame < Math.min(left.high.length, right.low.length); frame++) {
      const needed = left.high[frame] - right.low[frame];
      if (Number.isFinite(needed) && needed > shift) shift = needed;
    }
    return Number.isFinite(shift) ? shift + GAP : GAP;
  }

  // Offsets of bodies in a row: the first at its true place, the others to its right and left in turn.
  function row(bodies) {
    const direction = across(bodies[0].scene);
    const reaches = bodies.map(({ scene, kind }) => {
      const of = kind === "predicted" ? scene.predicted : scene;
      return reach(of.world, of.figure.names.length, scene.frames, direction);
    });
    const shifts = [0];
    let [leftmost, rightmost] = [0, 0]; // places of the outermost bodies
    for (let i = 1; i < bodies.length; i++) {
      if (i % 2) {
        shifts.push(shifts[rightmost] + clear(reaches[rightmost], reaches[i]));
        rightmost = i;
      } else {
        shifts.push(shifts[leftmost] - clear(reaches[i], reaches[leftmost]));
        leftmost = i;
      }
    }
    return shifts.map((shift) => direction.map((value) => value * shift));
  }

  // The bodies to draw: the scene of the player first.
  function bodies(scenes, options) {
    const standing = [];
    for (const scene of scenes) {
      standing.push({ scene, kind: "truth", label: scene.row.avatar });
      if (scene.predicted && options.predicted && options.apart) standing.push({ scene, kind: "predicted", label: "prediction" });
    }
    row(standing).forEach((offset, i) => (standing[i].offset = offset));
    const over = standing.filter(({ scene, kind }) => kind === "truth" && scene.predicted && options.predicted && !options.apart);
    const all = [...standing, ...over.map((body) => ({ ...body, kind: "predicted", label: "" }))];
    if (all.length === 1 || (scenes.length === 1 && !options.apart)) all.forEach((body) => (body.label = ""));
    return all;
  }

  mp.compare = { MOST, bodies, row };
})((globalThis.MocapPlayer ||= {}));
