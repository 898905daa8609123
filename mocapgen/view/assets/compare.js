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

  // Place bodies in a row: the first at its true place, each other one to the right or to the left of all before it.
  function row(bodies) {
    const direction = across(bodies[0].scene);
    let [leftmost, rightmost] = [null, null];
    for (const body of bodies) {
      const of = body.kind === "predicted" ? body.scene.predicted : body.scene;
      const placed = { shift: 0, ...reach(of.world, of.figure.names.length, body.scene.frames, direction) };
      if (!rightmost) leftmost = rightmost = placed;
      else if (body.left) {
        placed.shift = leftmost.shift - clear(placed, leftmost);
        leftmost = placed;
      } else {
        placed.shift = rightmost.shift + clear(rightmost, placed);
        rightmost = placed;
      }
      body.offset = direction.map((value) => value * placed.shift);
    }
  }

  // The bodies to draw, that of the first scene first: avatars to its right and left in turn, a prediction to the right of its truth or over it.
  function bodies(scenes, options) {
    const apart = options.predicted && options.apart;
    const standing = scenes.flatMap((scene, i) => {
      const left = i > 0 && i % 2 === (apart ? 1 : 0);
      const truth = { scene, kind: "truth", label: scene.row.avatar, left };
      if (!scene.predicted || !apart) return [truth];
      const guess = { scene, kind: "predicted", label: "prediction", left };
      return left ? [guess, truth] : [truth, guess];
    });
    row(standing);
    const over = apart || !options.predicted ? [] : standing.filter(({ scene }) => scene.predicted).map((body) => ({ ...body, kind: "predicted", label: "" }));
    if (standing.length === 1) standing[0].label = "";
    return [...standing, ...over];
  }

  mp.compare = { MOST, bodies };
})((globalThis.MocapPlayer ||= {}));
