import { Help } from "../components/help.js";
import { placeForm } from "../describe.js";
import type { TableState } from "./state.js";

const KEYS: readonly (readonly [string, string])[] = [
  ["↑ ↓", "Select a row"],
  ["Page Up, Page Down", "Move by a screen"],
  ["Home, End", "First row, last row"],
  ["Ctrl + C", "Copy the selected row as CSV"],
  ["Esc", "Select nothing; in the search: clear it"],
  ["/", "Search"],
  ["?", "This help"],
];

export function TableHelp({ state }: { state: TableState }) {
  return (
    <Help
      open={state.helpOpen}
      title="Reading the table"
      intro={
        <>
          Each row is what one allocator gave at one line: <b>your code</b> is the innermost line of your program on the
          stack (or of a package, where the program has none), <b>innermost frame</b> the function that called the
          allocator. Click a column's head to sort by it, again to turn the order round.
        </>
      }
      keys={KEYS}
    >
      Search is for text in function names, source lines and <code>{placeForm(state.data.metadata)}</code>, in any case;
      between slashes it is a regular expression, e.g. <code>/parse(Row|Line)/i</code>. Copies and downloads hold the
      rows that are left.
    </Help>
  );
}
