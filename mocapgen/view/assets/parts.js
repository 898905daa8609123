// The parts of bodies as surfaces: two balls with what lies between them, each with its own ends, radii, direction across and colour.
(function (mp) {
  "use strict";

  const AROUND = 16; // corners of a ring
  const CAP = [-90, -60, -30]; // degrees: rings of the lower ball; those of the upper one mirror them
  const ALONG = [0, 0.5, 1]; // rings between the balls
  const DETAIL = { fine: [[0, 1, 2, 3, 4, 5, 6, 7, 8], 1], coarse: [[0, 1, 3, 4, 5, 7, 8], 2], rough: [[0, 3, 5, 8], 2] }; // rings and every which corner

  const PLACE = `
    attribute vec4 start, end, across, tint;
    attribute float along;
    vec3 partNormal;
    vec3 partPosition() {
      vec3 way = end.xyz - start.xyz;
      float reach = length(way);
      vec3 y = reach > 1e-6 ? way / reach : vec3(0.0, 1.0, 0.0);
      vec3 x = across.xyz - y * dot(across.xyz, y);
      if (dot(x, x) < 1e-4) x = abs(y.x) < 0.9 ? cross(y, vec3(1.0, 0.0, 0.0)) : cross(y, vec3(0.0, 1.0, 0.0));
      x = normalize(x);
      vec3 z = cross(x, y);
      float radius = mix(start.w, end.w, along) + tint.w * 4.0 * along * (1.0 - along);
      float slope = (end.w - start.w + tint.w * 4.0 * (1.0 - 2.0 * along)) / max(reach, 1e-4);
      partNormal = normalize(x * position.x / across.w + z * position.z + y * (position.y - slope * (1.0 - abs(position.y))));
      return mix(start.xyz, end.xyz, along) + radius * (x * position.x * across.w + y * position.y + z * position.z);
    }
  `;

  // Brighter towards the edges, as if light came from behind too: bodies stand out from each other and from the ground.
  const EDGE = "outgoingLight += (0.25 * diffuseColor.rgb + 0.06) * pow(1.0 - abs(dot(normal, normalize(vViewPosition))), 2.5);";

  // The corners once; triangles between all of them, or between fewer: [first, count] of the index for each detail.
  const ranges = {};

  function capsule(three) {
    const rings = [...CAP.map((degrees) => [degrees, 0]), ...ALONG.map((along) => [0, along]), ...[...CAP].reverse().map((degrees) => [-degrees, 1])];
    const [at, along, triangles] = [[], [], []];
    for (const [degrees, place] of rings) {
      const angle = (degrees * Math.PI) / 180;
      for (let k = 0; k < AROUND; k++) {
        const turn = (2 * Math.PI * k) / AROUND;
        at.push(Math.cos(angle) * Math.cos(turn), Math.sin(angle), Math.cos(angle) * Math.sin(turn));
        along.push(place);
      }
    }
    for (const [name, [kept, step]] of Object.entries(DETAIL)) {
      const first = triangles.length;
      for (let ring = 1; ring < kept.length; ring++) {
        for (let k = 0; k < AROUND; k += step) {
          const [low, high, next] = [kept[ring - 1] * AROUND, kept[ring] * AROUND, (k + step) % AROUND];
          if (ring > 1) triangles.push(low + k, high + k, low + next);
          if (ring < kept.length - 1) triangles.push(low + next, high + k, high + next);
        }
      }
      ranges[name] = [first, triangles.length - first];
    }
    const position = new three.BufferAttribute(new Float32Array(at), 3);
    return { index: triangles, attributes: { position, normal: position, along: new three.BufferAttribute(new Float32Array(along), 1) } };
  }

  // Let a material of three.js draw parts.
  function placed(material, coloured) {
    const colour = (shader, before) => {
      shader.fragmentShader = shader.fragmentShader
        .replace("void main() {", `varying vec3 vTint;\nvoid main() {`)
        .replace("#include <color_fragment>", "diffuseColor.rgb *= vTint;")
        .replace("#include <opaque_fragment>", `${EDGE}\n#include <opaque_fragment>`);
      return `varying vec3 vTint;\n${before}\nvTint = tint.rgb;`;
    };
    material.onBeforeCompile = (shader) => {
      const main = coloured ? colour(shader, "void main() {") : "void main() {";
      shader.vertexShader = `${PLACE}${shader.vertexShader}`
        .replace("void main() {", `${main}\nvec3 partPlace = partPosition();`)
        .replace("#include <beginnormal_vertex>", "vec3 objectNormal = partNormal;")
        .replace("#include <begin_vertex>", "vec3 transformed = partPlace;");
    };
    return material;
  }

  class Parts extends mp.Instances {
    constructor(material, room) {
      super(capsule, { start: 4, end: 4, across: 4, tint: 4 }, room);
      this.mesh.material = placed(material, true);
      this.mesh.customDepthMaterial = placed(new (mp.three().MeshDepthMaterial)(), false);
      this.mesh.castShadow = this.mesh.receiveShadow = true;
      this.mesh.onBeforeShadow = () => this.mesh.geometry.setDrawRange(...ranges.rough); // soft as it is, a shadow needs no more
      this.mesh.onAfterShadow = () => this.mesh.geometry.setDrawRange(...ranges[this.detail]);
      this.detail = "fine";
    }

    finish() {
      super.finish();
      this.mesh.geometry.setDrawRange(...ranges[this.detail]);
    }

    // All parts of a body as it is posed: `colours` by side, thinner by a factor.
    add(body, colours, slim) {
      body.each((part, a, b, ra, rb, across) => {
        const [row, { start, end, across: aside, tint }] = [4 * this.row(), this.arrays];
        put(start, row, a[0], a[1], a[2], ra * slim);
        put(end, row, b[0], b[1], b[2], rb * slim);
        put(aside, row, ...(across || NOWHERE), across ? part.stretch : 1);
        const colour = colours[part.side];
        put(tint, row, colour.r, colour.g, colour.b, part.bulge * slim);
      });
    }
  }

  const NOWHERE = [0, 0, 0];

  function put(array, i, x, y, z, w) {
    array[i] = x;
    array[i + 1] = y;
    array[i + 2] = z;
    array[i + 3] = w;
  }

  Object.assign(mp, { Parts, placed });
})((globalThis.MocapPlayer ||= {}));
