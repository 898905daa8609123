// What lies over the picture of the 3D pane: names, the marked joint, labels and axes; where there is no picture the bodies too, as sticks.
(function (mp) {
  "use strict";

  const { space } = mp;
  const LIFTS = [22, 37, 52, 67]; // pixels above a body where its label may be

  function prepared(canvas, width, height, style) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const ctx = canvas.getContext("2d");
    for (const [side, size] of [["width", width], ["height", height]]) {
      const wanted = Math.round(size * ratio);
      if (canvas[side] !== wanted) canvas[side] = wanted;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    mp.draw.begin(ctx, width, height, style);
    return ctx;
  }

  // Where there is no picture, or not yet.
  function sticks(ctx, world, view, points) {
    const { style } = world;
    world.bodies.forEach(({ source, kind, over }, number) => {
      const colours = kind === "truth" ? mp.draw.coloursOf(source.figure, style) : source.figure.names.map(() => style.predicted);
      const thick = (depth) => Math.min(14, Math.max(2, ((over ? 0.018 : 0.035) * view.focal) / Math.max(depth, 0.1)));
      mp.draw.stick(ctx, source.figure, points[number], style, colours, thick);
    });
  }

  // A body's label, above its highest joint, and above other labels that it would cover; where there is no room at all, it has none.
  function label(ctx, text, points, style, width, taken) {
    const known = points.filter(Boolean);
    if (!text || !known.length) return;
    const top = known.reduce((one, other) => (other[1] < one[1] ? other : one));
    const half = mp.draw.widthOf(ctx, text) / 2 + 3;
    const x = Math.min(Math.max(top[0], half), width - half);
    const y = LIFTS.map((lift) => top[1] - lift).find((place) => mp.draw.take([x - half, place - 7, x + half, place + 7], taken));
    if (y !== undefined) mp.draw.label(ctx, text, [x - half + 3, y], style);
  }

  function axes(ctx, view, height, style) {
    const origin = [30, height - 30];
    const marks = [["x", style.x], ["y", style.y], ["z", style.z]].map(([name, colour], axis) => ({
      name, colour, x: view.right[axis], y: -view.up[axis], depth: view.forward[axis],
    }));
    marks.sort((one, other) => other.depth - one.depth);
    for (const { name, colour, x, y } of marks) {
      mp.draw.line(ctx, [origin, [origin[0] + 18 * x, origin[1] + 18 * y]], colour, 2);
      mp.draw.label(ctx, name, [origin[0] + 25 * x - 3, origin[1] + 25 * y], style, colour);
    }
  }

  function draw(world, view, width, height) {
    const { bodies, options, style } = world;
    const ctx = prepared(world.canvas, width, height, style);
    const points = bodies.map((_, number) => world.points(number));
    ctx.globalAlpha = world.plain;
    if (world.plain) sticks(ctx, world, view, points);
    ctx.globalAlpha = 1;
    const marked = options.joint;
    const taken = []; // by labels
    bodies.forEach(({ source, label: text }, number) => {
      const joint = marked?.body === number ? marked.joint : -1;
      if (options.names && number === 0) mp.draw.names(ctx, source.figure, points[number], style, joint);
      label(ctx, text, points[number], style, width, taken);
      mp.draw.emphasis(ctx, source.figure, points[number], joint, style);
    });
    axes(ctx, view, height, style);
  }

  mp.over = { draw };
})((globalThis.MocapPlayer ||= {}));
