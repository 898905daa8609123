// One shape drawn many times in one go: columns of numbers, a row for each copy.
(function (mp) {
  "use strict";

  class Instances {
    // `shape` makes the attributes and the index that all copies share; `columns` says how many numbers each column has in a row.
    constructor(shape, columns, room) {
      const three = mp.three();
      this.shape = shape(three);
      this.widths = columns;
      this.columns = {};
      this.arrays = {};
      this.count = 0;
      this.mesh = new three.Mesh();
      this.mesh.frustumCulled = false; // its extent is known to nobody but the shader
      this.make(room);
    }

    make(room) {
      const three = mp.three();
      const geometry = new three.InstancedBufferGeometry();
      geometry.setIndex(this.shape.index);
      for (const [name, attribute] of Object.entries(this.shape.attributes)) geometry.setAttribute(name, attribute);
      for (const [name, width] of Object.entries(this.widths)) {
        const values = new Float32Array(width * room);
        if (this.arrays[name]) values.set(this.arrays[name]);
        this.arrays[name] = values;
        this.columns[name] = new three.InstancedBufferAttribute(values, width).setUsage(three.DynamicDrawUsage);
        geometry.setAttribute(name, this.columns[name]);
      }
      this.mesh.geometry.dispose();
      this.mesh.geometry = geometry;
      this.room = room;
    }

    begin() {
      this.count = 0;
    }

    // The number of a new row, to be filled in `arrays`.
    row() {
      if (this.count === this.room) this.make(2 * this.room);
      return this.count++;
    }

    finish() {
      this.mesh.geometry.instanceCount = this.count;
      this.mesh.visible = this.count > 0;
      for (const [name, width] of Object.entries(this.widths)) {
        const column = this.columns[name];
        column.clearUpdateRanges();
        column.addUpdateRange(0, width * this.count);
        column.needsUpdate = true;
      }
    }
  }

  mp.Instances = Instances;
})((globalThis.MocapPlayer ||= {}));
