import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

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

/** The Pythons of this machine, by their release (`3.11`): those in PATH, then pyenv's. */
export function pythons(): Map<string, string> {
  const found = new Map<string, string>();
  const pyenv = path.join(homedir(), ".pyenv", "versions");
  const folders = [
    ...(process.env.PATH ?? "").split(path.delimiter),
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((version) => path.join(pyenv, version, "bin")) : []),
  ];
  for (const folder of folders) {
    for (const name of ["python3", ...Array.from({ length: 6 }, (_, i) => `python3.${i + 9}`)]) {
      const file = path.join(folder, name);
      if (!existsSync(file)) continue;
      const ask = "import sys, pip; print('%d.%d' % sys.version_info[:2])";
      const { status, stdout } = spawnSync(file, ["-c", ask], { encoding: "utf8", timeout: RUN_MS });
      const release = stdout?.trim();
      if (status === 0 && /^3\.(9|1\d)$/.test(release) && !found.has(release)) found.set(release, file);
    }
  }
  return found;
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
