// Numbers from text: the other half of mocapgen/view/codec.py.
(function (mp) {
  "use strict";

  const MISSING = -2147483648;

  async function inflate(text) {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Byte planes to positions, (frames, joints, axes): unfold the sign, sum twice along time, add the parents.
  function unfold(bytes, frames, parents, axes) {
    const joints = parents.length;
    const count = frames * joints * axes;
    if (bytes.length !== 4 * count) throw new Error(`expected ${4 * count} bytes, found ${bytes.length}`);
    const out = new Int32Array(count);
    for (let channel = 0, i = 0; channel < joints * axes; channel++) {
      let slope = 0;
      let value = 0;
      for (let frame = 0; frame < frames; frame++, i++) {
        const folded = bytes[i] | (bytes[i + count] << 8) | (bytes[i + 2 * count] << 16) | (bytes[i + 3 * count] << 24);
        slope = (slope + ((folded >>> 1) ^ -(folded & 1))) | 0;
        value = (value + slope) | 0;
        out[frame * joints * axes + channel] = value;
      }
    }
    for (let joint = 0; joint < joints; joint++) {
      const parent = parents[joint];
      if (parent < 0 || parent >= joint) continue;
      for (let frame = 0; frame < frames; frame++) {
        for (let axis = 0; axis < axes; axis++) {
          const i = (frame * joints + joint) * axes + axis;
          out[i] = (out[i] + out[(frame * joints + parent) * axes + axis]) | 0;
        }
      }
    }
    return out;
  }

  function scaled(whole, step) {
    const out = new Float64Array(whole.length);
    for (let i = 0; i < out.length; i++) out[i] = whole[i] === MISSING ? NaN : whole[i] * step;
    return out;
  }

  async function decode(text, frames, parents, axes, step) {
    return scaled(unfold(await inflate(text), frames, parents, axes), step);
  }

  mp.codec = { decode, unfold, scaled };
})((globalThis.MocapPlayer ||= {}));
