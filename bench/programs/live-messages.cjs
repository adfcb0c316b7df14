// node live-messages.cjs <live> <replaced>: keeps so many messages in a queue, each of them some blocks of native memory
// and nothing on V8's heap, and then replaces as many, the oldest first. Prints the milliseconds of the replacing.
const { MessageChannel, receiveMessageOnPort } = require("node:worker_threads");
const { printed } = require("./scale-figures.cjs");

const [live, replaced] = process.argv.slice(2).map(Number);
const { port1, port2 } = new MessageChannel();

function send(count) {
  for (let i = 0; i < count; i++) port1.postMessage(i);
}

function replace(count) {
  for (let i = 0; i < count; i++) {
    if (receiveMessageOnPort(port2) === undefined) throw new Error("a message is missing");
    port1.postMessage(i);
  }
}

send(live);
const start = process.hrtime.bigint();
replace(replaced);
process.stdout.write(printed(start));
port1.close();
