// @ts-nocheck
// What native code asks for, under the line that called it. Argument: the addon. A size in pages is of 4096 bytes.
const assert = require("node:assert");
const addon = require(process.argv[2]);
const PAGE = 4096;

function blocks() {
  const first = addon./*@malloc blocks*/malloc(17011);
  addon./*@realloc blocks*/realloc(first, 17021);
  const second = addon./*@realloc-new blocks*/realloc(0, 17027);
  addon./*@reallocarray blocks*/reallocarray(second, 3, 5677);
  addon./*@calloc blocks*/calloc(7, 2434);
  addon./*@posixMemalign blocks*/posixMemalign(64, 17041);
  addon./*@alignedAlloc blocks*/alignedAlloc(64, 17088);
  addon./*@memalign blocks*/memalign(128, 17047);
  addon./*@valloc blocks*/valloc(17053);
  addon./*@pvalloc blocks*/pvalloc(17077);
  addon./*@new blocks*/operatorNew(17093);
  addon.free(addon./*@freed blocks*/malloc(17099));
  addon./*@in-thread blocks*/thread(17107);
  addon./*@callBack blocks*/callBack(() => addon./*@called-back <anonymous>*/malloc(17117));
}
/*@call-blocks <module>*/blocks();
//> MALLOC 17011 x1 = malloc call-blocks
//> REALLOC 17021 x1 = realloc call-blocks
//> REALLOC 17027 x1 = realloc-new call-blocks
//> REALLOC 17031 x1 = reallocarray call-blocks
//> CALLOC 17038 x1 = calloc call-blocks
//> POSIX_MEMALIGN 17041 x1 = posixMemalign call-blocks
//> ALIGNED_ALLOC 17088 x1 = alignedAlloc call-blocks
//> MEMALIGN 17047 x1 = memalign call-blocks
//> VALLOC 17053 x1 = valloc call-blocks
//> PVALLOC 17077 x1 = pvalloc call-blocks
//> MALLOC 17093 x1 = new call-blocks
//> MALLOC 17099 x1 = freed call-blocks
//> MALLOC 17117 x1 = called-back callBack call-blocks

function ranges() {
  const whole = addon./*@mmap ranges*/mmap(1009 * PAGE);
  addon.munmap(whole + 9 * PAGE, 100 * PAGE);

  const reserved = addon./*@reserve ranges*/reserve(5000 * PAGE);
  addon./*@commit ranges*/commit(reserved + 10 * PAGE, 1013 * PAGE);
  addon./*@commit-again ranges*/commit(reserved, 1033 * PAGE);
  addon./*@readOnly ranges*/readOnly(reserved, 500 * PAGE);
  addon.decommit(reserved + 500 * PAGE, 13 * PAGE);
  addon.discard(reserved + 600 * PAGE, 11 * PAGE);

  const grown = addon./*@to-grow ranges*/mmap(1019 * PAGE);
  addon./*@mremap ranges*/mremap(grown, 1019 * PAGE, 1021 * PAGE);
  const gone = addon./*@gone ranges*/mmap(1031 * PAGE);
  addon.munmap(gone, 1031 * PAGE);
}
/*@call-ranges <module>*/ranges();
// 1009, 1013, 10, 1019, 1021 and 1031 pages.
//> MMAP 4132864 x1 = mmap call-ranges
//> MMAP 4149248 x1 = commit call-ranges
//> MMAP 40960 x2 = commit-again call-ranges
//> MMAP 4173824 x1 = to-grow call-ranges
//> MMAP 4182016 x1 = mremap call-ranges
//> MMAP 4222976 x1 = gone call-ranges

assert.strictEqual(addon.fork(17123), 7);
assert.strictEqual(addon.bareFork(17127), 7);
assert.strictEqual(addon.failToMap(), 22);
