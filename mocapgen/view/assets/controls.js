// Everything that is chosen and pressed around the panes.
(function (mp) {
  "use strict";

  const { counted, element, grouped } = mp.info;

  class Controls {
    constructor(player) {
      this.player = player;
      this.part = player.part;
      this.findings = new Map(); // row of /sequences to its findings
      for (const finding of player.header.findings) this.findings.set(finding.sequence, [...(this.findings.get(finding.sequence) || []), finding]);
      this.list = new mp.ClipList(player, this.findings);
      this.info = new mp.Info(player);
      this.timeline = new mp.Timeline(player);
      this.fill();
      this.connect();
      mp.keys.listen(player, this);
    }

    fill() {
      const { header, rows, root } = this.player;
      this.part("title").textContent = header.title;
      const frames = rows.reduce((sum, row) => sum + row.frames, 0);
      const left = (header.chosen || 0) - rows.length;
      const sequences = counted(left > 0 ? header.chosen : rows.length, "sequence", "sequences");
      const sizes = [left > 0 ? `${grouped(rows.length)} of ${sequences}` : sequences, counted(this.list.clips.length, "clip", "clips"), counted(frames, "frame", "frames")];
      this.part("summary").textContent = sizes.join(" · ");
      if (left > 0) this.part("notes").append(element("li", `${counted(left, "sequence", "sequences")} did not fit on this page: choose fewer to see them`));
      this.part("notes").append(...header.notes.map((note) => element("li", note)));
      this.part("speed").append(...mp.SPEEDS.map((speed) => element("option", `${speed}×`, { value: speed })));
      this.part("save").hidden = !rows.some((row) => row.motion);
      root.dataset.predicted = rows.some((row) => row.predicted);
      root.dataset.clips = this.list.clips.length;
    }

    // Places in the table of sequences of the clip that is shown.
    get clip() {
      const { rows, index } = this.player;
      return this.list.clips.find((entry) => entry.clip === rows[index].clip).indices;
    }

    get avatars() {
      return [...new Set(this.clip.map((place) => this.player.rows[place].avatar))];
    }

    // The next avatar, or the next camera, of the clip.
    other(name) {
      const select = this.part(name);
      if (select.options.length < 2) return;
      select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
      select.dispatchEvent(new Event("change"));
    }

    // All avatars side by side, as many as go, or one alone.
    allBeside() {
      const { player } = this;
      const others = this.avatars.filter((avatar) => avatar !== player.scene.row.avatar);
      return player.standBeside(player.others.length ? [] : others);
    }

    // Called when another sequence is shown.
    show() {
      const { rows, header, index, scene, root } = this.player;
      const { avatars } = this;
      const seen = this.clip.filter((place) => rows[place].avatar === rows[index].avatar);
      const rigs = seen.map((place) => header.cameras[rows[place].camera].rig || "camera");
      const titled = (rig, i) => (rigs.indexOf(rig) === rigs.lastIndexOf(rig) ? rig : `${rig} (sequence ${rows[seen[i]].number})`);
      root.toggleAttribute("data-avatars", avatars.length > 1);
      this.part("avatar").replaceChildren(...avatars.map((avatar) => element("option", avatar || "–", { value: avatar })));
      this.part("camera").replaceChildren(...rigs.map((rig, i) => element("option", titled(rig, i), { value: rows[seen[i]].number })));
      this.part("joint").replaceChildren(element("option", "none", { value: -1 }), ...scene.figure.names.map((name, i) => element("option", name, { value: i })));
      this.part("avatar").value = rows[index].avatar;
      this.part("camera").value = rows[index].number;
      this.part("frame").max = scene.frames - 1;
      this.part("world-caption").textContent = `grid of ${grouped(mp.draw.cellOf(scene.box))} m`;
      for (const button of root.querySelectorAll("[data-save]")) {
        button.disabled = !scene.row.motion;
        button.dataset.title ||= button.title;
        button.title = scene.row.motion ? button.dataset.title : "The page holds the motion of its first sequences only: view fewer, or mocapgen export";
      }
      const found = this.findings.get(scene.row.number) || [];
      this.list.select();
      this.info.show(found);
      this.timeline.show(found.filter((finding) => finding.frame !== null));
      for (const name of ["apart", "aligned"]) root.querySelector(`[data-option="${name}"]`).disabled = !scene.predicted;
    }

    // Called when other avatars stand beside it.
    showBeside() {
      const { scene, others } = this.player;
      const beside = others.map((other) => other.row.avatar);
      const chips = this.avatars.filter((avatar) => avatar !== scene.row.avatar).map((avatar) => this.chip(avatar, beside));
      this.part("beside").replaceChildren(...chips);
    }

    chip(avatar, beside) {
      const made = element("label");
      const box = element("input", undefined, { type: "checkbox", "data-beside": avatar });
      box.checked = beside.includes(avatar);
      box.disabled = !box.checked && beside.length >= mp.compare.MOST - 1;
      box.addEventListener("change", async () => {
        await this.player.standBeside(box.checked ? [...beside, avatar] : beside.filter((other) => other !== avatar));
        this.player.root.querySelector(`[data-beside="${CSS.escape(avatar)}"]`)?.focus();
      });
      made.append(box, element("span", avatar));
      made.title = `${avatar} beside ${this.player.scene.row.avatar}`;
      return made;
    }

    openAvatar(avatar) {
      const { rows, header, scene, others, options } = this.player;
      if (others.length) options.beside = [scene.row.avatar, ...others.map((other) => other.row.avatar)]; // the same ones, in other places
      const those = this.clip.filter((place) => rows[place].avatar === avatar);
      const same = those.find((place) => header.cameras[rows[place].camera].rig === scene.camera.rig);
      return this.player.open({ sequence: rows[same === undefined ? those[0] : same].number });
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

    nextFinding() {
      const { scene, frame } = this.player;
      const placed = (this.findings.get(scene.row.number) || []).filter((finding) => finding.frame !== null);
      placed.sort((one, other) => one.frame - other.frame);
      const next = placed.find((finding) => finding.frame > frame) || placed[0];
      if (next) mp.info.go(this.player, next);
    }

    // Called after every drawn frame.
    update() {
      const { player } = this;
      const { scene, frame } = player;
      if (!scene) return;
      this.timeline.update(frame);
      this.info.update();
      if (document.activeElement !== this.part("frame")) set(this.part("frame"), "value", String(frame));
      set(this.part("clock"), "textContent", `${this.timeline.seconds(frame)} of ${this.timeline.seconds(scene.frames - 1)}`);
      if (this.part("play").dataset.playing !== String(player.playing)) {
        this.part("play").dataset.playing = player.playing;
        this.part("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
      }
      set(this.part("speed"), "value", String(player.speed));
      set(this.part("joint"), "value", String(player.joint));
      press(player.root, "view", player.world.view);
      press(player.root, "close", String(player.flat.close));
    }

    // Other colours.
    restyle() {
      this.timeline.redraw();
      this.list.thumbnails.repaint();
    }

    connect() {
      const { player } = this;
      const on = (name, event, act) => this.part(name).addEventListener(event, act);
      on("avatar", "change", (event) => this.openAvatar(event.target.value));
      on("camera", "change", (event) => player.open({ sequence: Number(event.target.value) }));
      on("joint", "change", (event) => player.mark(Number(event.target.value)));
      on("previous", "click", () => this.list.neighbour(-1));
      on("next", "click", () => this.list.neighbour(1));
      on("first", "click", () => player.seek(0));
      on("last", "click", () => player.seek(Infinity));
      on("play", "click", () => player.toggle());
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
    }

    option(name, value) {
      this.player.options[name] = value;
      this.player.root.querySelector(`[data-option="${name}"]`).checked = value;
      this.player.optionChanged(name);
    }
  }

  function set(target, name, value) {
    if (target[name] !== value) target[name] = value;
  }

  // Mark which of the buttons of a group holds.
  function press(root, name, value) {
    for (const button of root.querySelectorAll(`[data-${name}]`)) {
      const pressed = String(button.dataset[name] === value);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  }

  mp.Controls = Controls;
})((globalThis.MocapPlayer ||= {}));
