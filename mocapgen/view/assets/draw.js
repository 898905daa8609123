// Painting in two dimensions: the image plane with what lies on it, and names and marks. Nothing here changes what it is given.
(function (mp) {
  "use strict";

  const { space, scene: scenes } = mp;
  const SIDES = { l: "left", r: "right", c: "centre" };
  const BONE = 0.035; // metres: how thick a bone is drawn
  const TRAIL = 1; // seconds

  const known = (p) => Boolean(p) && Number.isFinite(p[0]) && Number.isFinite(p[1]);

  function line(ctx, points, colour, width, close = false) {
    ctx.beginPath();
    points.forEach((p, i) => (i ? ctx.lineTo(p[0], p[1]) : ctx.moveTo(p[0], p[1])));
    if (close) ctx.closePath();
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke();
  }

  function disc(ctx, p, radius, colour) {
    ctx.beginPath();
    ctx.arc(p[0], p[1], radius, 0, 2 * Math.PI);
    ctx.fillStyle = colour;
    ctx.fill();
  }

  function label(ctx, text, p, style, colour) {
    ctx.lineWidth = 3;
    ctx.strokeStyle = style.surface;
    ctx.strokeText(text, p[0], p[1]);
    ctx.fillStyle = colour || style.ink;
    ctx.fillText(text, p[0], p[1]);
  }

  function begin(ctx, width, height, style) {
    ctx.clearRect(0, 0, width, height);
    ctx.lineCap = ctx.lineJoin = "round";
    ctx.font = style.font;
    ctx.textBaseline = "middle";
    ctx.globalAlpha = 1;
  }

  // A stick figure from points on the pane: [x, y, depth]. Bones are drawn from back to front, each with a rim that lifts it off those behind.
  function stick(ctx, figure, points, style, colours, thick, rim = 2) {
    const bones = [];
    figure.parents.forEach((parent, joint) => {
      if (parent < 0 || !known(points[joint]) || !known(points[parent])) return;
      bones.push({ a: points[parent], b: points[joint], depth: (points[parent][2] + points[joint][2]) / 2, colour: colours[joint] });
    });
    bones.sort((one, other) => other.depth - one.depth);
    for (const { a, b, depth, colour } of bones) {
      const width = thick(depth);
      if (rim) line(ctx, [a, b], style.surface, width + rim);
      line(ctx, [a, b], colour, width);
    }
    figure.names.forEach((_, joint) => {
      const p = points[joint];
      if (known(p)) disc(ctx, p, thick(p[2]) * 0.62, colours[joint]);
    });
  }

  const coloursOf = (figure, style) => Array.from(figure.sides, (side) => style[SIDES[side]]);

  // Names beside the joints, each where it covers no other: to the right, left, above or below, or not at all.
  function names(ctx, figure, points, style, marked) {
    const taken = [];
    figure.names.forEach((name, joint) => {
      const p = points[joint];
      if (!known(p) || joint === marked) return;
      const width = widthOf(ctx, name);
      const places = [[8, 0], [-8 - width, 0], [-width / 2, -13], [-width / 2, 13], [8, -12], [8, 12], [-8 - width, -12], [-8 - width, 12]];
      for (const [dx, dy] of places) {
        const box = [p[0] + dx, p[1] + dy - 6, p[0] + dx + width, p[1] + dy + 6];
        if (!take(box, taken)) continue;
        label(ctx, name, [box[0], p[1] + dy], style, style.muted);
        return;
      }
    });
  }

  // Whether a box [left, top, right, bottom] covers no other: then it is one of them.
  function take(box, taken) {
    const free = !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    if (free) taken.push(box);
    return free;
  }

  const widths = new Map();

  function widthOf(ctx, text) {
    const key = `${ctx.font} ${text}`;
    if (!widths.has(key)) widths.set(key, ctx.measureText(text).width);
    return widths.get(key);
  }

  function emphasis(ctx, figure, points, joint, style) {
    const p = points[joint];
    if (joint < 0 || p === undefined || !known(p)) return;
    ctx.beginPath();
    ctx.arc(p[0], p[1], 9, 0, 2 * Math.PI);
    ctx.strokeStyle = style.surface;
    ctx.lineWidth = 5;
    ctx.stroke();
    ctx.strokeStyle = style.mark;
    ctx.lineWidth = 2.5;
    ctx.stroke();
    label(ctx, figure.names[joint], [p[0] + 14, p[1] - 10], style);
  }

  // The last second of some joints, fading; `place(frame, joint)` is a point on the pane or null.
  function trails(ctx, scene, frame, joints, place, colours) {
    const first = Math.max(0, frame - Math.round(TRAIL * scene.fps));
    for (const joint of joints) {
      let before = place(first, joint);
      for (let f = first + 1; f <= frame; f++) {
        const p = place(f, joint);
        if (known(p) && known(before)) {
          ctx.globalAlpha = 0.1 + (0.7 * (f - first)) / (frame - first);
          line(ctx, [before, p], colours[joint], 2);
        }
        before = p;
      }
    }
    ctx.globalAlpha = 1;
  }

  const trailing = (scene, options) => [...new Set([...scene.ends, ...(options.joint >= 0 ? [options.joint] : [])])];

  // Predicted joints in the world, moved to the true root if that is asked for.
  function predictedPoints(scene, frame, options) {
    const { predicted } = scene;
    const shift = (options.aligned && scenes.shiftToRoot(predicted, scene, frame)) || [0, 0, 0];
    return predicted.figure.names.map((_, joint) => space.add(scenes.at(predicted.world, predicted.figure.names.length, frame, joint), shift));
  }

  // The image plane ----------------------------------------------------------------------------------

  // Where the file's pixels lie on the pane: a point [x, y, depth] for each joint.
  function imagePoints(scene, frame, fit) {
    const joints = scene.figure.names.length;
    return scene.figure.names.map((_, joint) => {
      const i = frame * joints + joint;
      return [fit.x + fit.scale * scene.pixels[2 * i], fit.y + fit.scale * scene.pixels[2 * i + 1], depthOf(scene, i)];
    });
  }

  function depthOf(scene, i) {
    const depth = space.toCamera(scene.camera, scene.world[3 * i], scene.world[3 * i + 1], scene.world[3 * i + 2])[2];
    return Number.isFinite(depth) ? depth : 0;
  }

  function image(ctx, scene, frame, fit, style, options) {
    const { width, height } = ctx.canvas.logical;
    begin(ctx, width, height, style);
    ctx.fillStyle = style.image;
    ctx.fillRect(fit.x, fit.y, fit.scale * scene.camera.width, fit.scale * scene.camera.height);
    if (options.video) ctx.drawImage(options.video, fit.x, fit.y, fit.scale * scene.camera.width, fit.scale * scene.camera.height);
    ctx.strokeStyle = style.border;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(fit.x, fit.y, fit.scale * scene.camera.width, fit.scale * scene.camera.height);
    const colours = coloursOf(scene.figure, style);
    const points = imagePoints(scene, frame, fit);
    if (options.trails) trails(ctx, scene, frame, trailing(scene, options), (f, joint) => imagePoint(scene, f, joint, fit), colours);
    const thick = Math.min(7, Math.max(2, (BONE * Math.abs(scene.camera.K[0]) * fit.scale) / meanDepth(points)));
    stick(ctx, scene.figure, points, style, colours, () => thick);
    if (scene.predicted && options.predicted) {
      const guess = predictedPoints(scene, frame, options).map((p) => {
        const pixel = space.toPixel(scene.camera, ...p);
        return [fit.x + fit.scale * pixel[0], fit.y + fit.scale * pixel[1], 0];
      });
      stick(ctx, scene.predicted.figure, guess, style, scene.predicted.figure.names.map(() => style.predicted), () => Math.max(1.25, thick * 0.45), 0);
    }
    if (options.names) names(ctx, scene.figure, points, style, options.joint);
    emphasis(ctx, scene.figure, points, options.joint, style);
    context(ctx, scene, frame, fit, style);
    return points;
  }

  // Where a close-up lies in the whole image: a small picture of it in the corner.
  function context(ctx, scene, frame, fit, style) {
    const { width, height } = ctx.canvas.logical;
    const { camera } = scene;
    if (fit.x > -1 && fit.y > -1 && fit.x + fit.scale * camera.width < width + 1 && fit.y + fit.scale * camera.height < height + 1) return;
    const scale = Math.min((0.28 * width) / camera.width, (0.28 * height) / camera.height);
    const small = { scale, x: width - scale * camera.width - 8, y: height - scale * camera.height - 8 };
    const box = (x, y, w, h) => [small.x + scale * x, small.y + scale * y, scale * w, scale * h];
    ctx.save();
    ctx.beginPath();
    ctx.rect(...box(0, 0, camera.width, camera.height));
    ctx.fillStyle = style.surface;
    ctx.fill();
    ctx.strokeStyle = style.border;
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.clip();
    stick(ctx, scene.figure, imagePoints(scene, frame, small), style, coloursOf(scene.figure, style), () => 1, 0);
    ctx.strokeStyle = style.accent;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(...box(-fit.x / fit.scale, -fit.y / fit.scale, width / fit.scale, height / fit.scale));
    ctx.restore();
  }

  const imagePoint = (scene, frame, joint, fit) => {
    const i = 2 * (frame * scene.figure.names.length + joint);
    return [fit.x + fit.scale * scene.pixels[i], fit.y + fit.scale * scene.pixels[i + 1]];
  };

  const meanDepth = (points) => points.reduce((sum, p) => sum + Math.abs(p[2]), 0) / points.length || 3;

  // Metres from line to line of the ground's grid.
  function cellOf(box) {
    const span = Math.max(box.high[0] - box.low[0], box.high[2] - box.low[2]) + 2;
    return 10 ** Math.max(0, Math.ceil(Math.log10(span / 30)));
  }

  mp.draw = { begin, cellOf, coloursOf, emphasis, image, imagePoints, label, line, names, stick, take, widthOf };
})((globalThis.MocapPlayer ||= {}));
