import termkit, { type Terminal } from "terminal-kit";

/** Terminals with 256 colours by their own account. */
const HAS_256_COLORS = /256color|direct|kitty|alacritty|foot|ghostty|wezterm/;

/** This process's terminal. terminal-kit does not know all by name: what says it has 256 colours takes xterm's. */
export function ownTerminal(): Terminal {
  const { TERM = "", COLORTERM = "" } = process.env;
  const guessed = termkit.terminal;
  const { support } = guessed as unknown as { support: Record<string, boolean> };
  if (support["256colors"] || (!HAS_256_COLORS.test(TERM) && !/truecolor|24bit/.test(COLORTERM))) return guessed;
  const generic = "xterm-256color";
  return termkit.createTerminal({ generic, appId: generic, appName: generic });
}
