// What can wait until what is shown is on the screen.
(function (mp) {
  "use strict";

  const LATEST = 150; // milliseconds

  // Resolves when the browser has nothing better to do.
  mp.later = () => new Promise((done) => (globalThis.requestIdleCallback ? requestIdleCallback(done, { timeout: LATEST }) : setTimeout(done, 30)));

  // Resolves when what is drawn now has been shown.
  mp.shown = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
})((globalThis.MocapPlayer ||= {}));
