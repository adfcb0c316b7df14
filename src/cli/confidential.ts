import { type Command, Option } from "commander";
import type { ConfidentialFiles } from "../reporters/confidential-files.js";

/** Of reports that hold source text. */
export interface ConfidentialOptions {
  readonly confidentialFiles: ConfidentialFiles;
}

/** Adds memray's option that keeps source text out of a report. */
export function withConfidentialOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--confidential-files <which>",
      "files whose text stays out of the report: those outside of the project, all, or none",
    )
      .choices(["default", "all", "none"])
      .default("default"),
  );
}
