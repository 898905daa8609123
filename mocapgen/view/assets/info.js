// What is known of what is shown: the joint's coordinates, the prediction's error, the sequence, its findings.
(function (mp) {
  "use strict";

  const MARKS = 100; // findings of one sequence that are listed

  const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–");
  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ","); // toLocaleString takes 20 milliseconds when it is first called
  const counted = (count, one, many) => `${grouped(count)} ${count === 1 ? one : many}`;

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function text(finding) {
    const where = [finding.frame === null ? "" : `frame ${finding.frame}`, finding.joint].filter(Boolean).join(", ");
    return `${finding.severity}${where ? `, ${where}` : ""}: ${finding.message}`;
  }

  function go(player, finding) {
    player.pause();
    player.open({ frame: finding.frame ?? 0, joint: finding.joint || "" });
  }

  function facts(scene) {
    const { clip, row } = scene;
    const recorded = clip.source_fps ? `${clip.source_fps} frames/s` : undefined;
    const from = clip.source_frames ? `${clip.source_start} to ${clip.source_start + clip.source_frames - 1}` : undefined;
    const all = {
      clip: clip.id, actor: clip.actor, action: clip.action, take: clip.take, source: clip.source, file: clip.file, recorded,
      "recorded frames": from, sequence: row.number, frames: `${row.frames} at ${row.fps} frames/s`, note: row.note,
      image: `${scene.camera.width} × ${scene.camera.height} pixels`, "2D": scene.stored ? "as stored" : "as stored, to half a pixel",
    };
    return Object.entries(all).filter(([, value]) => value !== undefined && value !== null && value !== "");
  }

  // What the file says about the joint, and how good the prediction is: names and values.
  function readings(player) {
    const { scene, frame, joint, hovered } = player;
    const shown = hovered >= 0 ? hovered : joint;
    const pairs = [];
    if (shown >= 0) {
      const joints = scene.figure.names.length;
      const world = mp.scene.at(scene.world, joints, frame, shown);
      const i = 2 * (frame * joints + shown);
      const list = (values, digits) => values.map((value) => fixed(value, digits)).join(", ");
      pairs.push([scene.figure.names[shown], ""], ["pixel", list([scene.pixels[i], scene.pixels[i + 1]], 1)]);
      pairs.push(["camera", `${list(mp.space.toCamera(scene.camera, ...world), 3)} m`], ["world", `${list(world, 3)} m`]);
    } else pairs.push(["joint", "point at one to read its coordinates"]);
    if (scene.predicted) {
      const { errors, mean, same } = scene.predicted;
      const count = same.filter((place) => place >= 0).length;
      pairs.push(["prediction", `${fixed(1000 * errors[frame], 0)} mm off in this frame, ${fixed(1000 * mean, 0)} mm in all`]);
      pairs.push(["", `MPJPE, ${count} joints, relative to the root`]);
    }
    return pairs;
  }

  const pairs = (list) => list.flatMap(([name, value]) => [element("dt", name), element("dd", value)]);

  class Info {
    constructor(player) {
      this.player = player;
      this.part = player.part;
    }

    show(findings) {
      this.part("facts").replaceChildren(...pairs(facts(this.player.scene)));
      const list = this.part("findings");
      list.hidden = !findings.length;
      list.querySelector("h2").textContent = counted(findings.length, "finding in this sequence", "findings in this sequence");
      const items = findings.slice(0, MARKS).map((finding) => {
        const item = element("li");
        const button = element("button", undefined, { type: "button", "data-severity": finding.severity });
        button.append(element("span", text(finding)));
        button.addEventListener("click", () => go(this.player, finding));
        item.append(button);
        return item;
      });
      list.querySelector("ol").replaceChildren(...items);
      this.said = "";
    }

    update() {
      const found = readings(this.player);
      const said = found.join("\n");
      if (said === this.said) return;
      this.said = said;
      this.part("readout").replaceChildren(...pairs(found));
    }
  }

  mp.Info = Info;
  mp.info = { counted, element, go, grouped, text };
})((globalThis.MocapPlayer ||= {}));
