import type { Readable } from "node:stream";

/** What the agent tells of windows (native/node/windows.cc), a line each. */
export type WindowReport =
  | { readonly kind: "ready" }
  | { readonly kind: "begun"; readonly number: number }
  | { readonly kind: "ended"; readonly number: number; readonly complete: boolean }
  | { readonly kind: "failed"; readonly why: string };

function parse(line: string): WindowReport | undefined {
  const [kind, ...words] = line.split(" ");
  if (kind === "ready") return { kind };
  if (kind === "begun") return { kind, number: Number(words[0]) };
  if (kind === "ended") return { kind, number: Number(words[0]), complete: words[1] === "1" };
  if (kind === "failed") return { kind, why: words.join(" ") };
  return undefined;
}

/** Calls `listener` with every report that comes, and resolves when there are no more. */
export function readReports(from: Readable, listener: (report: WindowReport) => void): Promise<void> {
  let rest = "";
  from.setEncoding("utf8").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const report = parse(line);
      if (report !== undefined) listener(report);
    }
  });
  return new Promise((resolve) => {
    from.on("error", () => resolve());
    from.on("close", resolve);
  });
}
