// Mouse and touch on a pane.
(function (mp) {
  "use strict";

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

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

  mp.pointers = pointers;
})((globalThis.MocapPlayer ||= {}));
