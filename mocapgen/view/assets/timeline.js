// The time line: seconds and frames, findings, when the feet are down, the error of a prediction; drag to scrub.
(function (mp) {
  "use strict";

  const LEFT = 40; // pixels beside the line
  const RIGHT = 14;
  const RULER = 22; // heights of its rows
  const FOOT = 9;
  const CURVE = 34;
  const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800]; // seconds
  const APART = 92; // pixels between two labels, at least
  const MARK = 26; // pixels: findings nearer to each other share a mark
  const FEET = ["left", "right"];
  const SEVERITIES = ["info", "warning", "error"];

  class Timeline {
    constructor(player) {
      this.player = player;
      this.part = player.part;
      this.track = this.part("scrub");
      this.canvas = this.part("ruler");
      this.findings = [];
      new ResizeObserver(() => this.redraw()).observe(this.track);
      this.listen();
    }

    // Another sequence, with its findings that have a frame.
    show(findings) {
      this.findings = [...findings].sort((one, other) => one.frame - other.frame);
      this.feet = FEET.filter((foot) => this.player.scene.row.contacts?.[foot]);
      const height = RULER + this.feet.length * (FOOT + 4) + (this.player.scene.predicted ? CURVE + 6 : 0) + 6;
      this.track.style.setProperty("--mp-ruler", `${height}px`);
      this.track.setAttribute("aria-valuemax", this.last);
      this.redraw();
    }

    get last() {
      return this.player.scene.frames - 1;
    }

    x(frame) {
      return LEFT + (frame / Math.max(this.last, 1)) * (this.width - LEFT - RIGHT);
    }

    frameAt(x) {
      return Math.min(Math.max(Math.round(((x - LEFT) / (this.width - LEFT - RIGHT)) * this.last), 0), this.last);
    }

    seconds(frame) {
      return `${(frame / this.player.scene.fps).toFixed(2)} s`;
    }

    // Called after every drawn frame: only the line at the frame moves.
    update(frame) {
      if (this.shown === frame || !this.width) return;
      this.shown = frame;
      this.part("headline").style.transform = `translateX(${this.x(frame)}px)`;
      this.track.setAttribute("aria-valuenow", frame);
      this.track.setAttribute("aria-valuetext", `${this.seconds(frame)}, frame ${frame} of ${this.last}`);
    }

    // Painting -----------------------------------------------------------------------------------------

    redraw() {
      const { scene, style } = this.player;
      this.width = this.track.clientWidth;
      this.shown = -1;
      if (!scene || !style || !this.width) return;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      const height = this.track.clientHeight;
      this.canvas.width = Math.round(this.width * ratio);
      this.canvas.height = Math.round(height * ratio);
      const ctx = this.canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.font = style.font.replace("12px", "11px");
      ctx.textBaseline = "middle";
      this.ruler(ctx, style, height);
      let top = RULER;
      for (const foot of this.feet) {
        this.contacts(ctx, style, foot, top);
        top += FOOT + 4;
      }
      if (scene.predicted) this.curve(ctx, style, top + 3);
      this.mark(ctx);
      this.update(this.player.frame);
    }

    ruler(ctx, style, height) {
      const { fps } = this.player.scene;
      const perSecond = (this.x(this.last) - this.x(0)) / Math.max(this.last / fps, 1 / fps);
      const step = STEPS.find((seconds) => seconds * perSecond >= APART) || STEPS[STEPS.length - 1];
      const tick = (frame, from, to, colour) => {
        ctx.fillStyle = colour;
        ctx.fillRect(Math.round(this.x(frame)) - 0.5, from, 1, to - from);
      };
      const fine = perSecond / fps >= 4 ? 1 / fps : step / 10;
      for (let i = 0; i * fine * fps <= this.last + 1e-6; i++) tick(i * fine * fps, RULER - (i % 5 ? 3 : 5), RULER, style.border);
      for (let i = 0; i * step * fps <= this.last + 1e-6; i++) {
        const frame = i * step * fps;
        tick(frame, RULER, height, style.line);
        tick(frame, RULER - 9, RULER, style.muted);
        ctx.fillStyle = style.ink;
        const text = timeOf(i * step);
        const beyond = this.x(frame) + ctx.measureText(`${text} ${frame}`).width + 8 > this.width;
        if (!beyond || !i) ctx.fillText(text, this.x(frame) + 4, 8);
        ctx.fillStyle = style.muted;
        if (!beyond) ctx.fillText(String(Math.round(frame)), this.x(frame) + 9 + ctx.measureText(text).width, 8);
      }
    }

    contacts(ctx, style, foot, top) {
      const spans = this.player.scene.row.contacts[foot];
      ctx.fillStyle = style.muted;
      ctx.fillText(foot, 8, top + FOOT / 2 + 1);
      ctx.fillStyle = style.grid;
      ctx.fillRect(this.x(0), top + FOOT / 2, this.x(this.last) - this.x(0), 1);
      ctx.fillStyle = style[foot];
      for (let i = 0; i < spans.length; i += 2) {
        const [from, to] = [this.x(spans[i] - 0.5), this.x(spans[i + 1] + 0.5)];
        const start = Math.max(from, LEFT);
        ctx.beginPath();
        ctx.roundRect(start, top, Math.max(Math.min(to, this.width - RIGHT) - start, 2), FOOT, 2);
        ctx.fill();
      }
    }

    // The error of the prediction, from 0 to its largest value.
    curve(ctx, style, top) {
      const { errors } = this.player.scene.predicted;
      const most = errors.reduce((largest, value) => (value > largest ? value : largest), 0);
      const y = (value) => top + CURVE - 2 - (CURVE - 6) * (most ? value / most : 0);
      ctx.fillStyle = style.muted;
      ctx.fillText(`${Math.round(1000 * most)}`, 8, top + 6);
      ctx.fillText("mm", 8, top + CURVE - 6);
      ctx.fillStyle = style.grid;
      ctx.fillRect(this.x(0), y(0), this.x(this.last) - this.x(0), 1);
      ctx.beginPath();
      let drawing = false;
      errors.forEach((value, frame) => {
        if (Number.isFinite(value)) ctx[drawing ? "lineTo" : "moveTo"](this.x(frame), y(value));
        drawing = Number.isFinite(value);
      });
      ctx.strokeStyle = style.predicted;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }

    // Findings: those too near to each other for a mark of their own share one; where there is room, it says what the first one is.
    mark(ctx) {
      const groups = [];
      for (const finding of this.findings) {
        const x = this.x(Math.min(finding.frame, this.last));
        const last = groups[groups.length - 1];
        if (last && x - last.x < MARK) last.those.push(finding);
        else groups.push({ x, those: [finding] });
      }
      const marks = groups.map(({ x, those }, i) => {
        const worst = SEVERITIES[Math.max(...those.map((finding) => SEVERITIES.indexOf(finding.severity)))];
        const made = document.createElement("button");
        made.type = "button";
        made.dataset.severity = worst;
        made.title = those.slice(0, 5).map(mp.info.text).join("\n");
        const said = those.length > 1 ? `${those.length} findings` : those[0].check.split(".").pop().replace(/_/g, " ");
        made.setAttribute("aria-label", `${said}: ${made.title}`);
        made.style.left = `${x}px`;
        const room = (groups[i + 1]?.x ?? this.width + 12) - x - 20;
        if (ctx.measureText(said).width + 14 < room) made.append(said);
        made.addEventListener("click", () => mp.info.go(this.player, those.find((finding) => finding.frame > this.player.frame) || those[0]));
        return made;
      });
      this.part("marks").replaceChildren(...marks);
    }

    // Pointing and dragging ----------------------------------------------------------------------------

    listen() {
      const { track, player } = this;
      const place = (event) => event.clientX - track.getBoundingClientRect().left;
      track.addEventListener("pointerdown", (event) => {
        if (!player.scene || event.button) return;
        track.setPointerCapture(event.pointerId);
        this.dragging = event.pointerId;
        player.hold();
        player.seek(this.frameAt(place(event)));
        this.tip(place(event));
      });
      track.addEventListener("pointermove", (event) => {
        if (!player.scene) return;
        if (this.dragging === event.pointerId) player.seek(this.frameAt(place(event)));
        this.tip(place(event));
      });
      for (const name of ["pointerup", "pointercancel"]) {
        track.addEventListener(name, (event) => {
          if (this.dragging !== event.pointerId) return;
          this.dragging = null;
          player.release();
          if (event.pointerType !== "mouse") this.untip();
        });
      }
      track.addEventListener("pointerleave", () => this.untip());
    }

    tip(x) {
      const tip = this.part("tip");
      const frame = this.frameAt(x);
      tip.textContent = this.words(frame, x);
      tip.hidden = false;
      const left = Math.min(Math.max(this.x(frame) - tip.offsetWidth / 2, 0), Math.max(this.width - tip.offsetWidth, 0));
      tip.style.left = `${left}px`;
      this.part("here").style.transform = `translateX(${this.x(frame)}px)`;
      this.part("here").style.visibility = "visible";
    }

    untip() {
      if (this.dragging) return;
      this.part("tip").hidden = true;
      this.part("here").style.visibility = "hidden";
    }

    words(frame, x) {
      const { scene } = this.player;
      const lines = [`${this.seconds(frame)} · frame ${frame}`];
      const down = this.feet.filter((foot) => within(scene.row.contacts[foot], frame));
      if (this.feet.length) lines[0] += ` · ${down.length === 2 ? "both feet" : down.length ? `${down[0]} foot` : "no foot"} down`;
      if (scene.predicted && Number.isFinite(scene.predicted.errors[frame])) lines[0] += ` · ${Math.round(1000 * scene.predicted.errors[frame])} mm off`;
      const near = this.findings.filter((finding) => Math.abs(this.x(Math.min(finding.frame, this.last)) - x) < 6);
      return [...lines, ...near.slice(0, 3).map(mp.info.text)].join("\n");
    }
  }

  const within = (spans, frame) => spans.some((first, i) => i % 2 === 0 && first <= frame && frame <= spans[i + 1]);

  function timeOf(seconds) {
    if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
    return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
  }

  mp.Timeline = Timeline;
  mp.timeline = { timeOf, within };
})((globalThis.MocapPlayer ||= {}));
