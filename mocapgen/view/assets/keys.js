// The keyboard: on a page of its own wherever the focus is, in another page while the player has it.
(function (mp) {
  "use strict";

  const OPTIONS = { j: "names", t: "trails", c: "camera", g: "grid", w: "follow", l: "loop", o: "predicted", s: "apart", r: "aligned" };
  const VIEWS = { 1: "oblique", 2: "camera", 3: "side", 4: "top", 5: "overview" };
  const TURNS = { ArrowLeft: [0.12, 0], ArrowRight: [-0.12, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12] };

  function listen(player, controls) {
    (player.page ? document : player.root).addEventListener("keydown", (event) => {
      const { target } = event;
      const typing = target.matches?.('select, input[type="search"], input[type="number"], textarea') || player.part("keys").open;
      if (typing || !player.scene || event.altKey || event.metaKey || (event.ctrlKey && !event.key.startsWith("Arrow"))) return;
      const act = action(player, controls, event);
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  function action(player, controls, { key, shiftKey, ctrlKey, target }) {
    if (key in TURNS && shiftKey) return () => player.world.turn(...TURNS[key]);
    if (key === " ") return target.matches?.("button, input, summary, a") ? null : () => player.toggle();
    if (key === "ArrowLeft" || key === "ArrowRight") return () => player.step((key === "ArrowLeft" ? -1 : 1) * (ctrlKey ? 10 : 1));
    if (key in OPTIONS) return () => controls.option(OPTIONS[key], !player.options[OPTIONS[key]]);
    if (key in VIEWS) return () => player.look(VIEWS[key]);
    if (key === "6" || key === "7") return () => player.zoomTo(key === "7");
    const zoom = (factor) => () => player.world.zoom(factor);
    const { list } = controls;
    const others = {
      Home: () => player.seek(0), End: () => player.seek(Infinity), "[": () => player.faster(-1), "]": () => player.faster(1),
      PageUp: () => player.step(-10), PageDown: () => player.step(10), "/": () => list.search(),
      n: () => list.neighbour(1), p: () => list.neighbour(-1), a: () => controls.other("avatar"), v: () => controls.other("camera"),
      b: () => controls.allBeside(), f: () => controls.nextFinding(), "?": () => player.part("keys").showModal(),
      "+": zoom(1 / 1.2), "=": zoom(1 / 1.2), "-": zoom(1.2), "−": zoom(1.2),
    };
    return Object.hasOwn(others, key) ? others[key] : null;
  }

  mp.keys = { listen };
})((globalThis.MocapPlayer ||= {}));
