import { placeForm } from "../describe.js";
import type { PageState } from "../state.js";
import { Help } from "./help.js";

const KEYS: readonly (readonly [string, string])[] = [
  ["Click, Enter", "Zoom to a frame"],
  ["Esc", "Zoom out, one step back"],
  ["0", "Zoom out to everything"],
  ["↑ ↓ ← →", "Move through callers, callees and neighbours"],
  ["Home", "Select the root"],
  ["+ −, Ctrl + wheel", "Zoom freely"],
  ["Drag, Shift + wheel", "Move sideways"],
  ["/", "Search; Enter visits the matches, largest first"],
  ["?", "This help"],
];

const INTRO =
  "Each bar is a frame: a function, called at a line by the bar next to it on the root's side. Its width is the memory allocated by it and by all that it called. Siblings are sorted by size, so position says nothing about time. Inverted, the frames that allocated are at the root, and below each are its callers.";

const COMPARED =
  "Red frames grew and blue ones shrank, all that they called included; the stronger the colour, the larger the share. Before and after are the sides that widths can stand for: what is gone has none after, what is new none before. As change only, a frame is as wide as the growth and the shrinkage of the stacks through it, added up.";

const LIVE =
  "Here, what is held changes while the program runs: siblings are sorted by name, so that they stay beside each other, unless size is chosen.";

const RANGE_KEYS: readonly (readonly [string, string])[] = [
  ["Drag on the chart", "Choose a range of time; its ends and all of it can be dragged on"],
  ["← →, Page Up/Down", "Move the end, or the range, that has the focus; with Shift, further"],
  ["Double click, Esc", "On the chart: back to the whole run"],
];

interface GraphHelpProps {
  readonly state: PageState;
  /** Further keys. */
  readonly keys?: readonly (readonly [string, string])[] | undefined;
}

export function GraphHelp({ state, keys: further = [] }: GraphHelpProps) {
  const intro = further.length > 0 ? `${INTRO} ${LIVE}` : INTRO;
  return (
    <Help
      open={state.helpOpen}
      title="Reading the graph"
      intro={state.data.comparison ? `${INTRO} ${COMPARED}` : intro}
      keys={[...KEYS, ...(state.time ? RANGE_KEYS : []), ...further]}
    >
      Search is for text in function names and <code>{placeForm(state.data.metadata)}</code>, in any case; between
      slashes it is a regular expression, e.g. <code>/parse(Row|Line)/i</code>.
    </Help>
  );
}
