// Run the page's own scripts without a page: node evaluate.js SCRIPT.js... < page data; prints what the player would draw with.
const fs = require("node:fs");
const vm = require("node:vm");

for (const script of process.argv.slice(2)) vm.runInThisContext(fs.readFileSync(script, "utf8"), script);
const { header, blocks, hashes } = JSON.parse(fs.readFileSync(0, "utf8"));
const plain = (values) => Array.from(values, (value) => (Number.isFinite(value) ? value : null));

// What is built around the joints of the first frame: its stature, and how far its surface reaches down and up.
function bodyOf({ figure, world }) {
  const body = new MocapPlayer.Body(figure, world);
  body.pose(world, 0, [0, 0, 0]);
  const [low, high, shown] = [[], [], []];
  body.each((part, a, b, ra, rb) => {
    low.push(Math.min(a[1] - ra, b[1] - rb));
    high.push(Math.max(a[1] + ra, b[1] + rb));
    shown.push(part.side);
  });
  return { stature: body.stature, low: Math.min(...low), high: Math.max(...high), sides: shown.sort().join("") };
}

(async () => {
  const source = new MocapPlayer.scene.Source(header, blocks);
  const scenes = [];
  for (let index = 0; index < header.sequences.length; index++) {
    const scene = await source.scene(index);
    const predicted = scene.predicted && { errors: plain(scene.predicted.errors), mean: scene.predicted.mean };
    const eye = scene.axes.eye;
    // The camera's own view of the world, in a pane as large as its image, is the image (but for the margin around it).
    const { width, height } = scene.camera;
    const inside = MocapPlayer.space.observer({ camera: scene.camera }, width, height);
    const fit = MocapPlayer.space.fitImage(scene.camera, width, height, 1, 0, 0);
    const seen = scene.figure.names.map((_, joint) => MocapPlayer.space.point(inside, MocapPlayer.scene.at(scene.world, scene.figure.names.length, 0, joint)));
    const through = seen.map((p) => p && [(p[0] - fit.x) / fit.scale, (p[1] - fit.y) / fit.scale]);
    scenes.push({ number: scene.row.number, bodies: [scene, scene.predicted].filter(Boolean).map(bodyOf), world: plain(scene.world), pixels: plain(scene.pixels), eye: plain(eye), through, box: scene.box, predicted });
  }
  console.log(JSON.stringify({ scenes, moments: hashes.map((hash) => MocapPlayer.moment(hash)) }));
})();
