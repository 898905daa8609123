// The parts of bodies as surfaces: two balls with what lies between them, each with its own ends, radii, direction across and colour.
(function (mp) {
  "use strict";

  const AROUND = 16; // corners of a ring
  const CAP = [-90, -60, -30]; // degrees: rings of the lower ball; those of the upper one mirror them
  const ALONG = [0, 0.2, 0.4, 0.6, 0.8, 1]; // rings between the balls

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

  function capsule(three) {
    const rings = [...CAP.map((degrees) => [degrees, 0]), ...ALONG.map((along) => [0, along]), ...[...CAP].reverse().map((degrees) => [-degrees, 1])];
    const [at, along, triangles] = [[], [], []];
    rings.forEach(([degrees, place], ring) => {
      const angle = (degrees * Math.PI) / 180;
      for (let k = 0; k <= AROUND; k++) {
        const turn = (2 * Math.PI * k) / AROUND;
        at.push(Math.cos(angle) * Math.cos(turn), Math.sin(angle), Math.cos(angle) * Math.sin(turn));
        along.push(place);
        if (ring === 0 || k === AROUND) continue;
        const [low, high] = [(ring - 1) * (AROUND + 1) + k, ring * (AROUND + 1) + k];
        triangles.push(low, high, low + 1, low + 1, high, high + 1);
      }
    });
    const position = new three.BufferAttribute(new Float32Array(at), 3);
    return { index: triangles, attributes: { position, normal: position, along: new three.BufferAttribute(new Float32Array(along), 1) } };
  }

  // Let a material of three.js draw parts.
  function placed(material, coloured) {
    const colour = (shader, before) => {
      shader.fragmentShader = shader.fragmentShader
        .replace("void main() {", `varying vec3 vTint;\nvoid main() {`)
        .replace("#include <color_fragment>", "diffuseColor.rgb *= vTint;");
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
    }

    // All parts of a body as it is posed: `colours` by side, thinner by a factor.
    add(body, colours, slim) {
      body.each((part, a, b, ra, rb, across) => {
        const { r, g, b: blue } = colours[part.side];
        this.put({
          start: [...a, ra * slim],
          end: [...b, rb * slim],
          across: across ? [...across, part.stretch] : [0, 0, 0, 1],
          tint: [r, g, blue, part.bulge * slim],
        });
      });
    }
  }

  Object.assign(mp, { Parts, placed });
})((globalThis.MocapPlayer ||= {}));
