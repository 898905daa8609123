// The player: which sequence and frame are shown, the clock, and what is drawn when.
(function (mp) {
  "use strict";

  const { space, draw } = mp;
  const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
  const NEAREST = 14; // pixels: a joint nearer to the pointer than this is meant
  const CLOSE = 0.74; // share of the pane that the person covers, close up
  const MEASURED = 240; // frames whose times are kept

  class Player {
    constructor(root) {
      this.root = root;
      this.page = root.dataset.mode === "page";
      this.part = (name) => root.querySelector(`[data-mp="${name}"]`);
      const rest = mp.parsed().then(() => this.part("rest").textContent);
      this.source = new mp.scene.Source(JSON.parse(this.part("header").textContent), this.part("blocks").textContent, rest);
      this.header = this.source.header;
      this.rows = this.header.sequences;
      this.options = { loop: true, names: false, trails: false, camera: true, grid: true, follow: false, predicted: true, aligned: false, apart: false, beside: [] };
      this.index = -1; // place in the table of sequences
      this.frame = 0;
      this.joint = -1; // that is marked
      this.hovered = -1;
      this.playing = false;
      this.speed = 1;
      this.flat = { zoom: 1, x: 0, y: 0, close: true };
      this.others = []; // scenes of the avatars beside it
      this.times = { intervals: [], drawing: [] };
      this.panes = ["image", "world"].map((name) => this.part(name));
      this.pointed = null; // { body, joint } of the 3D pane that the pointer is at
      this.world = new mp.World(this.part("world"), {
        hover: (hit) => this.point(hit),
        click: (hit) => this.mark(hit && hit.body === 0 ? hit.joint : -1),
        changed: () => this.changed(),
        wheels: () => this.page || document.activeElement === this.part("world"),
        lost: (text) => {
          this.trouble = text;
          this.say("");
        },
      });
      this.video = new mp.Video(this);
      this.restyle();
      this.controls = new mp.Controls(this);
      this.listen();
      this.ready = this.begin();
    }

    async begin() {
      if (!this.rows.length) return this.say("There is no sequence to show: none was chosen, or none fits on this page.");
      if (typeof DecompressionStream === "undefined") return this.say("The player needs a browser of 2023 or later (DecompressionStream).");
      const start = this.header.start || {};
      const asked = this.page ? mp.moment(location.hash) : null;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      await this.open(asked || { sequence: this.rows[0].number, ...start });
      if (this.page && !asked && !this.header.start && !still) this.play();
      return undefined;
    }

    say(text) {
      this.part("status").textContent = text || this.trouble || "";
    }

    // Show a moment: {sequence: row of /sequences, frame, joint: name}; what is left out stays as it is.
    async open(moment) {
      const index = moment.sequence === undefined ? this.index : this.rows.findIndex((row) => row.number === moment.sequence);
      if (index < 0) return this.say(`Sequence ${moment.sequence} is not on this page.`);
      const another = index !== this.index || !this.scene;
      if (another) {
        const token = (this.token = {});
        try {
          const scene = await this.source.scene(index);
          if (token !== this.token) return undefined; // another one was asked for meanwhile
          this.show(index, scene);
        } catch (error) {
          return this.say(`Sequence ${this.rows[index].number} cannot be shown: ${error.message}`);
        }
      }
      this.say("");
      await this.arrange(moment, another);
      if (moment.joint !== undefined) this.joint = this.scene.figure.names.indexOf(moment.joint);
      this.seek(moment.frame === undefined ? this.frame : moment.frame);
      return undefined;
    }

    show(index, scene) {
      const before = this.scene;
      const name = before && this.joint >= 0 ? before.figure.names[this.joint] : "";
      this.index = index;
      this.scene = scene;
      this.joint = scene.figure.names.indexOf(name);
      this.hovered = -1;
      if (before && before.clip !== scene.clip) this.frame = 0;
      if (this.flat.close !== undefined) this.zoomTo(this.flat.close);
      this.frame = Math.min(this.frame, scene.frames - 1);
      this.controls.show();
    }

    // The sequence among some of one clip that is nearest to what is shown: the same avatar and camera, as far as there are.
    openClip(indices) {
      const { rows, header, scene } = this;
      const score = (index) => (scene ? 2 * (rows[index].avatar === scene.row.avatar) + (header.cameras[rows[index].camera].rig === scene.camera.rig) : 0);
      const best = indices.reduce((one, other) => (score(other) > score(one) ? other : one));
      return this.open({ sequence: rows[best].number, frame: 0 });
    }

    // What is shown together: what an address asks for, if it does, else as before.
    async arrange({ beside, prediction }, another) {
      if (beside !== undefined) this.options.beside = beside;
      if (prediction !== undefined) {
        const [predicted, apart] = [prediction !== "off", prediction === "beside"];
        for (const [name, value] of Object.entries({ predicted, apart })) this.controls.option(name, value);
      }
      if (another || beside !== undefined) await this.standTogether();
    }

    async standBeside(avatars) {
      this.options.beside = avatars;
      await this.standTogether();
      this.remember();
    }

    // Read the scenes of the other avatars, and place all bodies.
    async standTogether() {
      const { rows, header, scene, source, token } = this;
      const known = (avatar) => this.controls.clip.filter((place) => rows[place].avatar === avatar);
      const near = (places) => places.find((place) => header.cameras[rows[place].camera].rig === scene.camera.rig) ?? places[0];
      const names = this.options.beside.filter((avatar) => avatar !== scene.row.avatar && known(avatar).length);
      const others = await Promise.all(names.slice(0, mp.compare.MOST - 1).map((avatar) => source.scene(near(known(avatar)))));
      if (token !== this.token) return; // another sequence was asked for meanwhile
      this.others = others;
      this.place();
      this.controls.showBeside();
      this.redraw();
    }

    place() {
      this.bodies = mp.compare.bodies([this.scene, ...this.others], this.options);
      this.world.setBodies(this.bodies);
    }

    optionChanged(name) {
      if (!this.scene) return;
      if (name === "apart" || name === "predicted") this.place();
      this.redraw();
      this.remember();
    }

    // Time ---------------------------------------------------------------------------------------------

    seek(frame) {
      if (!this.scene) return;
      this.frame = Math.min(Math.max(Math.round(frame) || 0, 0), this.scene.frames - 1);
      this.clock = null;
      this.redraw();
      if (!this.playing) this.remember();
    }

    step(count) {
      this.pause();
      this.seek(this.frame + count);
    }

    play() {
      if (!this.scene || this.playing) return;
      if (this.frame >= this.scene.frames - 1) this.frame = 0;
      this.playing = true;
      this.clock = null;
      this.controls.update();
      this.redraw();
    }

    pause() {
      this.playing = false;
      this.redraw();
      this.controls.update();
      this.remember();
    }

    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }

    // While the time line is dragged, time stands.
    hold() {
      this.held = this.playing;
      this.playing = false;
    }

    release() {
      if (this.held) this.play();
      else this.remember();
    }

    setSpeed(speed) {
      this.speed = speed;
      this.clock = null;
      this.controls.update();
    }

    faster(count) {
      const place = SPEEDS.indexOf(this.speed) + count;
      this.setSpeed(SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)]);
    }

    advance(now) {
      this.clock ||= { now, frame: this.frame };
      const passed = Math.floor(((now - this.clock.now) / 1000) * this.scene.fps * this.speed + 1e-6);
      const last = this.scene.frames - 1;
      const frame = this.clock.frame + passed;
      if (frame <= last) this.frame = frame;
      else if (this.options.loop) {
        this.frame = frame % (last + 1);
        this.clock = null;
      } else {
        this.frame = last;
        this.pause();
      }
    }

    // Drawing ------------------------------------------------------------------------------------------

    redraw() {
      if (!this.waiting) this.waiting = requestAnimationFrame((now) => this.tick(now));
    }

    tick(now) {
      this.waiting = 0;
      if (!this.scene) return;
      if (this.playing) {
        this.advance(now);
        if (this.ticked) keep(this.times.intervals, now - this.ticked);
      }
      this.ticked = this.playing ? now : 0;
      const began = performance.now();
      const moving = this.paint(now);
      this.controls.update();
      if (moving && !this.playing) this.redraw();
      if (this.playing) {
        keep(this.times.drawing, performance.now() - began);
        this.redraw();
      }
    }

    // Draw both panes; true while the view of the 3D pane is still on its way.
    paint(now) {
      const { scene, frame, world } = this;
      const joint = this.hovered >= 0 ? this.hovered : this.joint;
      const [image] = this.panes;
      const flat = this.prepared(image);
      this.fit = space.fitImage(scene.camera, ...this.size(image), this.flat.zoom, this.flat.x, this.flat.y);
      world.setOptions({ ...this.options, playing: this.playing, joint: this.pointed || (joint >= 0 ? { body: 0, joint } : null) });
      world.setFrame(frame);
      const moving = world.render(now);
      this.points = draw.image(flat, scene, frame, this.fit, this.style, { ...this.options, joint, video: this.video.picture() });
      return moving;
    }

    prepared(canvas) {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const [width, height] = this.size(canvas);
      const context = canvas.getContext("2d");
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      canvas.logical = { width, height };
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      return context;
    }

    size(canvas) {
      return [Math.max(canvas.clientWidth, 40), Math.max(canvas.clientHeight, 40)];
    }

    restyle() {
      const css = getComputedStyle(this.root);
      const names = "surface image ink muted line accent left right centre predicted grid border camera mark x y z".split(" ");
      this.style = Object.fromEntries(names.map((name) => [name, css.getPropertyValue(`--mp-${name}`).trim()]));
      this.style.font = `12px ${css.fontFamily}`;
      this.controls?.restyle();
      this.world.setStyle(this.style);
      this.redraw();
    }

    look(preset) {
      this.world.setView(preset);
    }

    changed() {
      if (this.scene) this.controls.update();
      this.redraw();
    }

    // What people do -----------------------------------------------------------------------------------

    listen() {
      const resized = new ResizeObserver(() => {
        if (this.scene && this.flat.close !== undefined) this.zoomTo(this.flat.close);
        this.redraw();
      });
      resized.observe(this.panes[0]);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.restyle());
      mp.pointers(this.panes[0], this.actions(this.panes[0]));
      addEventListener("hashchange", () => this.follow(location.hash));
      document.addEventListener("click", (event) => {
        const link = event.target.closest?.('a[href^="#sequence="]');
        if (link && link.hash === location.hash) this.follow(link.hash); // the same place again: no hashchange
      });
    }

    async follow(hash) {
      const moment = mp.moment(hash);
      if (!moment) return;
      this.pause();
      await this.open({ frame: 0, joint: "", ...moment });
      if (!this.page) this.root.scrollIntoView({ block: "nearest" });
    }

    actions(canvas) {
      const move = (dx, dy) => {
        this.flat = { ...this.flat, x: this.flat.x + dx, y: this.flat.y + dy, close: undefined };
        this.redraw();
      };
      return {
        move,
        turn: move,
        hover: (x, y) => this.hover(this.nearest(x, y)),
        click: (x, y) => this.mark(this.nearest(x, y)),
        wheels: () => this.page || document.activeElement === canvas,
        zoom: (factor, x, y) => this.magnify(factor, x, y),
        reset: () => this.zoomTo(true),
      };
    }

    // Zoom the image's pane around a point.
    magnify(factor, x, y) {
      const zoom = Math.min(Math.max(this.flat.zoom / factor, 0.2), 60);
      const grown = zoom / this.flat.zoom;
      const [width, height] = this.size(this.panes[0]);
      const about = (pan, size, at) => (pan + size / 2 - at) * grown + at - size / 2;
      this.flat = { zoom, x: about(this.flat.x, width, x), y: about(this.flat.y, height, y) };
      this.redraw();
    }

    // Show the whole image, or what the person covers of it (or of its surroundings) in the sequence.
    zoomTo(close) {
      this.flat = { zoom: 1, x: 0, y: 0, close };
      const [width, height] = this.size(this.panes[0]);
      if (close && this.scene) {
        const { camera, pixelBox } = this.scene;
        const { scale } = space.fitImage(camera, width, height, 1, 0, 0);
        const spans = [0, 1].map((k) => Math.max(pixelBox.high[k] - pixelBox.low[k], 1));
        const zoom = Math.min(Math.max((CLOSE * Math.min(width / spans[0], height / spans[1])) / scale, 0.2), 60);
        const middle = (k, size) => (size / 2 - (pixelBox.low[k] + pixelBox.high[k]) / 2) * scale * zoom;
        this.flat = { zoom, x: middle(0, camera.width), y: middle(1, camera.height), close };
      }
      this.controls.update();
      this.redraw();
    }

    nearest(x, y) {
      let best = NEAREST;
      let joint = -1;
      (this.points || []).forEach((p, place) => {
        const distance = Math.hypot(p[0] - x, p[1] - y);
        if (distance < best) [best, joint] = [distance, place];
      });
      return joint;
    }

    hover(joint) {
      if (joint === this.hovered) return;
      this.hovered = joint;
      this.redraw();
    }

    // The pointer is at a joint of a body in the 3D pane, or at none.
    point(hit) {
      if (hit?.body === this.pointed?.body && hit?.joint === this.pointed?.joint) return;
      this.pointed = hit;
      this.hovered = hit && hit.body === 0 ? hit.joint : -1;
      this.redraw();
    }

    mark(joint) {
      this.joint = joint;
      this.remember();
      this.redraw();
    }

    // Keep the address such that it can be copied.
    remember() {
      if (!this.page || !this.scene) return;
      const { scene, options } = this;
      const parts = [`sequence=${scene.row.number}`, `frame=${this.frame}`];
      if (this.joint >= 0) parts.push(`joint=${encodeURIComponent(scene.figure.names[this.joint])}`);
      if (this.others.length) parts.push(`beside=${this.others.map((other) => encodeURIComponent(other.row.avatar)).join(",")}`);
      if (scene.predicted && !(options.predicted && !options.apart)) parts.push(`prediction=${options.predicted ? "beside" : "off"}`);
      try {
        history.replaceState(null, "", `#${parts.join("&")}`);
      } catch {
        // a page that may not change its address works all the same
      }
    }
  }

  function keep(values, value) {
    values.push(value);
    if (values.length > MEASURED) values.shift();
  }

  // The moment that an address such as #sequence=12&frame=245&joint=LeftFoot means, or null.
  mp.moment = (hash) => {
    const parts = new URLSearchParams(hash.replace(/^#/, ""));
    const whole = (name) => (/^\d+$/.test(parts.get(name) || "") ? Number(parts.get(name)) : undefined);
    if (whole("sequence") === undefined) return null;
    const moment = { sequence: whole("sequence") };
    if (whole("frame") !== undefined) moment.frame = whole("frame");
    if (parts.get("joint") !== null) moment.joint = parts.get("joint");
    if (parts.get("beside") !== null) moment.beside = parts.get("beside").split(",").filter(Boolean);
    if (["over", "beside", "off"].includes(parts.get("prediction"))) moment.prediction = parts.get("prediction");
    return moment;
  };

  mp.SPEEDS = SPEEDS;
  mp.Player = Player;
})((globalThis.MocapPlayer ||= {}));
