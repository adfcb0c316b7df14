import { closeSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

interface Descriptor {
  readonly number: number;
  /** What it leads to: a path, or `pipe:[inode]` and the like. */
  readonly target: string;
  readonly closeOnExec: boolean;
}

const O_CLOEXEC = 0o2000000;
/** What Node.js opens for its event loops; nobody hands such a thing on to a program that he starts. */
const EVENT_LOOP = /^anon_inode:\[(?:eventpoll|eventfd|io_uring)\]$/;

function openDescriptors(): Descriptor[] {
  const found: Descriptor[] = [];
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      const [, flags = "0"] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "latin1")) ?? [];
      found.push({ number: Number(name), target, closeOnExec: (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0 });
    } catch {
      // Closed by now: it is the one that the folder was read with.
    }
  }
  return found;
}

/**
 * Of open descriptors, those above 2 that were handed to this process. Node.js marks the first ones as close-on-exec
 * when it starts, its own and those alike, so its own are told by what they are: its event loops', and pipes of which
 * it holds both ends.
 */
export function handedOver(descriptors: readonly Descriptor[]): number[] {
  const ends = new Map<string, number>();
  for (const { number, target, closeOnExec } of descriptors) {
    if (closeOnExec && number > 2) ends.set(target, (ends.get(target) ?? 0) + 1);
  }
  const isOwn = ({ target, closeOnExec }: Descriptor) =>
    closeOnExec && (EVENT_LOOP.test(target) || (target.startsWith("pipe:") && ends.get(target) === 2));
  return descriptors
    .filter((descriptor) => descriptor.number > 2 && !isOwn(descriptor))
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

/**
 * The descriptors above 2 that whoever started this process handed to it. To be asked before anything is opened:
 * afterwards one's own are among them.
 */
export function inheritedDescriptors(): number[] {
  try {
    return handedOver(openDescriptors());
  } catch {
    return [];
  }
}

/** Lets go of descriptors that were passed on, so that their other ends see when the program closes them. */
export function closeDescriptors(numbers: readonly number[]): void {
  for (const number of numbers) {
    try {
      closeSync(number);
    } catch {
      // It is closed, which is what was asked for.
    }
  }
}
