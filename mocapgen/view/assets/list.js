// The clips of the page: searched, filtered, counted, with a picture each. Filled as far as it is scrolled.
(function (mp) {
  "use strict";

  const { counted, element, grouped } = mp.info;
  const AT_ONCE = 24; // clips that are added together
  let lists = 0;

  class ClipList {
    constructor(player, findings) {
      this.player = player;
      this.part = player.part;
      this.prefix = `mp-clip-${++lists}-`;
      this.box = this.part("clip");
      this.thumbnails = new mp.Thumbnails(player, this.box);
      this.clips = this.table(findings);
      this.filter = { words: "", action: "", actor: "" };
      this.options = new Map(); // clip to its element
      this.end = element("div", undefined, { role: "presentation" });
      new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.more(), { root: this.box, rootMargin: "400px" }).observe(this.end);
      this.fillSelect("action", "all actions");
      this.fillSelect("actor", "all actors");
      this.connect();
      this.find();
    }

    // What is known of each clip, by action.
    table(findings) {
      const { rows, header } = this.player;
      const clips = new Map();
      rows.forEach((row, index) => {
        if (!clips.has(row.clip)) clips.set(row.clip, { clip: row.clip, indices: [], worst: null, found: 0, ...header.clips[row.clip] });
        const entry = clips.get(row.clip);
        entry.indices.push(index);
        const those = findings.get(row.number) || [];
        entry.found += those.length;
        if (those.some((finding) => finding.severity === "error")) entry.worst = "error";
      });
      const actions = new Map();
      for (const entry of clips.values()) {
        entry.action ||= "";
        entry.actor ||= "";
        entry.text = [entry.id, entry.actor, entry.action].join(" ").toLowerCase();
        if (!actions.has(entry.action)) actions.set(entry.action, []);
        actions.get(entry.action).push(entry);
      }
      return [...actions.values()].flat();
    }

    fillSelect(name, all) {
      const counts = new Map();
      for (const entry of this.clips) counts.set(entry[name], (counts.get(entry[name]) || 0) + 1);
      const names = [...counts.keys()].filter(Boolean).sort();
      const options = names.map((value) => element("option", `${value} (${counts.get(value)})`, { value }));
      this.part(name).replaceChildren(element("option", all, { value: "" }), ...options);
      this.part(name).hidden = names.length < 2;
    }

    // List what matches all that is asked for.
    find() {
      const { action, actor } = this.filter;
      const words = this.filter.words.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (entry) => (!action || entry.action === action) && (!actor || entry.actor === actor) && words.every((word) => entry.text.includes(word));
      this.found = this.clips.filter(fits);
      this.thumbnails.forget();
      this.options.clear();
      this.box.replaceChildren(this.end);
      this.box.scrollTop = 0;
      this.box.hidden = !this.found.length;
      this.part("nothing").hidden = Boolean(this.found.length);
      const asked = [words.length ? `“${this.filter.words.trim()}”` : "", action, actor].filter(Boolean).join(", ");
      this.part("nothing").querySelector("p").textContent = `No clip matches ${asked}. Words are looked for in a clip's name, actor and action.`;
      const all = counted(this.clips.length, "clip", "clips");
      this.part("counts").textContent = asked ? `${grouped(this.found.length)} of ${all}` : all;
      this.part("clear").hidden = !asked;
      this.more();
      this.select();
    }

    // Add the next clips, up to one if it is given.
    more(upTo = 0) {
      const from = this.options.size;
      const those = this.found.slice(from, Math.max(from + AT_ONCE, upTo));
      let group = this.end.previousElementSibling;
      for (const entry of those) {
        if (!group || group.dataset.action !== entry.action) {
          group = element("div", undefined, { role: "group", "aria-label": entry.action || "no action" });
          group.dataset.action = entry.action;
          this.end.before(group);
        }
        group.append(this.option(entry));
      }
    }

    option(entry) {
      const { rows } = this.player;
      const row = rows[entry.indices[0]];
      const made = element("div", undefined, { role: "option", id: this.prefix + entry.clip, "aria-selected": "false", title: entry.id });
      const picture = element("canvas", undefined, { "aria-hidden": "true", "data-sequence": entry.indices[0] });
      const words = element("div");
      const about = element("span", [entry.actor, mp.timeline.timeOf(row.frames / row.fps), this.variants(entry)].filter(Boolean).join(" · "));
      if (entry.found) about.prepend(element("i", `${counted(entry.found, "finding", "findings")} `, { class: entry.worst === "error" ? "mp-error" : "" }), "· ");
      words.append(element("b", entry.id), about);
      made.append(picture, words);
      made.addEventListener("click", () => this.choose(entry));
      this.options.set(entry.clip, made);
      this.thumbnails.watch(picture);
      return made;
    }

    variants({ indices }) {
      const { rows } = this.player;
      const avatars = new Set(indices.map((index) => rows[index].avatar)).size;
      const cameras = indices.length / avatars;
      return [avatars > 1 ? `${avatars} avatars` : "", cameras > 1 ? `${Math.round(cameras)} cameras` : ""].filter(Boolean).join(", ");
    }

    choose(entry) {
      this.drawer(false);
      return this.player.openClip(entry.indices);
    }

    // The clip before or after the one that is shown, around the ends.
    neighbour(count) {
      const { found, player } = this;
      if (!found.length || !player.scene) return;
      const place = found.findIndex((entry) => entry.clip === player.scene.row.clip);
      this.choose(found[place < 0 ? 0 : (place + count + found.length) % found.length]);
    }

    // Show which clip is shown.
    select() {
      const { scene } = this.player;
      if (!scene) return;
      const place = this.found.findIndex((entry) => entry.clip === scene.row.clip);
      if (place >= this.options.size) this.more(place + 10);
      this.box.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
      const option = this.options.get(scene.row.clip);
      if (!option) return this.box.removeAttribute("aria-activedescendant");
      option.setAttribute("aria-selected", "true");
      this.box.setAttribute("aria-activedescendant", option.id);
      const top = option.offsetTop - this.box.offsetTop;
      if (top - 28 < this.box.scrollTop || top + 54 > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top - this.box.clientHeight / 2 + 27;
      return undefined;
    }

    clear() {
      for (const name of ["filter", "action", "actor"]) this.part(name).value = "";
      this.filter = { words: "", action: "", actor: "" };
      this.find();
    }

    connect() {
      const on = (name, event, act) => this.part(name).addEventListener(event, act);
      const ask = (name, part) => on(part, "input", (event) => {
        this.filter[name] = event.target.value;
        this.find();
      });
      ask("words", "filter");
      ask("action", "action");
      ask("actor", "actor");
      on("filter", "keydown", (event) => {
        if (event.key === "Enter" && this.found.length) this.choose(this.found[0]);
        if (event.key === "Escape") this.clear();
      });
      on("clear", "click", () => this.clear());
      this.part("nothing").querySelector("button").addEventListener("click", () => {
        this.clear();
        this.part("filter").focus();
      });
      this.box.addEventListener("keydown", (event) => this.key(event));
      on("clips", "click", () => this.drawer(this.player.root.dataset.drawer !== "open"));
      this.player.root.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || this.player.root.dataset.drawer !== "open") return;
        this.drawer(false);
        this.part("clips").focus();
      });
    }

    // Where there is no room for the list, it comes and goes.
    drawer(open) {
      this.player.root.dataset.drawer = open ? "open" : "";
      this.part("clips").setAttribute("aria-expanded", String(open));
      if (open) this.search();
    }

    search() {
      if (this.clips.length < 2) return undefined;
      if (!this.box.checkVisibility() && !this.part("nothing").checkVisibility()) return this.drawer(true);
      this.part("filter").focus({ preventScroll: true });
      return this.select();
    }

    key(event) {
      const acts = {
        ArrowUp: () => this.neighbour(-1), ArrowDown: () => this.neighbour(1),
        Home: () => this.choose(this.found[0]), End: () => this.choose(this.found[this.found.length - 1]),
      };
      if (event.shiftKey || event.ctrlKey || !Object.hasOwn(acts, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      acts[event.key]();
    }
  }

  mp.ClipList = ClipList;
})((globalThis.MocapPlayer ||= {}));
