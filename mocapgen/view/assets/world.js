// The 3D pane: bodies on the ground, seen by an observer who can be moved; over them, on a canvas of its own, names and marks.
(function (mp) {
  "use strict";

  const { space, scene: scenes } = mp;
  const NEAREST = 14; // pixels: a joint nearer to the pointer than this is meant
  const SLIM = 0.6; // how thick a prediction over the truth is, compared with a body
  const LOST = 3; // times that the picture is made anew after the browser took it away
  const FADE = 250; // milliseconds from sticks to the picture
  const PLAIN = "This browser shows no WebGL: bodies are drawn as plain sticks.";

  class World {
    constructor(canvas, host) {
      this.canvas = canvas; // over the picture
      this.host = host;
      this.bodies = [];
      this.frame = 0;
      this.options = {};
      this.orbit = new mp.Orbit();
      this.calm = matchMedia("(prefers-reduced-motion: reduce)");
      this.picture = null; // comes when what can be drawn without it is on the screen
      this.coming = null; // a promise while it is being made
      this.lost = 0;
      this.level = 0; // of the picture's quality, lower where frames are slow
      this.visible = true;
      this.made = new WeakMap(); // bodies of scenes
      new ResizeObserver(() => this.host.changed()).observe(canvas);
      new IntersectionObserver((entries) => this.appear(entries.some((entry) => entry.isIntersecting))).observe(canvas);
      mp.pointers(canvas, this.actions());
    }

    // What is shown ------------------------------------------------------------------------------------

    setStyle(style) {
      this.style = style;
      this.picture?.restyle(style);
    }

    setOptions(options) {
      this.options = options;
    }

    setFrame(frame) {
      this.frame = frame;
    }

    // Bodies: [{ scene, kind, label, offset }]. Another clip turns the view with its camera; another arrangement is brought into view.
    setBodies(list) {
      const before = this.stage;
      this.bodies = list.map((item) => this.embodied(item));
      for (const body of this.bodies) body.over = body.kind === "predicted" && this.bodies.some((other) => other !== body && same(other.offset, body.offset));
      this.stage = this.staged();
      if (!before) this.setView("oblique", { instant: true });
      else if (before.clip !== this.stage.clip) {
        const facing = (stage) => Math.atan2(-stage.axes.forward[0], -stage.axes.forward[2]);
        this.orbit.yaw += facing(this.stage) - facing(before) || 0;
        this.centre({ instant: true });
      } else if (this.orbit.camera || !(same(before.box.low, this.stage.box.low) && same(before.box.high, this.stage.box.high))) this.centre();
    }

    embodied({ scene, kind, label, offset }) {
      const source = kind === "predicted" ? scene.predicted : scene;
      if (!this.made.has(source)) this.made.set(source, new mp.Body(source.figure, source.world));
      return { scene, kind, label, offset, source, body: this.made.get(source), over: false };
    }

    // Where it all takes place: what the observer has to see.
    staged() {
      const [{ scene }] = this.bodies;
      const boxes = this.bodies.map(({ source, offset }) => {
        source.box ||= scenes.boxOf(source.world, 3);
        return [space.add(source.box.low, offset), space.add(source.box.high, offset)];
      });
      const low = [0, 1, 2].map((k) => Math.min(...boxes.map((box) => box[0][k])));
      const high = [0, 1, 2].map((k) => Math.max(...boxes.map((box) => box[1][k])));
      const box = { low, high, centre: low.map((value, k) => (value + high[k]) / 2) };
      return { box, axes: scene.axes, camera: scene.camera, floor: scene.floor, clip: scene.clip, cell: mp.draw.cellOf(scene.box) };
    }

    // The view -----------------------------------------------------------------------------------------

    get view() {
      return this.orbit.preset;
    }

    get size() {
      return [Math.max(this.canvas.clientWidth, 40), Math.max(this.canvas.clientHeight, 40)];
    }

    setView(name, { instant = false } = {}) {
      this.orbit.look(this.stage, name, ...this.size);
      if (instant) this.orbit.arrive();
      this.unfollow();
      this.host.changed();
    }

    centre({ instant = false } = {}) {
      this.orbit.centre(this.stage, ...this.size);
      if (instant) this.orbit.arrive();
      this.unfollow();
      this.host.changed();
    }

    turn(dx, dy) {
      this.orbit.turn(dx, dy);
      this.host.changed();
    }

    zoom(factor) {
      this.orbit.zoom(factor);
      this.host.changed();
    }

    actions() {
      const { host, canvas } = this;
      return {
        hover: (x, y) => host.hover(this.pick(x, y)),
        click: (x, y) => host.click(this.pick(x, y)),
        wheels: () => host.wheels(),
        turn: (dx, dy) => this.turn(dx * 0.008, dy * 0.008),
        zoom: (factor) => this.zoom(factor),
        reset: () => this.setView("oblique"),
        move: (dx, dy) => {
          this.orbit.move(dx, dy, canvas.clientWidth, canvas.clientHeight);
          host.changed();
        },
      };
    }

    unfollow() {
      this.anchor = this.followed = null;
    }

    // How far the followed person has gone since following began.
    followShift() {
      const [{ scene }] = this.bodies;
      if (!this.options.follow || this.orbit.camera) {
        if (this.anchor) this.orbit.shift(space.add(this.followed, this.anchor, -1));
        this.unfollow();
        return [0, 0, 0];
      }
      const root = scenes.at(scene.world, scene.figure.names.length, this.frame, scene.root);
      if (space.finite(root)) this.followed = root;
      this.anchor ||= this.followed;
      return this.anchor ? space.add(this.followed, this.anchor, -1) : [0, 0, 0];
    }

    // Drawing ------------------------------------------------------------------------------------------

    // Draw; true while the view is still on its way.
    render(now) {
      if (!this.bodies.length || !this.style) return false;
      const [width, height] = this.size;
      this.orbit.calm = this.calm.matches;
      const moved = this.followShift();
      const view = this.orbit.view(now, width, height);
      view.eye = space.add(view.eye, moved);
      this.seen = view;
      for (const { body, source, scene, offset } of this.bodies) body.pose(source.world, this.frame, space.add(offset, this.aligned(source, scene)));
      this.depict(now, view, width, height);
      this.plain = this.calm.matches || !this.picture ? Number(!this.picture) : Math.max(0, 1 - (now - this.arrived) / FADE);
      mp.over.draw(this, view, width, height);
      return view.moving || (this.plain > 0 && this.plain < 1);
    }

    aligned(source, scene) {
      return (this.options.aligned && source === scene.predicted && scenes.shiftToRoot(source, scene, this.frame)) || [0, 0, 0];
    }

    depict(now, view, width, height) {
      if (this.options.playing && this.drawn && this.picture?.slow(now - this.drawn)) this.lower();
      this.drawn = this.options.playing ? now : 0;
      const { picture } = this;
      if (!picture) return this.prepare();
      this.arrived ||= now;
      picture.resize(width, height, window.devicePixelRatio || 1);
      const reach = space.length(space.add(this.stage.box.high, this.stage.box.low, -1)) + this.orbit.distance;
      picture.look(view, width, height, reach);
      picture.bodies.begin();
      picture.guesses.begin();
      for (const { body, kind, over } of this.bodies) {
        const { left, right, centre, predicted } = picture.colours;
        const colours = kind === "truth" ? { l: left, r: right, c: centre } : { l: predicted, r: predicted, c: predicted };
        (over ? picture.guesses : picture.bodies).add(body, colours, over ? SLIM : 1);
      }
      picture.bodies.finish();
      picture.guesses.finish();
      mp.lines.draw(this, picture.strokes, picture.colours);
      picture.strokes.finish(1 / view.focal);
      const covered = picture.aim(this.stage, this.middles());
      picture.ground.mesh.visible = this.options.grid !== false;
      const { centre } = this.stage.box;
      picture.ground.place([centre[0], this.stage.floor, centre[2]], 4 * reach, this.stage.cell, covered);
      return picture.render();
    }

    // Where the bodies are in this frame, but for joints that are out of all measure.
    middles() {
      const { low, high, centre } = this.stage.box;
      const known = this.bodies.map(({ body }) => body.middle()).filter(space.finite);
      return known.length ? known.map((p) => p.map((value, k) => Math.min(Math.max(value, low[k]), high[k]))) : [centre];
    }

    // Have the picture made, if there can be one, bit by bit: until it is there, bodies are sticks.
    prepare() {
      if (this.coming || this.without || !this.visible) return;
      this.coming = this.make().finally(() => {
        this.coming = null;
        this.host.changed();
      });
    }

    async make() {
      await mp.shown();
      await mp.later();
      mp.three();
      await mp.later();
      const picture = this.visible && this.begin();
      if (!picture) return undefined;
      await picture.compiled();
      if (!this.visible || picture.lost) return picture.dispose();
      picture.renderer.domElement.classList.add("mp-arriving");
      return this.install(picture);
    }

    begin() {
      const canvas = document.createElement("canvas");
      canvas.className = "mp-picture";
      canvas.setAttribute("aria-hidden", "true");
      try {
        const picture = new mp.Picture(canvas, this.level);
        canvas.addEventListener("webglcontextlost", (event) => this.vanish(event, picture));
        picture.restyle(this.style);
        return picture;
      } catch {
        return this.forgo(PLAIN);
      }
    }

    install(picture) {
      this.canvas.before(picture.renderer.domElement);
      picture.restyle(this.style); // which may have changed meanwhile
      this.picture = picture;
    }

    // Take less trouble. Another picture is made at once, lest bodies are sticks for a moment.
    lower() {
      const same = this.picture.lower();
      this.level = this.picture.level;
      if (same) return;
      const { arrived } = this;
      this.release();
      const picture = this.begin();
      if (picture) this.install(picture);
      this.arrived = arrived;
    }

    forgo(text) {
      this.without = true;
      this.host.lost(text);
      return null;
    }

    // The browser took the picture away, as it does where many pages want one: make another, but not for ever.
    vanish(event, picture) {
      event.preventDefault();
      if (picture.disposed) return; // given back by ourselves
      picture.lost = true;
      if (this.picture === picture) this.release();
      if (++this.lost > LOST) this.forgo(PLAIN);
      this.host.changed();
    }

    release() {
      const { picture } = this;
      this.picture = null;
      this.arrived = 0;
      picture?.renderer.domElement.remove();
      picture?.dispose();
    }

    // Browsers have pictures for some players only: those out of sight give theirs back.
    appear(visible) {
      this.visible = visible;
      if (visible) this.host.changed();
      else this.release();
    }

    dispose() {
      this.visible = false;
      this.release();
    }

    // Where things are on the pane ---------------------------------------------------------------------

    points(number) {
      const { body } = this.bodies[number];
      return body.points.slice(0, body.joints).map((p) => (space.finite(p) ? space.point(this.seen, p) : null));
    }

    pick(x, y) {
      let best = NEAREST;
      let hit = null;
      if (!this.seen) return hit;
      this.bodies.forEach((_, body) => {
        this.points(body).forEach((p, joint) => {
          const distance = p ? Math.hypot(p[0] - x, p[1] - y) : Infinity;
          if (distance < best) [best, hit] = [distance, { body, joint }];
        });
      });
      return hit;
    }
  }

  const same = (one, other) => one.every((value, k) => Math.abs(value - other[k]) < 1e-6);

  mp.World = World;
})((globalThis.MocapPlayer ||= {}));
