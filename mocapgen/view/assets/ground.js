// The ground: a floor with a grid that fades into the background, and on it the shadow of all bodies, soft and merged.
(function (mp) {
  "use strict";

  const CORNERS = 64;
  const [SAMPLES, FEW] = [12, 4]; // of the shadow, around each pixel; where less trouble is taken
  const MOST = 8; // shadows whose places are told: elsewhere none is looked for
  const SOFT = 0.03; // metres: how far around

  const FRAGMENT = `
    float far = smoothstep(0.35, 1.0, distance(vPlace, middle) / reach);
    vec2 cells = vPlace / cell;
    vec2 wide = fwidth(cells);
    vec2 off = abs(fract(cells - 0.5) - 0.5) / wide;
    vec2 line = (1.0 - min(off, 1.0)) * (1.0 - smoothstep(0.15, 0.5, wide));
    float lit = 1.0;
    bool near = false;
    for (int i = 0; i < ${MOST}; i++) near = near || distance(vPlace, shadows[i].xy) < shadows[i].z;
    #if NUM_DIR_LIGHT_SHADOWS > 0
    if (near) {
      vec4 coord = vDirectionalShadowCoord[0];
      vec3 place = coord.xyz / coord.w;
      float phi = interleavedGradientNoise(gl_FragCoord.xy) * PI2;
      if (place.z <= 1.0 && all(greaterThan(place.xy, vec2(0.0))) && all(lessThan(place.xy, vec2(1.0)))) {
        lit = 0.0;
        for (int i = 0; i < samples; i++) lit += texture(directionalShadowMap[0], vec3(place.xy + vogelDiskSample(i, samples, phi) * soft, place.z + 0.0005));
        lit /= float(samples);
      }
    }
    #endif
    vec3 ground = mix(floorColour, lineColour, max(line.x, line.y));
    ground = mix(ground, shadowColour, (1.0 - lit) * strength);
    gl_FragColor = vec4(mix(ground, backColour, far), 1.0);
  `;

  class Ground {
    constructor() {
      const three = mp.three();
      const colour = () => ({ value: new three.Color() });
      this.uniforms = {
        floorColour: colour(), lineColour: colour(), shadowColour: colour(), backColour: colour(), strength: { value: 1 },
        cell: { value: 1 }, reach: { value: 20 }, middle: { value: new three.Vector2() }, soft: { value: 0.01 },
        samples: { value: SAMPLES }, shadows: { value: Array.from({ length: MOST }, () => new three.Vector3()) },
      };
      const material = new three.ShadowMaterial();
      material.transparent = false;
      material.onBeforeCompile = (shader) => {
        Object.assign(shader.uniforms, this.uniforms);
        shader.vertexShader = shader.vertexShader
          .replace("void main() {", "varying vec2 vPlace;\nvoid main() {")
          .replace("#include <worldpos_vertex>", "#include <worldpos_vertex>\nvPlace = (modelMatrix * vec4(transformed, 1.0)).xz;");
        const declared = "uniform vec3 floorColour, lineColour, shadowColour, backColour; uniform float strength, cell, reach, soft; uniform vec2 middle; uniform int samples;";
        shader.fragmentShader = shader.fragmentShader
          .replace("void main() {", `${declared}\nuniform vec3 shadows[${MOST}];\nvarying vec2 vPlace;\nvoid main() {`)
          .replace(/gl_FragColor = vec4\( color[^;]*;/, FRAGMENT);
      };
      const disc = new three.CircleGeometry(1, CORNERS);
      this.mesh = new three.Mesh(disc, material);
      this.mesh.rotation.x = -Math.PI / 2;
      this.mesh.receiveShadow = true;
    }

    // Between the background and its lines; the shadow is darker than that in any style.
    restyle(back, line, dark) {
      this.uniforms.backColour.value.copy(back);
      this.uniforms.lineColour.value.copy(line);
      this.uniforms.floorColour.value.copy(back).lerp(line, dark ? 0.4 : 0.3);
      this.uniforms.shadowColour.value.copy(line).multiplyScalar(dark ? 0.05 : 0.3);
      this.uniforms.strength.value = dark ? 0.8 : 0.6;
    }

    // Where shadows lie: [x, z, radius] of each.
    shade(places, fully) {
      this.uniforms.samples.value = fully ? SAMPLES : FEW;
      this.uniforms.shadows.value.forEach((value, i) => value.set(...(places[i] || [0, 0, 0])));
    }

    // Around a place [x, y, z] of the floor, so far, in cells of so many metres, with a shadow map that covers so many metres.
    place(at, reach, cell, covered) {
      this.mesh.position.set(...at);
      this.mesh.scale.set(reach, reach, 1);
      this.uniforms.middle.value.set(at[0], at[2]);
      this.uniforms.reach.value = reach;
      this.uniforms.cell.value = cell;
      this.uniforms.soft.value = SOFT / covered;
    }
  }

  mp.Ground = Ground;
})((globalThis.MocapPlayer ||= {}));
