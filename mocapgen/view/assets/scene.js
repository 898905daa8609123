// One sequence made ready to draw: positions in the world, pixels, predictions, and what the view is fitted to.
(function (mp) {
  "use strict";

  const { space } = mp;
  const REMEMBERED = 12;

  class Source {
    // `text` is the beginning of all blocks, `rest` a promise of what follows.
    constructor(header, text, rest) {
      this.header = header;
      this.text = text;
      this.rest = rest;
      this.offsets = [0];
      for (const length of header.blocks) this.offsets.push(this.offsets[this.offsets.length - 1] + length);
      for (const camera of header.cameras) {
        for (const name of ["K", "R", "t"]) camera[name] = camera[name].map((value) => (value === null ? NaN : value));
      }
      this.scenes = new Map();
    }

    async block(number) {
      const place = [this.offsets[number], this.offsets[number + 1]];
      if (place[1] <= this.text.length) return this.text.slice(...place);
      this.whole ||= this.rest.then((rest) => this.text + rest);
      return (await this.whole).slice(...place);
    }

    // The sequence in place `index` of the header's table.
    async scene(index) {
      const known = this.scenes.get(index);
      if (known) return known;
      const scene = await this.load(this.header.sequences[index]);
      this.scenes.set(index, scene);
      if (this.scenes.size > REMEMBERED) this.scenes.delete(this.scenes.keys().next().value);
      return scene;
    }

    async load(row) {
      const { header } = this;
      const figure = header.figures[row.figure];
      const camera = header.cameras[row.camera];
      const read = async (block, parents, axes, step) => mp.codec.decode(await this.block(block), row.frames, parents, axes, step);
      const world = await read(row.world, figure.parents, 3, header.step_3d);
      const stored = row.pixels !== undefined;
      const pixels = stored ? await read(row.pixels, figure.parents, 2, header.step_2d) : project(camera, world);
      const scene = { row, figure, camera, world, pixels, stored, clip: header.clips[row.clip], frames: row.frames, fps: row.fps };
      scene.axes = space.cameraAxes(camera);
      scene.floor = row.floor || 0;
      scene.box = boxOf(world, 3);
      scene.pixelBox = boxOf(pixels, 2);
      scene.root = Math.max(figure.parents.findIndex((parent) => parent < 0), 0);
      scene.ends = figure.names.map((_, joint) => joint).filter((joint) => !figure.parents.includes(joint));
      if (row.predicted) scene.predicted = await this.loadPrediction(row);
      return scene;
    }

    async loadPrediction(row) {
      const { header } = this;
      const { same, world, errors } = row.predicted;
      const figure = header.figures[row.predicted.figure];
      const predicted = { figure, same, root: Math.max(figure.parents.findIndex((parent) => parent < 0), 0) };
      predicted.world = await mp.codec.decode(await this.block(world), row.frames, figure.parents, 3, header.step_3d);
      predicted.errors = await mp.codec.decode(await this.block(errors), row.frames, [-1], 1, header.step_error);
      predicted.mean = meanOf(predicted.errors);
      return predicted;
    }
  }

  function project(camera, world) {
    const out = new Float64Array((world.length / 3) * 2);
    for (let i = 0, k = 0; i < world.length; i += 3, k += 2) {
      const pixel = space.toPixel(camera, world[i], world[i + 1], world[i + 2]);
      out[k] = pixel[0];
      out[k + 1] = pixel[1];
    }
    return out;
  }

  const at = (positions, joints, frame, joint) => {
    const i = 3 * (frame * joints + joint);
    return [positions[i], positions[i + 1], positions[i + 2]];
  };

  // How far a prediction is moved so that its root lies on that of the truth.
  function shiftToRoot(predicted, scene, frame) {
    const truth = at(scene.world, scene.figure.names.length, frame, predicted.same[predicted.root]);
    const guess = at(predicted.world, predicted.figure.names.length, frame, predicted.root);
    const shift = space.add(truth, guess, -1);
    return predicted.same[predicted.root] >= 0 && space.finite(shift) ? shift : null;
  }

  function meanOf(values) {
    const known = values.filter(Number.isFinite);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : NaN;
  }

  // Where the motion takes place, but for the wildest hundredth of the coordinates.
  function boxOf(points, axes) {
    const stride = axes * Math.max(1, Math.floor(points.length / axes / 20000));
    const low = [];
    const high = [];
    for (let axis = 0; axis < axes; axis++) {
      const values = [];
      for (let i = axis; i < points.length; i += stride) if (Number.isFinite(points[i])) values.push(points[i]);
      values.sort((a, b) => a - b);
      const last = values.length - 1;
      low.push(last < 0 ? -1 : values[Math.floor(0.005 * last)]);
      high.push(last < 0 ? 1 : values[Math.ceil(0.995 * last)]);
    }
    return { low, high, centre: low.map((value, axis) => (value + high[axis]) / 2) };
  }

  mp.scene = { Source, at, boxOf, project, shiftToRoot };
})((globalThis.MocapPlayer ||= {}));
