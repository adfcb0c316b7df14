/**
 * Names come from the program under profile and may hold anything. What is shown has every character that would be
 * invisible, or would reorder its neighbours, spelled out.
 */

// Controls, soft hyphen, zero-width and bidirectional marks, line separators, surrogates without a partner.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `\\u{${code.toString(16)}}`;
  });
}

/** A path as people call it: without `file://`, and relative when it lies below the working directory. */
export function displayPath(file: string, cwd: string): string {
  const path = withoutScheme(file);
  const folder = cwd.endsWith("/") ? cwd : `${cwd}/`;
  return visible(cwd !== "" && path.startsWith(folder) ? path.slice(folder.length) : path);
}

/** The last part of a path, with the package it belongs to left out. */
export function baseName(path: string): string {
  const clean = path.startsWith("node:") ? path : withoutScheme(path);
  if (clean.startsWith("node:")) return visible(clean);
  // Of a package of Python: its name says nothing.
  const [inPackage] = /[^/]+\/__(?:init|main)__\.py$/.exec(clean) ?? [];
  return visible(inPackage ?? (clean.slice(clean.lastIndexOf("/") + 1) || clean));
}

function withoutScheme(file: string): string {
  if (!file.startsWith("file://")) return file;
  try {
    return decodeURIComponent(file.slice("file://".length));
  } catch {
    return file.slice("file://".length);
  }
}
