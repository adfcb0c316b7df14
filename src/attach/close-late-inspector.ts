// A program: node close-late-inspector.js <pid> <start time> <inode>...
import { setTimeout as sleep } from "node:timers/promises";
import { CLOSE_INSPECTOR } from "./inspector-expressions.js";
import { newInspector } from "./inspector-port.js";
import { InspectorSession } from "./inspector-session.js";
import { ProcessFacts } from "./process-facts.js";

const LOOK_MS = 500;
/** Who is busy for longer keeps its inspector, which listens for this machine alone. */
const PATIENCE_MS = 15 * 60_000;
const CLOSE_MS = 60_000;

const [pid, startTime, ...inodes] = process.argv.slice(2);
const found = new ProcessFacts(Number(pid));
const known = new Set(inodes);
for (
  const deadline = Date.now() + PATIENCE_MS;
  Date.now() < deadline && found.isStill(startTime);
  await sleep(LOOK_MS)
) {
  const url = await newInspector(found, known);
  if (url === undefined) continue;
  const session = await InspectorSession.open(url);
  session.leaveBehind(CLOSE_INSPECTOR);
  await session.closed(CLOSE_MS);
  break;
}
