import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findPythons } from "../../scripts/pythons.mjs";

const root = path.resolve(fileURLToPath(import.meta.url), "../../..");
const BUILD = path.join(root, "build", "memray");
const INSTALL_MS = 300_000;
const RUN_MS = 60_000;

/** A Python that has memray. */
export interface Memray {
  readonly version: string;
  /** `3.11`. */
  readonly python: string;
  /** Runs Python with these arguments; what it printed. */
  run(args: readonly string[], cwd?: string): string;
}

/** The Pythons of this machine, by their release (`3.11`). */
export function pythons(): Map<string, string> {
  return new Map(findPythons().map(({ name, path }) => [name.slice("python".length), path]));
}

/** memray of that version for a Python, installed below build/ unless it is there; undefined where it cannot be had. */
export function installed(version: string, release: string, python: string): Memray | undefined {
  const folder = path.join(BUILD, `${version}-${release}`);
  if (!existsSync(folder)) {
    mkdirSync(BUILD, { recursive: true });
    const fresh = mkdtempSync(path.join(BUILD, "installing-"));
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", "memray"];
    const args = [...pip, "--target", fresh, `memray==${version}`];
    const { status } = spawnSync(python, args, { stdio: "ignore", timeout: INSTALL_MS });
    try {
      if (status !== 0) return undefined;
      renameSync(fresh, folder);
    } catch {
      // Another test was quicker.
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const env = { ...process.env, PYTHONPATH: folder, PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" };
  return {
    version,
    python: release,
    run(args, cwd) {
      const ran = spawnSync(python, args, { env, cwd, encoding: "utf8", timeout: RUN_MS, maxBuffer: 2 ** 30 });
      if (ran.status !== 0) throw new Error(`${python} ${args.join(" ")}: ${ran.stderr}`);
      return ran.stdout;
    },
  };
}
