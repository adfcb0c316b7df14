// Queues work through the addon in argv[2]; every size belongs to one line.
const { queue, queueUv } = require(String(process.argv[2]));

function viaNodeApi() {
  queue(500001); // @500001
  queue(500002); // @500002
}

function viaLibuv() {
  queueUv(500003); // @500003
}

async function later() {
  await null;
  queue(500004, true); // @500004
}

viaNodeApi();
viaLibuv();
later();
// The pool's threads, warm by now, serve another line.
setTimeout(() => {
  queueUv(500005, true); // @500005
}, 100);
