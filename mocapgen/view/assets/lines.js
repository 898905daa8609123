// The lines of the 3D pane: the file's camera with its image and the pixels on it, trails, and what joins a prediction to the truth.
(function (mp) {
  "use strict";

  const { space, scene: scenes } = mp;
  const TRAIL = 1; // seconds
  const APART = 0.25; // how far the image plane is from the camera, of the way to the motion

  function camera({ stage, bodies, frame }, strokes, colours) {
    const [{ scene }] = bodies;
    const { camera, axes } = scene;
    const depth = APART * Math.max(0.5, space.length(space.add(scene.box.centre, axes.eye, -1)));
    if (!Number.isFinite(depth)) return;
    const place = (u, v) => space.fromPixel(camera, axes, u, v, depth);
    const corners = [[0, 0], [camera.width, 0], [camera.width, camera.height], [0, camera.height]].map((corner) => place(...corner));
    const top = space.add(place(camera.width / 2, 0), axes.up, 0.06 * depth);
    const edges = [...corners.map((corner) => [axes.eye, corner]), ...corners.map((corner, i) => [corner, corners[(i + 1) % 4]])];
    for (const [a, b] of [...edges, [corners[0], top], [top, corners[1]]]) strokes.add(a, b, colours.camera, [1.5, 1.5], [0.9, 0.9]);
    const { parents, sides } = scene.figure;
    const side = { l: colours.left, r: colours.right, c: colours.centre };
    const points = parents.map((_, joint) => {
      const i = 2 * (frame * parents.length + joint);
      return place(scene.pixels[i], scene.pixels[i + 1]);
    });
    parents.forEach((parent, joint) => {
      if (parent >= 0) strokes.add(points[parent], points[joint], side[sides[joint]], [2, 2], [1, 1]);
    });
  }

  // The last second of hands, feet and the like, and of the marked joint: thin and faint where it is long ago.
  function trails({ bodies, frame, options }, strokes, colours) {
    bodies.forEach(({ source, scene, offset, kind }, number) => {
      const { figure, world } = source;
      const { sides, parents } = figure;
      const side = kind === "truth" ? { l: colours.left, r: colours.right, c: colours.centre } : { l: colours.predicted, r: colours.predicted, c: colours.predicted };
      const marked = options.joint?.body === number ? [options.joint.joint] : [];
      const ends = parents.map((_, joint) => joint).filter((joint) => !parents.includes(joint));
      const first = Math.max(0, frame - Math.round(TRAIL * scene.fps));
      const age = (f) => (f - first) / Math.max(frame - first, 1);
      for (const joint of new Set([...ends, ...marked])) {
        let before = space.add(scenes.at(world, parents.length, first, joint), offset);
        for (let f = first + 1; f <= frame; f++) {
          const here = space.add(scenes.at(world, parents.length, f, joint), offset);
          strokes.add(before, here, side[sides[joint]], [1 + 2.5 * age(f - 1), 1 + 2.5 * age(f)], [0.8 * age(f - 1), 0.8 * age(f)]);
          before = here;
        }
      }
    });
  }

  // From each joint of a prediction that lies over the truth to the true one.
  function errors({ bodies }, strokes, colours) {
    for (const { over, body, source, scene } of bodies) {
      const truth = over && bodies.find((other) => other.source === scene);
      if (!truth) continue;
      source.same.forEach((joint, place) => {
        if (joint >= 0) strokes.add(truth.body.points[joint], body.points[place], colours.predicted, [1.5, 1.5], [0.6, 0.6]);
      });
    }
  }

  function draw(world, strokes, colours) {
    strokes.begin();
    const { options } = world;
    if (options.camera && world.view !== "camera") camera(world, strokes, colours);
    if (options.trails) trails(world, strokes, colours);
    errors(world, strokes, colours);
  }

  mp.lines = { draw };
})((globalThis.MocapPlayer ||= {}));
