// @ts-nocheck
// Starts other processes in every way there is; they allocate 16411 bytes, this one 16417.
const { exec, execFileSync, fork, spawn, spawnSync } = require("node:child_process");
const { once } = require("node:events");
const code = "for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(16411); console.log('child')";

function mine() {
  for (let i = 0; i < 100; i++) Buffer./*@mine*/allocUnsafeSlow(16417);
}
async function main() {
  const args = ["-e", code];
  /*@before main*/mine();
  process.stdout.write(execFileSync(process.execPath, args));
  spawnSync(process.execPath, args, { stdio: "inherit" });
  await once(spawn(process.execPath, args, { stdio: "inherit" }), "exit");
  await once(spawn(process.execPath, args, { stdio: "inherit", detached: true }), "exit");
  await once(exec(`"${process.execPath}" -e "${code}"`, () => {}), "exit");
  await once(fork(process.argv[2]), "exit");
  /*@after main*/mine();
}
/*@main <module>*/main();
//> 16417 x100 = mine before main
//> 16417 x100 = mine after
