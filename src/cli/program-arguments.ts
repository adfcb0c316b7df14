import { Command, type ParseOptionsResult } from "commander";

/**
 * A command that runs a program. Behind -m and -c, which name it, everything is the program's, as it is for Python:
 * also what looks like an option.
 */
export class RunningCommand extends Command {
  override parseOptions(args: string[]): ParseOptionsResult {
    const end = this.#endOfOptions(args);
    return super.parseOptions(end === undefined ? args : [...args.slice(0, end), "--", ...args.slice(end)]);
  }

  /** Where the program's own arguments begin, where that is not at its name. */
  #endOfOptions(args: readonly string[]): number | undefined {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] ?? "";
      if (!/^-./.test(arg) || arg === "--") return undefined;
      const { option, hasValue } = this.#withValue(arg);
      if (option === undefined) continue;
      if (!hasValue) i++;
      if (option === "-m" || option === "-c") return i + 1;
    }
    return undefined;
  }

  /** The short name of the option in an argument that takes a value, and whether the value is in it as well. */
  #withValue(arg: string): { option?: string; hasValue: boolean } {
    const names = arg.startsWith("--")
      ? [arg.split("=", 1)[0] ?? arg]
      : [...arg.slice(1)].map((letter) => `-${letter}`);
    for (const [at, name] of names.entries()) {
      const option = this.options.find(({ short, long }) => short === name || long === name);
      if (option === undefined) break;
      if (!option.required) continue;
      return {
        option: option.short ?? name,
        hasValue: at < names.length - 1 || (name.startsWith("--") && arg !== name),
      };
    }
    return { hasValue: false };
  }
}
