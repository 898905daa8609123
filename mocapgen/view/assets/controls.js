// Everything around the two panes: choice of the sequence, buttons, keys, facts and findings.
(function (mp) {
  "use strict";

  const KEYS = { j: "names", t: "trails", c: "camera", g: "grid", w: "follow", l: "loop", o: "predicted", r: "aligned" };
  const VIEWS = { 1: "oblique", 2: "camera", 3: "side", 4: "top", 5: "overview" };
  const MARKS = 100; // findings of one sequence that get a mark

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–");
  const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

  class Controls {
    constructor(player) {
      this.player = player;
      this.part = player.part;
      this.byClip = new Map(); // place in the table of clips to places in the table of sequences
      player.rows.forEach((row, index) => this.byClip.set(row.clip, [...(this.byClip.get(row.clip) || []), index]));
      this.findings = new Map();
      for (const finding of player.header.findings) {
        this.findings.set(finding.sequence, [...(this.findings.get(finding.sequence) || []), finding]);
      }
      this.fill();
      this.connect();
    }

    fill() {
      const { header, rows, root } = this.player;
      this.part("title").textContent = header.title;
      const frames = rows.reduce((sum, row) => sum + row.frames, 0);
      const sizes = [counted(rows.length, "sequence", "sequences"), counted(this.byClip.size, "clip", "clips"), counted(frames, "frame", "frames")];
      this.part("summary").textContent = sizes.join(" · ");
      this.part("notes").append(...header.notes.map((note) => element("li", note)));
      this.part("speed").append(...mp.SPEEDS.map((speed) => element("option", `${speed}×`, { value: speed })));
      this.part("save").hidden = !rows.some((row) => row.motion);
      root.dataset.predicted = rows.some((row) => row.predicted);
      this.list("");
    }

    // The clips whose id, actor or action holds all words of the filter, by action.
    list(filter) {
      const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
      const groups = new Map();
      this.listed = [];
      for (const [clip, indices] of this.byClip) {
        const { id, actor, action } = this.player.header.clips[clip];
        const text = [id, actor, action].join(" ").toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
        const group = action || "";
        if (!groups.has(group)) groups.set(group, []);
        const found = indices.reduce((sum, index) => sum + (this.findings.get(this.player.rows[index].number) || []).length, 0);
        const rest = [actor && !String(id).includes(actor) ? ` · ${actor}` : "", found ? ` (${counted(found, "finding", "findings")})` : ""];
        groups.get(group).push(element("option", `${id}${rest.join("")}`, { value: clip }));
      }
      const select = this.part("clip");
      select.replaceChildren();
      for (const [action, options] of groups) {
        this.listed.push(...options.map((option) => Number(option.value)));
        const group = action ? element("optgroup", undefined, { label: action }) : select;
        group.append(...options);
        if (action) select.append(group);
      }
      if (!this.listed.length) select.append(element("option", "no clip matches", { disabled: "" }));
      else if (this.player.scene && this.listed.includes(this.player.scene.row.clip)) select.value = this.player.scene.row.clip;
      else if (this.player.scene) this.openClip(this.listed[0]);
    }

    // The sequence of a clip that is nearest to what is shown: the same avatar and rig, as far as there are.
    openClip(clip) {
      const { rows, header, scene } = this.player;
      const score = (index) => {
        if (!scene) return 0;
        const row = rows[index];
        return 2 * (row.avatar === scene.row.avatar) + (header.cameras[row.camera].rig === scene.camera.rig);
      };
      const best = this.byClip.get(clip).reduce((one, other) => (score(other) > score(one) ? other : one));
      return this.player.open({ sequence: rows[best].number, frame: 0 });
    }

    neighbour(count) {
      const { listed, player } = this;
      if (!listed.length || !player.scene) return;
      const place = listed.indexOf(player.scene.row.clip);
      this.openClip(listed[(place + count + listed.length) % listed.length]);
    }

    // The next avatar, or the next camera, of the clip.
    other(name) {
      const select = this.part(name);
      if (select.options.length < 2) return;
      select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
      select.dispatchEvent(new Event("change"));
    }

    openAvatar(avatar) {
      const { rows, header, scene, index } = this.player;
      const those = this.byClip.get(rows[index].clip).filter((place) => rows[place].avatar === avatar);
      const same = those.find((place) => header.cameras[rows[place].camera].rig === scene.camera.rig);
      this.player.open({ sequence: rows[same === undefined ? those[0] : same].number });
    }

    // Called when another sequence is shown.
    show() {
      const { rows, header, index, scene } = this.player;
      const clip = this.byClip.get(rows[index].clip);
      const avatars = [...new Set(clip.map((place) => rows[place].avatar))];
      const seen = clip.filter((place) => rows[place].avatar === rows[index].avatar);
      const rigs = seen.map((place) => header.cameras[rows[place].camera].rig || "camera");
      const titled = (rig, i) => (rigs.indexOf(rig) === rigs.lastIndexOf(rig) ? rig : `${rig} (sequence ${rows[seen[i]].number})`);
      this.part("avatar").replaceChildren(...avatars.map((avatar) => element("option", avatar || "–", { value: avatar })));
      this.part("camera").replaceChildren(...rigs.map((rig, i) => element("option", titled(rig, i), { value: rows[seen[i]].number })));
      this.part("joint").replaceChildren(element("option", "none", { value: -1 }), ...scene.figure.names.map((name, i) => element("option", name, { value: i })));
      if (!this.listed.includes(rows[index].clip)) {
        this.part("filter").value = "";
        this.list("");
      }
      this.part("clip").value = rows[index].clip;
      this.part("avatar").value = rows[index].avatar;
      this.part("camera").value = rows[index].number;
      for (const name of ["scrub", "frame"]) this.part(name).max = scene.frames - 1;
      this.part("image-caption").textContent = `image ${scene.camera.width} × ${scene.camera.height} px`;
      this.part("world-caption").textContent = `world, grid of ${mp.draw.cellOf(scene.box).toLocaleString("en")} m`;
      for (const button of this.player.root.querySelectorAll("[data-save]")) {
        button.disabled = !scene.row.motion;
        button.dataset.title ||= button.title;
        button.title = scene.row.motion ? button.dataset.title : "The page holds the motion of its first sequences only: view fewer, or mocapgen export";
      }
      this.facts();
      this.mark();
    }

    // Save what is shown as a file.
    async save(kind) {
      const { player } = this;
      try {
        await mp.save.save(player.source, player.scene.row, kind);
        player.say("");
      } catch (error) {
        player.say(`The motion cannot be saved: ${error.message}`);
      }
    }

    facts() {
      const { scene } = this.player;
      const { clip, row } = scene;
      const recorded = clip.source_fps ? `${clip.source_fps} frames/s` : undefined;
      const from = clip.source_frames ? `${clip.source_start} to ${clip.source_start + clip.source_frames - 1}` : undefined;
      const facts = {
        clip: clip.id, actor: clip.actor, action: clip.action, take: clip.take, source: clip.source, file: clip.file, recorded,
        "recorded frames": from, sequence: row.number, frames: `${row.frames} at ${row.fps} frames/s`, note: row.note,
        "2D": scene.stored ? "as stored" : "as stored, to half a pixel",
      };
      const shown = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== "");
      const pair = ([name, value]) => {
        const both = element("div");
        both.append(element("dt", name), element("dd", value));
        return both;
      };
      this.part("facts").replaceChildren(...shown.map(pair));
    }

    // Findings of the sequence, on the time line and as a list.
    mark() {
      const { scene } = this.player;
      const found = (this.findings.get(scene.row.number) || []).slice(0, MARKS);
      const text = (finding) => {
        const where = [finding.frame === null ? "" : `frame ${finding.frame}`, finding.joint].filter(Boolean).join(", ");
        return `${finding.severity}${where ? `, ${where}` : ""}: ${finding.message}`;
      };
      const button = (finding, content, attributes) => {
        const made = element("button", content, { type: "button", "data-severity": finding.severity, ...attributes });
        made.addEventListener("click", () => this.go(finding));
        return made;
      };
      const placed = found.filter((finding) => finding.frame !== null);
      const left = (finding) => `left: ${(100 * Math.min(finding.frame, scene.frames - 1)) / Math.max(scene.frames - 1, 1)}%`;
      const marks = placed.map((finding) => button(finding, "", { title: text(finding), "aria-label": text(finding), style: left(finding) }));
      this.part("marks").replaceChildren(...marks);
      const list = this.part("findings");
      list.hidden = !found.length;
      list.querySelector("h2").textContent = counted(found.length, "finding in this sequence", "findings in this sequence");
      const items = found.map((finding) => {
        const item = element("li");
        item.append(button(finding, text(finding), {}));
        return item;
      });
      list.querySelector("ol").replaceChildren(...items);
    }

    go(finding) {
      this.player.pause();
      this.player.open({ frame: finding.frame ?? 0, joint: finding.joint || "" });
    }

    nextFinding() {
      const { scene, frame } = this.player;
      const placed = (this.findings.get(scene.row.number) || []).filter((finding) => finding.frame !== null);
      placed.sort((one, other) => one.frame - other.frame);
      const next = placed.find((finding) => finding.frame > frame) || placed[0];
      if (next) this.go(next);
    }

    // Called after every drawn frame.
    update() {
      const { player } = this;
      const { scene, frame } = player;
      if (!scene) return;
      set(this.part("scrub"), "value", String(frame));
      if (document.activeElement !== this.part("frame")) set(this.part("frame"), "value", String(frame));
      const seconds = (count) => (count / scene.fps).toFixed(2);
      set(this.part("clock"), "textContent", `of ${scene.frames - 1} · ${seconds(frame)} / ${seconds(scene.frames - 1)} s`);
      set(this.part("play").dataset, "playing", String(player.playing));
      this.part("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
      set(this.part("speed"), "value", String(player.speed));
      set(this.part("joint"), "value", String(player.joint));
      for (const button of player.root.querySelectorAll("[data-view]")) {
        button.setAttribute("aria-pressed", String(button.dataset.view === player.orbit.preset));
      }
      for (const button of player.root.querySelectorAll("[data-close]")) {
        button.setAttribute("aria-pressed", String(button.dataset.close === String(player.flat.close)));
      }
      set(this.part("readout"), "textContent", this.reading());
    }

    // What the file says about the marked joint, and how good the prediction is.
    reading() {
      const { scene, frame, joint, hovered } = this.player;
      const shown = hovered >= 0 ? hovered : joint;
      const texts = [];
      if (shown >= 0) {
        const joints = scene.figure.names.length;
        const world = mp.scene.at(scene.world, joints, frame, shown);
        const camera = mp.space.toCamera(scene.camera, ...world);
        const i = 2 * (frame * joints + shown);
        const list = (values, digits) => values.map((value) => fixed(value, digits)).join(", ");
        texts.push(`${scene.figure.names[shown]}: pixel ${list([scene.pixels[i], scene.pixels[i + 1]], 1)}`);
        texts.push(`camera ${list(camera, 3)} m`, `world ${list(world, 3)} m`);
      }
      if (scene.predicted) {
        const { errors, mean, same } = scene.predicted;
        const count = same.filter((place) => place >= 0).length;
        texts.push(`prediction: ${fixed(1000 * errors[frame], 0)} mm off in this frame, ${fixed(1000 * mean, 0)} mm in all (MPJPE, ${count} joints, relative to the root)`);
      }
      return texts.join(" · ") || "Point at a joint to read its coordinates.";
    }

    // Wiring -------------------------------------------------------------------------------------------

    connect() {
      const { player } = this;
      const on = (name, event, act) => this.part(name).addEventListener(event, act);
      on("filter", "input", (event) => this.list(event.target.value));
      on("clip", "change", (event) => this.openClip(Number(event.target.value)));
      on("avatar", "change", (event) => this.openAvatar(event.target.value));
      on("camera", "change", (event) => player.open({ sequence: Number(event.target.value) }));
      on("joint", "change", (event) => player.mark(Number(event.target.value)));
      on("previous", "click", () => this.neighbour(-1));
      on("next", "click", () => this.neighbour(1));
      on("first", "click", () => player.seek(0));
      on("last", "click", () => player.seek(Infinity));
      on("play", "click", () => player.toggle());
      on("scrub", "input", (event) => player.seek(Number(event.target.value)));
      on("frame", "change", (event) => player.seek(Number(event.target.value)));
      on("speed", "change", (event) => player.setSpeed(Number(event.target.value)));
      on("help", "click", () => this.part("keys").showModal());
      for (const box of player.root.querySelectorAll("[data-option]")) {
        box.checked = player.options[box.dataset.option];
        box.addEventListener("change", () => this.option(box.dataset.option, box.checked));
      }
      for (const button of player.root.querySelectorAll("[data-save]")) button.addEventListener("click", () => this.save(button.dataset.save));
      for (const button of player.root.querySelectorAll("[data-view]")) button.addEventListener("click", () => player.look(button.dataset.view));
      for (const button of player.root.querySelectorAll("[data-close]")) button.addEventListener("click", () => player.zoomTo(button.dataset.close === "true"));
      (player.page ? document : player.root).addEventListener("keydown", (event) => this.key(event));
    }

    option(name, value) {
      this.player.options[name] = value;
      this.player.root.querySelector(`[data-option="${name}"]`).checked = value;
      this.player.redraw();
    }

    key(event) {
      const { player } = this;
      const target = event.target;
      const typing = target.matches?.('select, input[type="search"], input[type="number"], textarea') || this.part("keys").open;
      if (typing || !player.scene || event.altKey || event.metaKey || (event.ctrlKey && !event.key.startsWith("Arrow"))) return;
      const sliding = target === this.part("scrub");
      const pressing = target.matches?.("button, input, summary, a");
      const act = this.action(event, sliding, pressing);
      if (!act) return;
      event.preventDefault();
      act();
    }

    action(event, sliding, pressing) {
      const { player } = this;
      const { key, shiftKey } = event;
      if (key.startsWith("Arrow") && shiftKey) return () => this.turn(key);
      if (sliding && /^(Arrow|Home|End|Page)/.test(key)) return null; // the slider's own keys
      if (key === " ") return pressing && !sliding ? null : () => player.toggle();
      if (key === "ArrowLeft" || key === "ArrowRight") return () => player.step((key === "ArrowLeft" ? -1 : 1) * (event.ctrlKey ? 10 : 1));
      if (key in KEYS) return () => this.option(KEYS[key], !player.options[KEYS[key]]);
      if (key in VIEWS) return () => player.look(VIEWS[key]);
      if (key === "6" || key === "7") return () => player.zoomTo(key === "7");
      const zoom = (factor) => () => {
        player.orbit.zoom(factor);
        player.redraw();
      };
      const others = {
        Home: () => player.seek(0), End: () => player.seek(Infinity), "[": () => player.faster(-1), "]": () => player.faster(1),
        n: () => this.neighbour(1), p: () => this.neighbour(-1), a: () => this.other("avatar"), v: () => this.other("camera"),
        f: () => this.nextFinding(), "?": () => this.part("keys").showModal(), "+": zoom(1 / 1.2), "=": zoom(1 / 1.2), "-": zoom(1.2), "−": zoom(1.2),
      };
      return Object.hasOwn(others, key) ? others[key] : null;
    }

    turn(key) {
      const turns = { ArrowLeft: [0.12, 0], ArrowRight: [-0.12, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12] };
      this.player.orbit.turn(...turns[key]);
      this.player.redraw();
    }
  }

  function set(target, name, value) {
    if (target[name] !== value) target[name] = value;
  }

  mp.Controls = Controls;
})((globalThis.MocapPlayer ||= {}));
