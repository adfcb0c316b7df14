import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { testProgram } from "./test-programs.js";

const RING_BYTES = 32 * 2 ** 20;

function drive(client: string) {
  const { stdout, status } = spawnSync(testProgram("socket_sink_driver"), [client], {
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(status).toBe(0);
  const [, written, read, closed, tookMs, failed] =
    /^written (\d+) read (\d+) closed ([01]) took (\d+) failed: (.*)\n$/u.exec(stdout) ?? [];
  return { written: Number(written), read: Number(read), closed: closed === "1", tookMs: Number(tookMs), failed };
}

test.each(["reads", "forked"])("a client gets every byte in order: %s", (client) => {
  const { written, read, closed, failed } = drive(client);
  expect(written).toBeGreaterThanOrEqual(client === "reads" ? 300 * 2 ** 20 : 2 ** 20);
  expect({ read, closed, failed }).toEqual({ read: written, closed: true, failed: "nothing" });
});

test("a full ring is a failure, and waits for nobody", () => {
  const { written, closed, tookMs, failed } = drive("stalls");
  expect(written).toBeGreaterThan(RING_BYTES / 2);
  // What the kernel took is beyond the ring.
  expect(written).toBeLessThan(RING_BYTES + 8 * 2 ** 20);
  expect({ closed, failed }).toEqual({
    closed: false,
    failed: "the client at here reads too slowly",
  });
  expect(tookMs).toBeLessThan(1000);
});

test("closing waits for a client that never reads no longer than a while", () => {
  const { closed, tookMs, failed } = drive("late");
  expect({ closed, failed }).toEqual({ closed: false, failed: "nothing" });
  expect(tookMs).toBeGreaterThan(1500);
  expect(tookMs).toBeLessThan(5000);
});

test("a client that leaves is noticed", () => {
  const { closed, failed } = drive("leaves");
  expect({ closed, failed }).toEqual({ closed: false, failed: "the client at here closed the connection" });
});
