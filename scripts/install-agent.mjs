// What npm runs after installing the package: builds the agent for the running Node.js, where that can be done.
// Where it cannot, the package is installed all the same: captures can be read, and tracking says what is missing.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildAgent } from "./build-native.mjs";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const agent = path.join(root, "build", `node-v${process.versions.modules}`, "heapray.node");

// A checkout builds it when it is prepared, and may be linked into many projects.
const isCheckout = existsSync(path.join(root, "src"));
if (!isCheckout && !existsSync(agent)) {
  try {
    buildAgent(process.execPath);
  } catch (error) {
    console.error(
      `heapray: the agent is not built, so programs cannot be tracked: ${error instanceof Error ? error.message : error}`,
    );
  }
}
