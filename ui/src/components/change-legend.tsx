import { STEPS, stepFill } from "../graph/change-palette.js";
import { formatCount } from "../model/format.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";

const STEP_NAMES = ["under 1%", "from 1%", "from 10%", "from 35%", "from 70%"];

/** The colours of a differential flame graph: of the larger side, how much the change is. */
export function ChangeLegend({ state }: { state: PageState }) {
  const frames = state.tree.value.size - 1;
  const steps = Array.from({ length: 2 * STEPS + 1 }, (_, i) => i - STEPS);
  const meaning = (step: number): string => {
    const name = STEP_NAMES[Math.abs(step)] as string;
    return step === 0 ? `${name}: as before` : `${step < 0 ? "shrank" : "grew"} ${name} of the larger side`;
  };
  return (
    <footer class="legend">
      <div class="ramp" role="img" aria-label="Colours: blue frames shrank, red frames grew, grey ones are as before">
        <span>gone</span>
        {steps.map((step) => (
          <span key={step} class="swatch" title={meaning(step)} style={{ background: stepFill(theme.value, step) }} />
        ))}
        <span>new</span>
        <span class="quiet ramp-note">blue shrank, grey as before, red grew</span>
      </div>
      <span class="quiet">{frames === 1 ? "1 frame" : `${formatCount(frames)} frames`}</span>
    </footer>
  );
}
