// What three.js draws: bodies in light, their shadow on the ground, and lines. Made for one canvas, and given back with it.
(function (mp) {
  "use strict";

  mp.three = () => globalThis.MocapThree;

  const { space } = mp;
  const LEVELS = [[2, 2048], [1.5, 2048], [1, 1024], [1, 512], [0.75, 512]]; // pixels per pixel of the page, at most, and of the shadow's map
  const SLOW = 22; // milliseconds between frames, on average: then the next level is taken
  const WATCHED = 40; // frames
  const AROUND = 1.6; // metres of shadow around the bodies' joints
  const [SKY, KEY] = [2.6, 2.6]; // strength of the lights
  const HIDDEN = 0.35; // opacity of a prediction where a body hides it

  class Picture {
    constructor(canvas) {
      const three = mp.three();
      this.renderer = new three.WebGLRenderer({ canvas, antialias: true, alpha: false, powerPreference: "high-performance" });
      this.renderer.shadowMap.enabled = true;
      this.renderer.shadowMap.type = three.PCFShadowMap;
      this.scene = new three.Scene();
      this.camera = new three.PerspectiveCamera();
      this.camera.matrixAutoUpdate = false;
      const material = () => new three.MeshStandardMaterial({ roughness: 0.62, metalness: 0 });
      this.bodies = new mp.Parts(material(), 256);
      this.guesses = new mp.Parts(material(), 64);
      this.strokes = new mp.Strokes(256);
      this.ground = new mp.Ground();
      const hidden = { transparent: true, opacity: HIDDEN, depthFunc: three.GreaterDepth, depthWrite: false };
      this.through = new three.Mesh(this.guesses.mesh.geometry, mp.placed(Object.assign(material(), hidden), true));
      this.through.frustumCulled = false;
      for (const parts of [this.bodies, this.guesses]) parts.mesh.castShadow = parts.mesh.receiveShadow = true;
      this.light();
      this.scene.add(this.ground.mesh, this.bodies.mesh, this.through, this.guesses.mesh, this.strokes.mesh);
      this.level = 0;
      this.intervals = [];
    }

    light() {
      const three = mp.three();
      this.sky = new three.HemisphereLight(0xffffff, 0x8a8f96, SKY);
      this.key = new three.DirectionalLight(0xffffff, KEY);
      this.key.castShadow = true;
      this.key.shadow.normalBias = 0.012;
      this.key.shadow.radius = 3;
      this.scene.add(this.sky, this.key, this.key.target);
    }

    restyle(style) {
      const three = mp.three();
      const named = Object.entries(style).filter(([, value]) => /^#/.test(value));
      this.colours = Object.fromEntries(named.map(([name, value]) => [name, new three.Color(value)]));
      const { surface, grid } = this.colours;
      const dark = surface.getHSL({}).l < 0.5;
      this.scene.background = surface;
      this.sky.groundColor.copy(surface).multiplyScalar(dark ? 6 : 0.75);
      this.ground.restyle(surface, grid, dark);
    }

    resize(width, height, ratio) {
      const [most, map] = LEVELS[this.level];
      const wanted = `${width} ${height} ${Math.min(ratio, most)}`;
      if (wanted !== this.size) {
        this.size = wanted;
        this.renderer.setPixelRatio(Math.min(ratio, most));
        this.renderer.setSize(width, height, false);
      }
      const { shadow } = this.key;
      if (shadow.mapSize.x !== map) {
        shadow.mapSize.set(map, map);
        shadow.map?.dispose();
        shadow.map = null;
      }
    }

    // Take less trouble where frames are slow: `passed` milliseconds since the frame before.
    watch(passed) {
      this.intervals.push(passed);
      if (this.intervals.length < WATCHED) return;
      const mean = this.intervals.reduce((sum, value) => sum + value, 0) / this.intervals.length;
      this.intervals = [];
      if (mean > SLOW && this.level < LEVELS.length - 1) this.level += 1;
    }

    // The light falls from behind the file's camera, from the left and above; its map covers the bodies: a box of theirs.
    aim({ axes, floor }, { low, high }) {
      const middle = low.map((value, k) => (value + high[k]) / 2);
      const half = Math.min(Math.max(space.length(space.add(high, low, -1)) / 2 + AROUND, 2), 200);
      const level = space.unit([axes.right[0], 0, axes.right[2]]);
      const towards = space.unit(space.add(space.add([0, 1.9, 0], level, -0.55), space.cross(level, [0, 1, 0]), -0.6));
      const { camera } = this.key.shadow;
      const covered = 2 ** (Math.ceil(2 * Math.log2(half)) / 2); // in steps, lest the shadow's edge trembles as the bodies move
      if (camera.right !== covered) {
        Object.assign(camera, { left: -covered, right: covered, top: covered, bottom: -covered, near: 0.1, far: 6 * covered });
        camera.updateProjectionMatrix();
      }
      const step = covered / 64;
      const at = middle.map((value) => Math.round(value / step) * step);
      this.key.target.position.set(at[0], floor, at[2]);
      this.key.position.set(...space.add([at[0], floor, at[2]], towards, 3 * covered));
      return 2 * covered;
    }

    look(view, width, height, reach) {
      const near = Math.max(0.02, reach / 2000);
      this.camera.matrixWorld.set(...space.poseOf(view));
      this.camera.matrixWorld.decompose(this.camera.position, this.camera.quaternion, this.camera.scale);
      this.camera.matrix.copy(this.camera.matrixWorld);
      this.camera.projectionMatrix.set(...space.projectionOf(view, width, height, near, 50 * reach));
      this.camera.projectionMatrixInverse.copy(this.camera.projectionMatrix).invert();
    }

    render() {
      this.through.geometry = this.guesses.mesh.geometry;
      this.through.visible = this.guesses.mesh.visible;
      this.renderer.render(this.scene, this.camera);
    }

    dispose() {
      this.renderer.dispose();
      this.renderer.forceContextLoss();
    }
  }

  mp.Picture = Picture;
})((globalThis.MocapPlayer ||= {}));
