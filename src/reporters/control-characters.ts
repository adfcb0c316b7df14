/** What ends a line or steers a terminal: the C0 and C1 control characters, and Unicode's line and paragraph ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** The text on one line, with such characters as JSON writes them: `\n`, `\u001b`, `\u2028`. */
export function escapeControlCharacters(text: string): string {
  return text.replace(CONTROL, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
