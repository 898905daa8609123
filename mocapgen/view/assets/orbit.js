// The observer of the 3D pane: where he is to stand, and the way there.
(function (mp) {
  "use strict";

  const { space } = mp;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const GLIDE = 500; // milliseconds from one named view to another
  const LAG = 70; // milliseconds in which most of what a hand has asked for is done
  const LONGEST = 50; // milliseconds that pass at most between two frames: after a pause nothing jumps
  const STILL = 2e-4; // of a turn or a distance: nearer than this is there

  class Orbit {
    constructor() {
      this.target = [0, 1, 0];
      this.yaw = 0.6;
      this.pitch = 0.2;
      this.distance = 4;
      this.camera = null; // of the file, while the view is its own
      this.preset = "oblique";
      this.shown = null; // what is shown on the way to this
      this.glide = null;
      this.calm = false; // whether motion is unwanted
    }

    // Bring a stage, {axes, box, camera}, into view from a named side, relative to the camera that looks on.
    look(stage, preset, width, height) {
      const { axes } = stage;
      const facing = Math.atan2(-axes.forward[0], -axes.forward[2]); // from the motion to the camera
      const turns = { oblique: [-0.6, 0.22], side: [-Math.PI / 2, 0.05], top: [0, space.STEEPEST], overview: [-2.1, 0.35], camera: [0, 0] };
      this.preset = preset;
      this.camera = preset === "camera" ? stage.camera : null;
      this.yaw = facing + turns[preset][0];
      this.pitch = preset === "camera" ? Math.asin(clamp(-axes.forward[1], -1, 1)) : turns[preset][1];
      this.centre(stage, width, height);
    }

    // Keep the side, but aim at the motion and step back as far as it needs.
    centre(stage, width, height) {
      const { axes, box } = stage;
      this.target = [...box.centre];
      this.glide = { began: null, from: this.shown };
      if (this.camera) {
        this.camera = stage.camera;
        this.distance = Math.max(0.3, space.dot(space.add(box.centre, axes.eye, -1), axes.forward));
        this.target = space.add(axes.eye, axes.forward, this.distance);
        return;
      }
      let { low, high } = box;
      if (this.preset === "overview" && space.finite(axes.eye)) {
        low = low.map((value, k) => Math.min(value, axes.eye[k]));
        high = high.map((value, k) => Math.max(value, axes.eye[k]));
        this.target = low.map((value, k) => (value + high[k]) / 2);
      }
      this.distance = this.fitting(low, high, width, height);
    }

    // The distance from which all corners of a box are seen.
    fitting(low, high, width, height) {
      const view = space.observer({ ...this, camera: null, distance: 0 }, width, height);
      let distance = 0.5;
      for (let corner = 0; corner < 8; corner++) {
        const p = low.map((value, k) => (corner & (1 << k) ? high[k] : value));
        const [x, y, z] = space.seen(view, p);
        const beside = Math.max(Math.abs(x) / (0.42 * width), Math.abs(y) / (0.4 * height)) * view.focal;
        distance = Math.max(distance, beside - z);
      }
      return distance;
    }

    // Be there at once.
    arrive() {
      this.shown = this.glide = null;
    }

    // Leave the camera's own view, as a start for turning.
    free() {
      this.camera = this.glide = null;
      this.preset = "";
    }

    turn(dx, dy) {
      this.free();
      this.yaw -= dx;
      this.pitch = clamp(this.pitch + dy, -space.STEEPEST, space.STEEPEST);
    }

    zoom(factor) {
      this.free();
      this.distance = clamp(this.distance * factor, 0.2, 1e7);
    }

    move(dx, dy, width, height) {
      const view = space.observer(this, width, height);
      this.free();
      const metres = this.distance / view.focal;
      this.target = space.add(space.add(this.target, view.right, -dx * metres), view.up, dy * metres);
    }

    // Move along with a motion, at once.
    shift(by) {
      this.target = space.add(this.target, by);
      this.shown = this.shown && this.shown.map((value, i) => (i > 3 && i < 7 ? value + by[i - 4] : value));
    }

    // The observer now, on the way to where he is to be; `moving` tells whether he has not arrived.
    view(now, width, height) {
      const there = space.observer(this, width, height);
      const goal = stateOf(there, this.distance, width, height);
      const passed = Math.min(now - (this.before ?? now), LONGEST);
      this.before = now;
      const from = this.glide ? this.glide.from : this.shown;
      if (this.calm || !from || !goal.every(Number.isFinite)) return this.there(there, goal);
      if (!this.glide) this.shown = blend(from, goal, 1 - Math.exp(-passed / LAG));
      else {
        this.glide.began ??= now;
        const t = Math.min((now - this.glide.began) / GLIDE, 1);
        this.shown = blend(from, goal, t * t * (3 - 2 * t));
        if (t === 1) this.glide = null;
      }
      if (!this.glide && near(this.shown, goal)) return this.there(there, goal);
      return { ...viewOf(this.shown, width, height), moving: true };
    }

    there(view, goal) {
      this.shown = goal;
      this.glide = null;
      return { ...view, moving: false };
    }
  }

  // An observer as numbers between which one can go: yaw, pitch, roll, the logarithm of the distance, the place looked at, and the lens.
  function stateOf(view, distance, width, height) {
    const { eye, right, forward } = view;
    const yaw = Math.abs(forward[1]) < 0.999 ? Math.atan2(-forward[0], -forward[2]) : Math.atan2(-right[2], right[0]);
    const level = [Math.cos(yaw), 0, -Math.sin(yaw)];
    const roll = Math.atan2(space.dot(right, space.cross(level, forward)), space.dot(right, level));
    const lens = [Math.log(view.focal / height), Math.log(view.tall / height), view.x / width, view.y / height];
    return [yaw, Math.asin(clamp(-forward[1], -1, 1)), roll, Math.log(distance), ...space.add(eye, forward, distance), ...lens];
  }

  function viewOf([yaw, pitch, roll, far, x, y, z, focal, tall, u, v], width, height) {
    const flat = Math.cos(pitch);
    const forward = [-Math.sin(yaw) * flat, -Math.sin(pitch), -Math.cos(yaw) * flat];
    const level = [Math.cos(yaw), 0, -Math.sin(yaw)];
    const above = space.cross(level, forward);
    const right = space.add(level.map((value) => value * Math.cos(roll)), above, Math.sin(roll));
    const lens = { focal: height * Math.exp(focal), tall: height * Math.exp(tall), x: width * u, y: height * v };
    return { eye: space.add([x, y, z], forward, -Math.exp(far)), right, up: space.cross(right, forward), forward, ...lens };
  }

  const shorter = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
  const apart = (from, to) => to.map((value, i) => (i < 3 ? shorter(value - from[i]) : value - from[i]));
  const blend = (from, to, share) => apart(from, to).map((way, i) => from[i] + share * way);
  const near = (from, to) => apart(from, to).every((way, i) => Math.abs(way) < STILL * (i > 3 && i < 7 ? Math.exp(to[3]) : 1));

  mp.Orbit = Orbit;
})((globalThis.MocapPlayer ||= {}));
