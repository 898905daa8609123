// Save the motion that is shown as BVH or binary glTF: the same as mocapgen.formats writes.
(function (mp) {
  "use strict";

  const DEGREES = 180 / Math.PI;
  const UNIT = 100; // BVH: centimetres
  const AROUND = 12; // corners of a ring of a capsule
  const LATITUDES = [-60, -30, 0, 0, 30, 60]; // degrees: three rings on each of its balls
  const COLOURS = { left: [0, 0.168269, 0.445201], right: [0.665387, 0.111932, 0], middle: [0.323143, 0.351533, 0.381326] }; // linear

  // The motion of a sequence: rotations of all joints, frame by frame, and the path of the root.
  async function motion(source, row) {
    const { header } = source;
    const stored = row.motion;
    const skeleton = header.skeletons[stored.skeleton];
    const none = (count) => Array(count).fill(-1);
    const turns = await mp.codec.decode(await source.block(stored.rotations), row.frames, none(stored.turning.length), 4, header.step_rotation);
    const root = await mp.codec.decode(await source.block(stored.root), row.frames, [-1], 3, header.step_root);
    const joints = skeleton.names.length;
    const rotations = new Float64Array(row.frames * joints * 4);
    for (let i = 3; i < rotations.length; i += 4) rotations[i] = 1;
    for (let frame = 0, i = 0; frame < row.frames; frame++) {
      for (const joint of stored.turning) {
        const q = turns.subarray(i, i + 4);
        const norm = Math.hypot(...q) || 1;
        q.forEach((value, axis) => (rotations[4 * (frame * joints + joint) + axis] = value / norm));
        i += 4;
      }
    }
    return { ...skeleton, turning: stored.turning, rotations, root, frames: row.frames, fps: row.fps, name: nameOf(header.clips[row.clip].id, row.avatar) };
  }

  const nameOf = (...parts) => parts.filter(Boolean).join("-").replace(/[^\p{L}\p{N}.+=@_-]+/gu, "_") || "motion";

  // BVH ----------------------------------------------------------------------------------------------

  // Intrinsic angles about z, x, y; in gimbal lock the last one is 0.
  function angles(x, y, z, w) {
    const sine = 2 * (y * z + x * w);
    if (Math.abs(sine) > 1 - 1e-12) return [Math.atan2(2 * (x * y + z * w), 1 - 2 * (y * y + z * z)), Math.sign(sine) * (Math.PI / 2), 0];
    return [
      Math.atan2(-2 * (x * y - z * w), 1 - 2 * (x * x + z * z)),
      Math.asin(sine),
      Math.atan2(-2 * (x * z - y * w), 1 - 2 * (x * x + y * y)),
    ];
  }

  function bvh(moving) {
    const { names, parents, offsets, ends, frames, fps, rotations, root } = moving;
    const children = names.map((_, joint) => parents.flatMap((parent, child) => (parent === joint ? [child] : [])));
    const lines = ["HIERARCHY"];
    const order = [];
    const put = (joint, depth) => {
      const indent = "\t".repeat(depth);
      const end = joint > 0 && ends.includes(joint);
      const offset = joint ? offsets[joint].map((value) => (UNIT * value).toFixed(6)).join(" ") : "0 0 0";
      lines.push(indent + (end ? "End Site" : `${joint ? "JOINT" : "ROOT"} ${names[joint].replace(/[\s{}]+/g, "_")}`), `${indent}{`, `${indent}\tOFFSET ${offset}`);
      if (!end) {
        order.push(joint);
        lines.push(`${indent}\tCHANNELS ${joint ? 3 : "6 Xposition Yposition Zposition"} Zrotation Xrotation Yrotation`);
        if (!children[joint].length) lines.push(`${indent}\tEnd Site`, `${indent}\t{`, `${indent}\t\tOFFSET 0 0 0`, `${indent}\t}`);
      }
      for (const child of children[joint]) put(child, depth + 1);
      lines.push(`${indent}}`);
    };
    put(0, 0);
    lines.push("MOTION", `Frames: ${frames}`, `Frame Time: ${1 / fps}`);
    const before = new Float64Array(3 * names.length);
    for (let frame = 0; frame < frames; frame++) {
      const values = [0, 1, 2].map((axis) => (UNIT * root[3 * frame + axis]).toFixed(6));
      for (const joint of order) {
        const i = 4 * (frame * names.length + joint);
        angles(...rotations.subarray(i, i + 4)).forEach((angle, place) => {
          const last = before[3 * joint + place];
          const near = angle + 2 * Math.PI * Math.round((last - angle) / (2 * Math.PI)); // no jumps by a full turn
          before[3 * joint + place] = near;
          values.push((DEGREES * near).toFixed(6));
        });
      }
      lines.push(values.join(" "));
    }
    return new Blob([`${lines.join("\n")}\n`], { type: "text/plain" });
  }

  // glTF ---------------------------------------------------------------------------------------------

  class Numbers {
    constructor() {
      this.parts = [];
      this.size = 0;
      this.views = [];
      this.accessors = [];
    }

    add(values, type, more = {}, target = undefined) {
      const width = { SCALAR: 1, VEC3: 3, VEC4: 4, MAT4: 16 }[type];
      const componentType = new Map([[Float32Array, 5126], [Uint16Array, 5123], [Uint32Array, 5125]]).get(values.constructor);
      const padding = new Uint8Array((4 - (values.byteLength % 4)) % 4);
      this.views.push({ buffer: 0, byteOffset: this.size, byteLength: values.byteLength, target });
      this.accessors.push({ bufferView: this.views.length - 1, componentType, count: values.length / width, type, ...more });
      this.parts.push(values, padding);
      this.size += values.byteLength + padding.length;
      return this.accessors.length - 1;
    }

    bounded(values, type, target) {
      const width = type === "SCALAR" ? 1 : 3;
      const min = Array(width).fill(Infinity);
      const max = Array(width).fill(-Infinity);
      values.forEach((value, i) => {
        min[i % width] = Math.min(min[i % width], value);
        max[i % width] = Math.max(max[i % width], value);
      });
      return this.add(values, type, { min, max }, target);
    }
  }

  // Corners and triangles of capsules, in the rest pose; see mocapgen/formats/_capsule_mesh.py.
  function mesh(capsules, lift) {
    const { unit, cross, dot, add, length } = mp.space;
    const [at, normals, joints, triangles] = [[], [], [], []];
    for (const capsule of capsules) {
      const first = at.length / 3;
      const along = unit(add(capsule.end, capsule.start, -1));
      const one = unit(cross(along, Math.abs(along[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]));
      const two = cross(along, one);
      const more = length(capsule.across);
      const across = unit(capsule.across);
      const corner = (latitude, angle, upper) => {
        const flat = Math.cos(latitude);
        const normal = add(add(one.map((value) => value * flat * Math.cos(angle)), two, -flat * Math.sin(angle)), along, Math.sin(latitude));
        const out = normal.map((value) => value * capsule.radii[upper]);
        at.push(...add(add(upper ? capsule.end : capsule.start, add(out, across, more * dot(out, across))), lift));
        normals.push(...unit(add(normal, across, (-more / (1 + more)) * dot(normal, across))));
        joints.push(capsule.joint, 0, 0, 0);
      };
      corner(-Math.PI / 2, 0, 0);
      LATITUDES.forEach((latitude, ring) => {
        for (let k = 0; k < AROUND; k++) corner(latitude / DEGREES, (2 * Math.PI * k) / AROUND, ring >= LATITUDES.length / 2 ? 1 : 0);
      });
      corner(Math.PI / 2, 0, 1);
      const last = at.length / 3 - 1;
      for (let k = 0; k < AROUND; k++) {
        const next = (k + 1) % AROUND;
        triangles.push(first, first + 1 + k, first + 1 + next);
        for (let ring = 0; ring < LATITUDES.length - 1; ring++) {
          const [low, high] = [first + 1 + ring * AROUND, first + 1 + (ring + 1) * AROUND];
          triangles.push(low + k, high + k, low + next, low + next, high + k, high + next);
        }
        triangles.push(last - AROUND + k, last, last - AROUND + next);
      }
    }
    return { at, normals, joints, triangles };
  }

  function addBody(gltf, numbers, moving, rest, lift) {
    const joints = moving.names.map((_, joint) => joint);
    const inverse = new Float32Array(joints.flatMap((joint) => [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...rest[joint].map((value, axis) => -value - lift[axis]), 1]));
    gltf.skins = [{ inverseBindMatrices: numbers.add(inverse, "MAT4"), skeleton: 0, joints }];
    gltf.materials = [];
    const primitives = [];
    for (const [side, colour] of Object.entries(COLOURS)) {
      const those = moving.body.filter((capsule) => capsule.side === side);
      if (!those.length) continue;
      const { at, normals, joints: moved, triangles } = mesh(those, lift);
      const weights = new Float32Array(moved.length).map((_, i) => (i % 4 ? 0 : 1));
      const attributes = {
        POSITION: numbers.bounded(new Float32Array(at), "VEC3", 34962),
        NORMAL: numbers.add(new Float32Array(normals), "VEC3", {}, 34962),
        JOINTS_0: numbers.add(new Uint16Array(moved), "VEC4", {}, 34962),
        WEIGHTS_0: numbers.add(weights, "VEC4", {}, 34962),
      };
      primitives.push({ attributes, indices: numbers.add(new Uint32Array(triangles), "SCALAR", {}, 34963), material: gltf.materials.length });
      gltf.materials.push({ name: side, pbrMetallicRoughness: { baseColorFactor: [...colour, 1], metallicFactor: 0, roughnessFactor: 0.7 } });
    }
    gltf.meshes = [{ name: "Body", primitives }];
    gltf.nodes.push({ name: "Body", mesh: 0, skin: 0 });
    gltf.scenes[0].nodes.push(gltf.nodes.length - 1);
  }

  function addAnimation(gltf, numbers, moving) {
    const { names, turning, frames, fps, rotations, root } = moving;
    const clock = numbers.bounded(new Float32Array(frames).map((_, frame) => frame / fps), "SCALAR");
    const animation = { name: moving.name, samplers: [], channels: [], extras: { fps } };
    const put = (node, path, values, type) => {
      animation.samplers.push({ input: clock, output: numbers.add(values, type), interpolation: "LINEAR" });
      animation.channels.push({ sampler: animation.samplers.length - 1, target: { node, path } });
    };
    put(0, "translation", new Float32Array(root), "VEC3");
    for (const joint of turning) {
      const values = new Float32Array(4 * frames);
      for (let frame = 0; frame < frames; frame++) {
        const i = 4 * (frame * names.length + joint);
        values.set(rotations.subarray(i, i + 4), 4 * frame);
      }
      put(joint, "rotation", values, "VEC4");
    }
    gltf.animations = [animation];
  }

  function glb(moving) {
    const { names, parents, offsets } = moving;
    const rest = [];
    parents.forEach((parent, joint) => rest.push(parent < 0 ? [0, 0, 0] : mp.space.add(rest[parent], offsets[joint])));
    const lift = [0, -Math.min(...rest.map((place) => place[1])), 0];
    const nodes = names.map((name, joint) => {
      const children = parents.flatMap((parent, child) => (parent === joint ? [child] : []));
      return { name, translation: joint ? offsets[joint] : lift, ...(children.length ? { children } : {}) };
    });
    const gltf = { asset: { version: "2.0", generator: "mocapgen view" }, scene: 0, scenes: [{ name: moving.name, nodes: [0] }], nodes };
    const numbers = new Numbers();
    if (moving.body.length) addBody(gltf, numbers, moving, rest, lift);
    addAnimation(gltf, numbers, moving);
    Object.assign(gltf, { bufferViews: numbers.views, accessors: numbers.accessors, buffers: [{ byteLength: numbers.size }] });
    const text = new TextEncoder().encode(JSON.stringify(gltf));
    const blanks = new Uint8Array((4 - (text.length % 4)) % 4).fill(32);
    const size = text.length + blanks.length;
    const head = new Uint32Array([0x46546c67, 2, 28 + size + numbers.size, size, 0x4e4f534a]); // glTF; JSON
    return new Blob([head, text, blanks, new Uint32Array([numbers.size, 0x004e4942]), ...numbers.parts], { type: "model/gltf-binary" });
  }

  const KINDS = { bvh, glb };

  // Hand the motion of a sequence over as a file.
  async function save(source, row, kind) {
    const moving = await motion(source, row);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(KINDS[kind](moving));
    link.download = `${moving.name}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  mp.save = { motion, bvh, glb, save };
})((globalThis.MocapPlayer ||= {}));
