import type { ByteSource } from "../capture/byte-source.js";
import { CaptureError } from "../capture/errors.js";
import { NumberedForm } from "../capture/numbered-form.js";
import { type Agent, type AgentsNumberedForm, loadIdleAgent } from "./binding.js";
import { packageFolder } from "./package-folder.js";

/** Bytes of a piece that the agent wants to have left. */
const SLACK = 16 * 1024;

/** The bytes of a capture's numbered form, from front to back. */
export interface NumberedPieces {
  /** Bytes of the capture that were taken until now. */
  readonly taken: number;
  /**
   * The next bytes, so many or a little more; undefined at the end.
   * @throws CaptureError where the capture is damaged
   */
  next(bytes: number): Uint8Array | undefined;
}

/**
 * The numbered form of a capture, made by the agent, a dozen times as fast, where there is one for the running Node.js.
 * @param descriptor of the capture's file, at its beginning
 * @param source of the same file
 * @returns undefined where the capture has no numbered form
 * @throws CaptureError where the capture is damaged
 */
export function numberedPieces(
  descriptor: number,
  source: ByteSource & { readonly position: number },
): NumberedPieces | undefined {
  const form = NumberedForm.of(source);
  if (form === undefined) return undefined;
  return (
    agentsPieces(descriptor, source.name) ?? {
      get taken() {
        return source.position;
      },
      next: (bytes) => form.next(bytes),
    }
  );
}

function agentsPieces(descriptor: number, name: string): NumberedPieces | undefined {
  let agent: Agent;
  try {
    agent = loadIdleAgent(packageFolder());
  } catch {
    return undefined;
  }
  const form = agent.numberedForm({ descriptor });
  return form === null ? undefined : new AgentsPieces(agent, form, name);
}

class AgentsPieces implements NumberedPieces {
  readonly #agent: Agent;
  readonly #form: AgentsNumberedForm;
  readonly #name: string;

  constructor(agent: Agent, form: AgentsNumberedForm, name: string) {
    this.#agent = agent;
    this.#form = form;
    this.#name = name;
  }

  get taken(): number {
    return this.#agent.taken({ form: this.#form });
  }

  next(bytes: number): Uint8Array | undefined {
    const piece = Buffer.allocUnsafeSlow(bytes + SLACK);
    try {
      const length = this.#agent.nextPiece({ form: this.#form, piece });
      return length === 0 ? undefined : piece.subarray(0, length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "DAMAGED") throw error;
      throw new CaptureError("CORRUPT", this.#name, "the capture is damaged");
    }
  }
}
