// What three.js draws: bodies in light, their shadow on the ground, and lines. Made for one canvas, and given back with it.
(function (mp) {
  "use strict";

  let library = null;
  mp.three = () => (library ||= mp.loadThree());

  const { space } = mp;
  // From the best on: pixels per pixel of the page, at most, and of the shadow's map; how round bodies are; whether edges are smoothed; how often
  // the shadow is drawn, in frames.
  const LEVELS = [
    { ratio: 2, map: 2048, detail: "fine", antialias: true, every: 1 },
    { ratio: 1.5, map: 1024, detail: "fine", antialias: true, every: 1 },
    { ratio: 1, map: 1024, detail: "coarse", antialias: true, every: 1 },
    { ratio: 1, map: 512, detail: "coarse", antialias: false, every: 2 },
    { ratio: 0.75, map: 512, detail: "rough", antialias: false, every: 3 },
  ];
  const SLOW = 24; // milliseconds between frames, on average: then the next level is taken
  const [WATCHED, WATCH] = [6, 500]; // frames and milliseconds after which that is judged, at least
  const AROUND = 1.6; // metres of shadow around the bodies' middles
  const SHADOW = 2; // metres around the middle of a shadow beyond which none of it lies
  const [SKY, KEY] = [2.6, 2.6]; // strength of the lights
  const HIDDEN = 0.35; // opacity of a prediction where a body hides it

  class Picture {
    // Throws where the browser has no WebGL for the canvas.
    constructor(canvas, level) {
      const three = mp.three();
      this.level = level;
      const context = canvas.getContext("webgl2", { antialias: LEVELS[level].antialias, alpha: false, powerPreference: "high-performance" });
      if (!context) throw new Error("no WebGL");
      this.renderer = new three.WebGLRenderer({ canvas, context });
      this.renderer.shadowMap.enabled = true;
      this.renderer.shadowMap.type = three.PCFShadowMap;
      this.scene = new three.Scene();
      this.camera = new three.PerspectiveCamera();
      this.camera.matrixAutoUpdate = false;
      const material = () => new three.MeshLambertMaterial();
      this.bodies = new mp.Parts(material(), 256);
      this.guesses = new mp.Parts(material(), 64);
      this.strokes = new mp.Strokes(256);
      this.ground = new mp.Ground();
      const hidden = { transparent: true, opacity: HIDDEN, depthFunc: three.GreaterDepth, depthWrite: false };
      this.through = new three.Mesh(this.guesses.mesh.geometry, mp.placed(Object.assign(material(), hidden), true));
      this.through.frustumCulled = false;
      this.light();
      this.scene.add(this.ground.mesh, this.bodies.mesh, this.through, this.guesses.mesh, this.strokes.mesh);
      this.passed = [];
      this.drawn = 0;
      this.lost = this.disposed = false;
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
      const { ratio: most, map, detail } = LEVELS[this.level];
      const wanted = `${width} ${height} ${Math.min(ratio, most)}`;
      if (wanted !== this.size) {
        this.size = wanted;
        this.renderer.setPixelRatio(Math.min(ratio, most));
        this.renderer.setSize(width, height, false);
      }
      this.bodies.detail = this.guesses.detail = detail;
      const { shadow } = this.key;
      if (shadow.mapSize.x !== map) {
        shadow.mapSize.set(map, map);
        shadow.map?.dispose();
        shadow.map = null;
      }
    }

    // Resolves when the shaders are ready, where the browser compiles them beside other work; elsewhere the first rendering does.
    async compiled() {
      const beside = this.renderer.getContext().getExtension("KHR_parallel_shader_compile");
      if (beside) await this.renderer.compileAsync(this.scene, this.camera);
    }

    // Whether frames are so slow, `passed` milliseconds after the one before, that less trouble should be taken.
    slow(passed) {
      this.passed.push(passed);
      const sum = this.passed.reduce((all, value) => all + value, 0);
      if (this.passed.length < WATCHED || sum < WATCH) return false;
      const mean = sum / this.passed.length;
      this.passed = [];
      return mean > SLOW && this.level < LEVELS.length - 1;
    }

    // Take less trouble: false if that needs another picture.
    lower() {
      this.level += 1;
      return LEVELS[this.level].antialias === LEVELS[this.level - 1].antialias;
    }

    // The light falls from behind the file's camera, from the left and above; its map covers the bodies, of which the middles are given.
    aim({ axes, floor }, middles) {
      const [low, high] = [Math.min, Math.max].map((most) => [0, 1, 2].map((k) => most(...middles.map((p) => p[k]))));
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
      const along = ([x, y, z]) => [x - ((y - floor) * towards[0]) / towards[1], z - ((y - floor) * towards[2]) / towards[1], SHADOW];
      this.ground.shade(middles.map(along), this.level < LEVELS.length - 2);
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
      this.renderer.shadowMap.autoUpdate = this.drawn++ % LEVELS[this.level].every === 0;
      this.renderer.render(this.scene, this.camera);
    }

    dispose() {
      this.disposed = true;
      this.renderer.dispose();
      if (!this.renderer.getContext().isContextLost()) this.renderer.forceContextLoss();
    }
  }

  mp.Picture = Picture;
})((globalThis.MocapPlayer ||= {}));
