// Lines in the world that are equally wide on the pane wherever they are: trails, the camera, what joins a prediction to the truth.
(function (mp) {
  "use strict";

  const AROUND = 5; // corners around a line

  const VERTEX = `
    attribute vec4 start, end, paint;
    attribute float fade;
    uniform float metres; // that a pixel is wide at a depth of one
    varying vec4 vPaint;
    void main() {
      vec3 a = (viewMatrix * vec4(start.xyz, 1.0)).xyz, b = (viewMatrix * vec4(end.xyz, 1.0)).xyz;
      vec3 y = normalize(b - a + vec3(0.0, 0.0, 1e-9));
      vec3 x = normalize(abs(y.x) < 0.9 ? cross(y, vec3(1.0, 0.0, 0.0)) : cross(y, vec3(0.0, 1.0, 0.0)));
      vec3 here = mix(a, b, position.y);
      float radius = 0.5 * mix(start.w, end.w, position.y) * metres * max(-here.z, 0.02);
      vPaint = vec4(paint.rgb, mix(fade, paint.a, position.y));
      gl_Position = projectionMatrix * vec4(here + radius * (x * position.x + cross(x, y) * position.z), 1.0);
    }
  `;
  const FRAGMENT = `
    varying vec4 vPaint;
    void main() {
      gl_FragColor = vPaint;
      #include <colorspace_fragment>
    }
  `;

  function tube(three) {
    const [at, triangles] = [[], []];
    for (let k = 0; k < AROUND; k++) {
      const turn = (2 * Math.PI * k) / AROUND;
      at.push(Math.cos(turn), 0, Math.sin(turn), Math.cos(turn), 1, Math.sin(turn));
      const [low, next] = [2 * k, 2 * ((k + 1) % AROUND)];
      triangles.push(low, low + 1, next, next, low + 1, next + 1);
    }
    return { index: triangles, attributes: { position: new three.BufferAttribute(new Float32Array(at), 3) } };
  }

  class Strokes extends mp.Instances {
    constructor(room) {
      super(tube, { start: 4, end: 4, paint: 4, fade: 1 }, room);
      const shaders = { vertexShader: VERTEX, fragmentShader: FRAGMENT, uniforms: { metres: { value: 1 } } };
      this.mesh.material = new (mp.three().ShaderMaterial)({ ...shaders, transparent: true, depthWrite: false });
    }

    // From a to b, as wide as said in pixels, fading from one opacity to the other.
    add(a, b, { r, g, b: blue }, [wideA, wideB], [fadeA, fadeB]) {
      if (!mp.space.finite(a) || !mp.space.finite(b)) return;
      const [row, { start, end, paint, fade }] = [this.row(), this.arrays];
      start.set([a[0], a[1], a[2], wideA], 4 * row);
      end.set([b[0], b[1], b[2], wideB], 4 * row);
      paint.set([r, g, blue, fadeB], 4 * row);
      fade[row] = fadeA;
    }

    // `metres` that a pixel is wide at a depth of one.
    finish(metres) {
      this.mesh.material.uniforms.metres.value = metres;
      super.finish();
    }
  }

  mp.Strokes = Strokes;
})((globalThis.MocapPlayer ||= {}));
