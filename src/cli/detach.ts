import { Command } from "commander";
import { CliError } from "./errors.js";
import { processId } from "./option-values.js";
import { tell } from "./standard-error.js";

const EXAMPLES = `
Examples:
  heapray detach 4712
`;

export function detachCommand(): Command {
  return new Command("detach")
    .summary("end what attach began")
    .description(
      "End the tracking of a process that heapray attach began; the attach that waits completes its capture.",
    )
    .argument("<pid>", "the process's id", processId)
    .option("-q, --quiet", "print nothing of heapray's own", false)
    .addHelpText("after", EXAMPLES)
    .action(detach);
}

async function detach(pid: number, { quiet }: { readonly quiet: boolean }): Promise<void> {
  const { hasAgent, withTarget } = await import("../attach/target.js");
  // Nothing is to be opened, or loaded, for nothing.
  const isLoaded = hasAgent(pid);
  const { complete, trackedOtherwise } = isLoaded ? await withTarget(pid, (target) => target.stop()) : {};
  if (complete === undefined) {
    const by = trackedOtherwise ? "; it is by heapray run, or by itself, until it ends" : "";
    throw new CliError(`process ${pid} is not being tracked by heapray attach${by}.`);
  }
  if (!quiet) tell(`[heapray] process ${pid} is not tracked any more.\n`);
}
