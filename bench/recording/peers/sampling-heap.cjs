// V8's sampling heap profiler, at its default interval of 512 KiB, from before the script until the process ends.
const { Session } = require("node:inspector");

const session = new Session();
session.connect();
session.post("HeapProfiler.startSampling", { samplingInterval: 512 * 1024 });
process.on("exit", () => session.post("HeapProfiler.stopSampling"));
