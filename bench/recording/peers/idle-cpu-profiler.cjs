// V8's CPU profiler, which takes (next to) no samples: what its keeping track of all code costs.
const { Session } = require("node:inspector");

const session = new Session();
session.connect();
session.post("Profiler.enable");
// A quarter of an hour, in microseconds.
session.post("Profiler.setSamplingInterval", { interval: 15 * 60 * 1_000_000 });
session.post("Profiler.start");
