import { readdirSync } from "node:fs";
import path from "node:path";

/** How the captures of a process's windows are named: `<stem>.<number><suffix>`. */
export interface WindowNames {
  /** With its folder. */
  readonly stem: string;
  /** Like `.bin`, or empty. */
  readonly suffix: string;
}

/** @param file the name that was asked for; `{pid}` stands for the process's id */
export function windowNames(file: string, pid: number): WindowNames {
  const { dir, name, ext } = path.parse(file.replaceAll("{pid}", String(pid)));
  return { stem: path.join(dir, name), suffix: ext };
}

/** Those of a process that a followed one started: `<stem>.<pid>.<number><suffix>`. */
export function childWindowNames({ stem, suffix }: WindowNames, pid: number): WindowNames {
  return { stem: `${stem}.${pid}`, suffix };
}

export function windowFile({ stem, suffix }: WindowNames, number: number): string {
  return `${stem}.${number}${suffix}`;
}

export interface WindowCapture {
  readonly file: string;
  /** Counted from 1. */
  readonly number: number;
  /** Of a child process that is followed; undefined: of the program itself. */
  readonly child: number | undefined;
}

/** The captures of windows that are there, those of the program first. */
export function windowCaptures({ stem, suffix }: WindowNames): WindowCapture[] {
  const folder = path.dirname(stem);
  const start = `${path.basename(stem)}.`;
  const found: WindowCapture[] = [];
  for (const name of filesIn(folder)) {
    if (!name.startsWith(start) || !name.endsWith(suffix)) continue;
    const numbers = /^(?:([1-9]\d*)\.)?([1-9]\d*)$/u.exec(name.slice(start.length, name.length - suffix.length));
    if (numbers === null) continue;
    const child = numbers[1] === undefined ? undefined : Number(numbers[1]);
    found.push({ file: path.join(folder, name), number: Number(numbers[2]), child });
  }
  return found.sort((a, b) => (a.child ?? 0) - (b.child ?? 0) || a.number - b.number);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
