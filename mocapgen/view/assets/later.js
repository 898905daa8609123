// What can wait until what is shown is on the screen.
(function (mp) {
  "use strict";

  const LATEST = 150; // milliseconds

  // Resolves when the browser has nothing better to do.
  mp.later = () => new Promise((done) => (globalThis.requestIdleCallback ? requestIdleCallback(done, { timeout: LATEST }) : setTimeout(done, 30)));

  // Resolves when the browser has read the page to its end.
  mp.parsed = () => new Promise((done) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", done, { once: true }) : done()));

  // Resolves when what is drawn now has been shown.
  mp.shown = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
})((globalThis.MocapPlayer ||= {}));
