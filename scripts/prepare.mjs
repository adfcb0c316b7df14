// What npm runs after installing the checkout: builds the agent for the running Node.js, and dist/.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

// `npx heapray` links the checkout into npm's cache first, which prepares it again, for nothing.
const isLinking = process.env.npm_command === "exec";

for (const script of isLinking ? [] : ["build-native.mjs", "build.mjs"]) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(script, import.meta.url))], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
