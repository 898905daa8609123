// Small pictures of clips: the pose that is furthest from the clip's mean one, drawn when it comes into view and there is time.
(function (mp) {
  "use strict";

  const SAMPLES = 24; // frames that are compared
  const TURN = 0.5; // radians: a little from the side
  const BUSY = 6; // milliseconds at a time

  // Positions of the most telling frame, relative to the root: (joints, 3).
  async function telling(source, row) {
    const figure = source.header.figures[row.figure];
    const world = await mp.codec.decode(await source.block(row.world), row.frames, figure.parents, 3, source.header.step_3d);
    const joints = figure.names.length;
    const root = Math.max(figure.parents.findIndex((parent) => parent < 0), 0);
    const frames = Array.from({ length: Math.min(SAMPLES, row.frames) }, (_, i) => Math.floor(((i + 0.5) * row.frames) / Math.min(SAMPLES, row.frames)));
    const poses = frames.map((frame) => {
      const first = mp.scene.at(world, joints, frame, root);
      return Float64Array.from({ length: 3 * joints }, (_, i) => world[3 * frame * joints + i] - first[i % 3]);
    });
    const mean = poses[0].map((_, i) => poses.reduce((sum, pose) => sum + (pose[i] || 0), 0) / poses.length);
    const distance = (pose) => pose.reduce((sum, value, i) => sum + ((value - mean[i]) ** 2 || 0), 0);
    return poses.reduce((one, other) => (distance(other) > distance(one) ? other : one));
  }

  function paint(canvas, pose, figure, camera, style) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth || 44, canvas.clientHeight || 48];
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.lineCap = "round";
    const { right, forward } = mp.space.cameraAxes(camera);
    const beside = Math.atan2(right[2], right[0]) + TURN;
    const [cos, sin] = Number.isFinite(forward[0]) ? [Math.cos(beside), Math.sin(beside)] : [1, 0];
    const flat = figure.names.map((_, joint) => {
      const [x, y, z] = pose.subarray(3 * joint, 3 * joint + 3);
      return [x * cos + z * sin, -y, z * cos - x * sin];
    });
    const known = flat.filter((p) => Number.isFinite(p[0] + p[1]));
    if (!known.length) return;
    const bounds = [0, 1].map((axis) => [Math.min(...known.map((p) => p[axis])), Math.max(...known.map((p) => p[axis]))]);
    const spans = bounds.map(([low, high]) => high - low);
    const scale = 0.86 * Math.min(width / Math.max(spans[0], 0.4), height / Math.max(spans[1], 0.4));
    const middle = bounds.map(([low, high]) => (low + high) / 2);
    const points = flat.map((p) => [width / 2 + scale * (p[0] - middle[0]), height / 2 + scale * (p[1] - middle[1]), p[2]]);
    mp.draw.stick(ctx, figure, points, style, mp.draw.coloursOf(figure, style), () => 2.2, 0);
  }

  class Thumbnails {
    constructor(player, list) {
      this.player = player;
      this.poses = new Map(); // place in the table of sequences to its pose
      this.waiting = new Set();
      this.shown = new Set();
      this.observer = new IntersectionObserver((entries) => this.seen(entries), { root: list, rootMargin: "120px 0px" });
    }

    watch(canvas) {
      this.observer.observe(canvas);
    }

    forget() {
      this.observer.disconnect();
      this.waiting.clear();
      this.shown.clear();
    }

    seen(entries) {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting && !this.shown.has(target)) this.waiting.add(target);
        else if (!isIntersecting) this.waiting.delete(target);
      }
      this.go();
    }

    async go() {
      if (this.busy) return;
      this.busy = true;
      while (this.waiting.size) {
        await mp.later();
        for (const until = performance.now() + BUSY; this.waiting.size && performance.now() < until; ) {
          const [canvas] = this.waiting;
          this.waiting.delete(canvas);
          try {
            await this.draw(canvas);
          } catch {
            // a sequence that cannot be read says so when it is shown
          }
        }
      }
      this.busy = false;
    }

    async draw(canvas) {
      const { source, rows, style } = this.player;
      const index = Number(canvas.dataset.sequence);
      const row = rows[index];
      if (!this.poses.has(index)) this.poses.set(index, await telling(source, row));
      this.shown.add(canvas);
      paint(canvas, this.poses.get(index), source.header.figures[row.figure], source.header.cameras[row.camera], style);
    }

    // Other colours.
    repaint() {
      this.waiting = new Set([...this.waiting, ...this.shown]);
      this.shown.clear();
      this.go();
    }
  }

  mp.Thumbnails = Thumbnails;
})((globalThis.MocapPlayer ||= {}));
