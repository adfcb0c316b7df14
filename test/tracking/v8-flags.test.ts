import { expect, it } from "vitest";
import { flagsFor, flagsForObjects } from "../../src/tracker/v8-flags.js";

const LAZY = "--no-enable-lazy-source-positions";
const PEELING = "--no-maglev-loop-peeling";

it.each([
  ["11.3.244.8-node.38", [LAZY]],
  ["11.8.172.17-node.20", [LAZY]],
  ["12.4.254.14-node.10", [LAZY, PEELING, "--no-maglev"]],
  ["12.9.202.28-node.14", [LAZY, PEELING, "--no-maglev"]],
  ["13.6.233.17-node.37", [LAZY, PEELING, "--no-maglev"]],
  ["13.6.233.17-node.53", [LAZY, PEELING]],
  ["14.1.146.11-node.25", [LAZY, PEELING]],
  ["14.6.202.34-node.34", [LAZY, PEELING]],
])("asks V8 %s only for flags that it knows", (v8, flags) => {
  expect(flagsFor(v8)).toEqual(flags);
});

it.each([
  ["11.3.244.8-node.38", ["--no-turbo-allocation-folding"]],
  ["12.4.254.21-node.57", ["--no-turbo-allocation-folding"]],
  ["13.6.233.17-node.53", ["--no-turbo-allocation-folding", "--maglev-allocation-folding=0"]],
  ["14.6.202.34-node.34", ["--no-turbo-allocation-folding", "--maglev-allocation-folding=0"]],
])("asks V8 %s to allocate objects one by one", (v8, flags) => {
  expect(flagsForObjects(v8)).toEqual(flags);
});
