// The observer of the 3D pane, turned by mouse, touch and keys; and zoom and shift of the image's pane.
(function (mp) {
  "use strict";

  const { space, scene: scenes } = mp;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  class Orbit {
    constructor() {
      this.target = [0, 1, 0];
      this.yaw = 0.6;
      this.pitch = 0.2;
      this.distance = 4;
      this.camera = null; // of the file, while the view is its own
      this.preset = "oblique";
      this.anchor = null; // where the followed root was when the target was set
    }

    // Bring a motion into view from a named side, relative to the camera that looks on.
    look(scene, preset, frame, width, height) {
      const { axes, box } = scene;
      const facing = Math.atan2(-axes.forward[0], -axes.forward[2]); // from the motion to the camera
      const turns = { oblique: [-0.6, 0.22], side: [-Math.PI / 2, 0.05], top: [0, space.STEEPEST], overview: [-2.1, 0.35], camera: [0, 0] };
      this.preset = preset;
      this.camera = preset === "camera" ? scene.camera : null;
      this.yaw = facing + turns[preset][0];
      this.pitch = preset === "camera" ? Math.asin(clamp(-axes.forward[1], -1, 1)) : turns[preset][1];
      this.centre(scene, frame, width, height);
    }

    // Keep the side, but aim at the motion and step back as far as it needs.
    centre(scene, frame, width, height) {
      const { axes, box } = scene;
      this.anchor = null;
      this.target = [...box.centre];
      if (this.camera) {
        this.camera = scene.camera;
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

    // Leave the camera's own view, as a start for turning.
    free() {
      this.camera = null;
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

    // The observer in a frame; one who follows keeps the root where it was when following began.
    view(scene, frame, follow, width, height) {
      const root = scenes.at(scene.world, scene.figure.names.length, frame, scene.root);
      if (!follow || this.camera) {
        if (this.anchor) this.target = space.add(this.target, space.add(this.last, this.anchor, -1));
        this.anchor = null;
        return space.observer(this, width, height);
      }
      if (space.finite(root)) this.last = root;
      this.anchor ||= this.last || [0, 0, 0];
      const moved = space.add(this.last || this.anchor, this.anchor, -1);
      return space.observer({ ...this, target: space.add(this.target, moved) }, width, height);
    }
  }

  // Pointers on a canvas: `act` gets turn(dx, dy), move(dx, dy), zoom(factor, x, y), hover(x, y), click(x, y) and reset().
  function pointers(canvas, act) {
    const down = new Map();
    let travelled = 0;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const spread = () => {
      const [a, b] = [...down.values()];
      return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, size: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      down.set(event.pointerId, place(event));
      travelled = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event);
      const before = down.get(event.pointerId);
      if (!before) return act.hover(...now);
      const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
      travelled += Math.abs(dx) + Math.abs(dy);
      if (down.size === 2) {
        const old = spread();
        down.set(event.pointerId, now);
        const fresh = spread();
        act.zoom(old.size / fresh.size, fresh.x, fresh.y);
        return act.move(fresh.x - old.x, fresh.y - old.y);
      }
      down.set(event.pointerId, now);
      return event.buttons & 2 || event.shiftKey ? act.move(dx, dy) : act.turn(dx, dy);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => {
        if (name === "pointerup" && down.size === 1 && travelled < 4 && event.button === 0) act.click(...place(event));
        down.delete(event.pointerId);
      });
    }
    canvas.addEventListener("pointerleave", () => act.hover(NaN, NaN));
    canvas.addEventListener("dblclick", () => act.reset());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!act.wheels()) return;
        event.preventDefault();
        act.zoom(Math.exp(clamp(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 0.0015), ...place(event));
      },
      { passive: false },
    );
  }

  mp.orbit = { Orbit, pointers };
})((globalThis.MocapPlayer ||= {}));
