// @ts-nocheck
// Allocates in so many places that their sums do not fit: every path of calls is one. Ends as the argument tells.
const kept = [];
function left(depth) {
  kept.push(Buffer.allocUnsafeSlow(200));
  if (depth > 0) right(depth - 1) + left(depth - 1);
}
function right(depth) {
  kept.push(Buffer.allocUnsafeSlow(200));
  if (depth > 0) left(depth - 1) + right(depth - 1);
}
left(15);
console.log("ends");
if (process.argv[2] === "SIGTERM") process.kill(process.pid, "SIGTERM");
process.exitCode = 5;
