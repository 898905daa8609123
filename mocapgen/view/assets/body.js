// A body around any joints: balls of two sizes with what lies between them, as thick as people are there (shares of the stature as in
// mocapgen/anatomy/capsules.py). Made once for a figure: points beside the joints, and parts between points; then posed frame by frame.
(function (mp) {
  "use strict";

  const { add, cross, dot, length, unit } = mp.space;
  const SIDES = ["Left", "Right"];
  const TRUNK = ["Hips", "Spine", "Chest", "UpperChest", "Neck"];
  const TORSO = [[0, 0.06, 1.32], [0.35, 0.055, 1.3], [0.7, 0.066, 1.42], [0.9, 0.052, 1.5], [1, 0.034, 1.3]]; // height between hips and neck, radius, width to depth
  const LEG = 0.489; // length of thigh and shank
  const ARM = 0.313; // of upper arm and forearm
  const [THIN, THICK, SLENDER] = [0.003, 0.03, 0.2]; // joints that are no known part of the body: least and largest radius, and by the bone's length
  const SAMPLED = 24; // frames from which the stature is judged

  const between = (a, b, share) => a.map((value, k) => value + share * (b[k] - value));

  class Body {
    constructor(figure, world) {
      this.figure = figure;
      this.joints = figure.names.length;
      this.role = new Map(figure.roles.map((role, joint) => [role, joint]).filter(([role]) => role));
      this.stature = this.measure(world);
      this.makers = []; // how each point beside the joints is found, from those before it
      this.parts = [];
      this.covered = new Set();
      this.trunk();
      this.head();
      for (const side of SIDES) {
        this.arm(side);
        this.leg(side);
      }
      this.others();
      this.points = Array.from({ length: this.joints + this.makers.length }, () => [NaN, NaN, NaN]);
    }

    // How tall the person is, by legs or arms; else by the largest extent in a frame.
    measure(world) {
      const frames = world.length / 3 / this.joints;
      const step = Math.max(1, Math.floor(frames / SAMPLED));
      const statures = [];
      for (let frame = 0; frame < frames; frame += step) {
        const at = (joint) => mp.scene.at(world, this.joints, frame, joint);
        const limb = (first, middle, last, share) => SIDES.map((side) => {
          const [a, b, c] = [first, middle, last].map((role) => at(this.role.get(side + role) ?? -1));
          return (length(add(b, a, -1)) + length(add(c, b, -1))) / share;
        });
        const found = [...limb("UpperLeg", "LowerLeg", "Foot", LEG), ...limb("UpperArm", "LowerArm", "Hand", ARM)].find((value) => value > 0);
        if (found) statures.push(found);
        else statures.push(extent(world.subarray(3 * this.joints * frame, 3 * this.joints * (frame + 1))));
      }
      const sorted = statures.filter((value) => value > 0).sort((a, b) => a - b);
      return sorted[sorted.length >> 1] || 1.7;
    }

    // A point beside the joints: `make` gets the function that returns a point by its number. Directions are points too.
    point(make) {
      this.makers.push(make);
      return this.joints + this.makers.length - 1;
    }

    mix(a, b, share) {
      return this.point((at) => between(at(a), at(b), share));
    }

    part(side, a, b, radii, { across = -1, stretch = 1, bulge = 0 } = {}) {
      const [ra, rb] = radii.map((share) => share * this.stature);
      this.parts.push({ side, a, b, ra, rb, across, stretch, bulge: bulge * this.stature });
    }

    known(...roles) {
      return roles.every((role) => this.role.has(role));
    }

    cover(...roles) {
      for (const role of roles) if (this.role.has(role)) this.covered.add(this.role.get(role));
    }

    // The middle of both sides, where the joint between them is missing.
    centre(role, sides) {
      if (this.role.has(role)) return this.role.get(role);
      return this.known(`Left${sides}`, `Right${sides}`) ? this.mix(this.role.get(`Left${sides}`), this.role.get(`Right${sides}`), 0.5) : -1;
    }

    toLeft(sides) {
      const [left, right] = SIDES.map((side) => this.role.get(side + sides));
      return left === undefined || right === undefined ? -1 : this.point((at) => unit(add(at(left), at(right), -1)));
    }

    trunk() {
      this.hips = this.centre("Hips", "UpperLeg");
      this.neck = this.centre("Neck", "UpperArm");
      const low = this.toLeft("UpperLeg");
      this.left = this.toLeft("UpperArm");
      if (this.left < 0) this.left = low;
      if (this.hips < 0 || this.neck < 0) return;
      this.cover(...TRUNK);
      const inner = TRUNK.slice(1, -1).filter((role) => this.role.has(role)).map((role) => this.role.get(role));
      const chain = [this.hips, ...inner, this.neck];
      const last = chain.length - 1;
      const along = (share) => {
        const place = Math.min(Math.floor(share * last), last - 1);
        return this.mix(chain[place], chain[place + 1], share * last - place);
      };
      const levels = TORSO.map(([share]) => along(share));
      for (let i = 0; i + 1 < TORSO.length; i++) {
        const stretch = (TORSO[i][2] + TORSO[i + 1][2]) / 2;
        this.part("c", levels[i], levels[i + 1], [TORSO[i][1], TORSO[i + 1][1]], { across: i < 2 && low >= 0 ? low : this.left, stretch });
      }
      this.collar = levels[3];
      if (this.known("LeftUpperLeg", "RightUpperLeg")) {
        const legs = SIDES.map((side) => this.role.get(`${side}UpperLeg`));
        const [a, b] = [0.18, 0.82].map((share) => this.point((at) => between(between(at(legs[0]), at(legs[1]), share), at(this.hips), 0.35)));
        this.part("c", a, b, [0.056, 0.056]);
      }
    }

    head() {
      if (!this.known("Head") || (this.neck < 0 && !this.known("HeadTop"))) return;
      const { role, stature } = this;
      const base = role.get("Head");
      const [top, nose, ears] = [role.get("HeadTop"), role.get("Nose"), SIDES.map((side) => role.get(`${side}Ear`))];
      const up = this.point((at) => unit(top === undefined ? add(at(base), at(this.neck), -1) : add(at(top), at(base), -1)));
      // Where the face looks: by nose or ears if there are any, else where the chest does.
      const ahead = this.point((at) => {
        const u = at(up);
        const seen = nose === undefined ? [NaN, NaN, NaN] : add(at(nose), at(base), -1);
        const sideways = ears.includes(undefined) ? [NaN, NaN, NaN] : add(at(ears[0]), at(ears[1]), -1);
        const chest = this.left < 0 ? [1, 0, 0] : at(this.left);
        const f = [seen, cross(sideways, u), cross(chest, u)].find(mp.space.finite) || [0, 0, 1];
        return unit(add(f, u, -dot(f, u)));
      });
      const side = this.point((at) => cross(at(up), at(ahead)));
      const tall = (at) => Math.min(Math.max(top === undefined ? 0.092 * stature : length(add(at(top), at(base), -1)), 0.07 * stature), 0.13 * stature);
      const place = (height, below, forward) =>
        this.point((at) => add(add(at(base), at(up), height * tall(at) - below * stature), at(ahead), forward * stature));
      const [jaw, skull, bridge, tip] = [place(0.22, 0, 0.016), place(1, 0.044, -0.002), place(0.45, 0, 0.045), place(0.3, 0, 0.053)];
      if (this.neck >= 0) this.part("c", this.neck, base, [0.032, 0.029]);
      this.part("c", jaw, skull, [0.032, 0.044], { across: side, stretch: 0.88, bulge: 0.004 });
      this.part("c", bridge, tip, [0.005, 0.008]);
      this.cover("Head", "HeadTop", "Nose", "LeftEar", "RightEar");
    }

    limb(side, roles, radii, bulges) {
      const colour = side[0].toLowerCase();
      const joints = roles.map((role) => this.role.get(side + role));
      for (let i = 0; i + 1 < joints.length; i++) {
        if (joints[i] === undefined || joints[i + 1] === undefined) continue;
        this.part(colour, joints[i], joints[i + 1], radii[i], { bulge: bulges[i] });
        this.cover(side + roles[i + 1]);
      }
      return joints;
    }

    arm(side) {
      const [upper, lower, hand] = this.limb(side, ["UpperArm", "LowerArm", "Hand"], [[0.034, 0.0255], [0.026, 0.0175]], [0.003, 0.004]);
      if (this.collar !== undefined && upper !== undefined) {
        this.part("c", this.mix(this.collar, upper, 0.3), upper, [0.04, 0.032]);
        this.cover(`${side}Shoulder`, `${side}UpperArm`);
      }
      const end = this.role.get(`${side}HandEnd`);
      if (hand === undefined || (end === undefined && lower === undefined)) return;
      const { stature } = this;
      const along = this.point((at) => (end === undefined ? unit(add(at(hand), at(lower), -1)) : add(at(end), at(hand), -1).map((value) => value / (0.11 * stature))));
      // The flat of the hand is not known; at rest the thumb points ahead.
      const thumb = this.point((at) => (this.left < 0 ? [0, 0, 1] : cross(at(this.left), [0, 1, 0])));
      const [palm, knuckles, tips] = [0.012, 0.05, 0.094].map((far) => this.point((at) => add(at(hand), at(along), far * stature)));
      const colour = side[0].toLowerCase();
      this.part(colour, palm, knuckles, [0.0135, 0.0145], { across: thumb, stretch: 1.6 });
      this.part(colour, knuckles, tips, [0.0145, 0.0085], { across: thumb, stretch: 1.5 });
      this.cover(`${side}HandEnd`);
    }

    leg(side) {
      const [upper, , ankle] = this.limb(side, ["UpperLeg", "LowerLeg", "Foot"], [[0.052, 0.0335], [0.034, 0.0215]], [0.006, 0.007]);
      if (upper !== undefined && this.hips >= 0) this.cover(`${side}UpperLeg`);
      const { role, stature } = this;
      const [knee, toes, tip, heel] = ["LowerLeg", "Toes", "ToesEnd", "Heel"].map((name) => role.get(side + name));
      if (ankle === undefined || knee === undefined || (toes ?? tip) === undefined) return;
      const dip = toes === undefined ? 0.24 : 0.35; // how steeply the ankle's joint lies above ball or tip, radians
      const aim = toes ?? tip;
      const left = this.point((at) => unit(cross(add(at(knee), at(ankle), -1), add(at(aim), at(ankle), -1))));
      const ahead = this.point((at) => {
        const down = unit(add(at(aim), at(ankle), -1));
        return add(down.map((value) => value * Math.cos(dip)), cross(down, at(left)), Math.sin(dip));
      });
      const up = this.point((at) => cross(at(ahead), at(left)));
      const place = (joint, forward, above) => this.point((at) => add(add(at(joint), at(ahead), forward * stature), at(up), above * stature));
      const back = heel === undefined ? place(ankle, -0.024, -0.0225) : place(heel, 0.012, 0.012);
      const ball = toes ?? place(tip, -0.045, 0.005);
      const front = tip === undefined ? place(toes, 0.035, -0.006) : tip;
      const colour = side[0].toLowerCase();
      this.part(colour, back, ball, [0.0185, 0.0145], { across: left, stretch: 1.35 });
      this.part(colour, ball, front, [0.0145, 0.0083], { across: left, stretch: 1.9 });
      this.part(colour, ankle, this.mix(ankle, ball, 0.72), [0.0215, 0.0145], { across: left, stretch: 1.15 });
      this.cover(side + "Toes", side + "ToesEnd", side + "Heel");
    }

    // Bones that are no known part: slender; of what hangs on trunk or head, only what leads to a known part.
    others() {
      const { parents, sides, roles } = this.figure;
      const leads = roles.map(Boolean);
      for (let joint = parents.length - 1; joint >= 0; joint--) if (parents[joint] >= 0 && leads[joint]) leads[parents[joint]] = true;
      const solid = new Set([...TRUNK, "Head", "HeadTop"].map((role) => this.role.get(role)));
      parents.forEach((parent, joint) => {
        if (parent < 0 || this.covered.has(joint) || (this.covered.size && solid.has(parent) && !leads[joint])) return;
        this.parts.push({ side: sides[joint], a: parent, b: joint, ra: 0, rb: 0, across: -1, stretch: 1, bulge: 0 });
      });
    }

    // Move all points to a frame: positions of the joints, (J, 3) of them from `first` on, each moved by a shift.
    pose(world, frame, shift) {
      const { points, joints } = this;
      const first = 3 * joints * frame;
      for (let joint = 0; joint < joints; joint++) for (let k = 0; k < 3; k++) points[joint][k] = world[first + 3 * joint + k] + shift[k];
      const at = (number) => points[number];
      this.makers.forEach((make, i) => (points[joints + i] = make(at)));
    }

    // The mean of the joints that are known in this pose.
    middle() {
      const sum = [0, 0, 0, 0];
      for (let joint = 0; joint < this.joints; joint++) {
        const p = this.points[joint];
        if (!mp.space.finite(p)) continue;
        for (let k = 0; k < 3; k++) sum[k] += p[k];
        sum[3] += 1;
      }
      return sum.slice(0, 3).map((value) => value / sum[3]);
    }

    // The parts that are known in this pose: put(part, start, end, radius at both, direction across).
    each(put) {
      const { points, stature } = this;
      for (const part of this.parts) {
        const [a, b] = [points[part.a], points[part.b]];
        if (!mp.space.finite(a) || !mp.space.finite(b)) continue;
        const slender = part.ra ? 0 : Math.min(Math.max(SLENDER * length(add(b, a, -1)), THIN * stature), THICK * stature);
        const across = part.across < 0 ? null : points[part.across];
        put(part, a, b, part.ra || slender, part.rb || slender, across && mp.space.finite(across) ? across : null);
      }
    }
  }

  function extent(positions) {
    let most = 0;
    for (let axis = 0; axis < 3; axis++) {
      const values = positions.filter((value, i) => i % 3 === axis && Number.isFinite(value));
      if (values.length) most = Math.max(most, Math.max(...values) - Math.min(...values));
    }
    return most;
  }

  mp.Body = Body;
})((globalThis.MocapPlayer ||= {}));
