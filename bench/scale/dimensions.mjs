// The dimensions in which work grows: how much is allocated, how much is live, how deep the stack is, in how many threads.

/**
 * What a message of bench/programs/messages.cjs stands for, as measured.
 * @typedef {object} Message
 * @property {number} allocations that sending and receiving it take; each is freed, now or later
 * @property {number} live blocks while it is in the queue
 */

/**
 * Arguments of bench/programs/messages.cjs.
 * @typedef {object} Work
 * @property {number} live messages
 * @property {number} replaced messages
 * @property {number} depth calls
 * @property {number} threads 0: the main thread
 */

/**
 * @typedef {object} Dimension
 * @property {string} title
 * @property {string} unit
 * @property {readonly number[]} points
 * @property {readonly number[]} short points of the short version
 * @property {(point: number, message: Message) => Work} work
 */

/** @type {Work} */
const usual = { live: 1000, replaced: 300_000, depth: 20, threads: 0 };

/** @type {Record<string, Dimension>} */
export const dimensions = {
  records: {
    title: "the more is recorded",
    unit: "records",
    points: [1e6, 3e6, 1e7, 3e7, 1e8],
    short: [1e6, 1e7],
    // An allocation and its free.
    work: (records, { allocations }) => ({ ...usual, replaced: Math.round(records / allocations / 2) }),
  },
  live: {
    title: "the more is live",
    unit: "live allocations",
    points: [1e4, 1e5, 1e6, 1e7],
    short: [1e4, 1e6],
    work: (blocks, { live }) => ({ ...usual, live: Math.round(blocks / live) }),
  },
  depth: {
    title: "the deeper the stack",
    unit: "calls deep",
    points: [10, 20, 50, 100, 200],
    short: [10, 200],
    work: (depth) => ({ ...usual, depth }),
  },
  threads: {
    title: "the more threads allocate",
    unit: "threads",
    points: [1, 2, 4, 8, 16],
    short: [1, 4],
    work: (threads) => ({ ...usual, threads }),
  },
};

/** Two pairs of runs whose differences tell what a message is. */
export const calibration = {
  messages: 20_000,
  /** @type {readonly Work[]} */
  replacing: [20_000, 40_000].map((replaced) => ({ ...usual, replaced })),
  /** @type {readonly Work[]} */
  keeping: [20_000, 40_000].map((live) => ({ ...usual, live, replaced: 0 })),
};
