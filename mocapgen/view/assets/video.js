// The video behind the image plane, in step with the animation.
(function (mp) {
  "use strict";

  const APART = 0.12; // seconds that a playing video may be off
  const INTO = 0.001; // seconds into a picture, so that rounding does not show the one before

  mp.Video = class {
    constructor(player) {
      this.player = player;
      this.element = player.part("video");
      if (!this.element) return;
      this.starts = JSON.parse(this.element.dataset.starts);
      this.element.muted = true;
      for (const event of ["loadeddata", "seeked"]) this.element.addEventListener(event, () => player.redraw());
      this.element.addEventListener("error", () => {
        this.failed = true;
        player.say("The video cannot be played: it has to be where it was seen from this page, in a form that browsers play, such as MP4 with H.264.");
      });
    }

    // The picture of the moment that the player shows; null where there is none.
    picture() {
      const { element, player } = this;
      if (!element || this.failed) return null;
      const time = (this.starts[player.rows[player.index].number] || 0) + player.frame / player.scene.fps;
      if (player.playing) this.follow(time);
      else this.stand(time + INTO);
      return element.readyState >= 2 ? element : null;
    }

    follow(time) {
      const { element, player } = this;
      this.asked = null;
      element.playbackRate = player.speed;
      if (Math.abs(element.currentTime - time) > Math.max(1, player.speed) * APART && !element.seeking) element.currentTime = time;
      if (element.paused && time < (element.duration || Infinity)) element.play().catch(() => {}); // not yet loaded, or not allowed: pictures are sought
    }

    stand(time) {
      const { element } = this;
      if (!element.paused) element.pause();
      const asked = Math.min(time, element.duration || time);
      if (Math.abs(element.currentTime - asked) > INTO / 2 && this.asked !== asked) {
        this.asked = asked;
        element.currentTime = asked;
      }
    }
  };
})((globalThis.MocapPlayer ||= {}));
