import { get } from "node:http";
import { WebSocket } from "ws";
import { LostConnectionError } from "./errors.js";
import type { ListeningSocket } from "./listening-sockets.js";

/** For an answer of the inspector's own thread, which is never busy for long; milliseconds. */
const ANSWER_MS = 2000;
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/**
 * The URL of the WebSocket by which the inspector that listens there is spoken to; undefined where something else
 * listens.
 */
export async function inspectorUrl(socket: ListeningSocket): Promise<string | undefined> {
  const version = await getJson(socket, "/json/version");
  if (!isObject(version) || typeof version.Browser !== "string" || !version.Browser.startsWith("node.js/")) {
    return undefined;
  }
  const targets = await getJson(socket, "/json/list");
  const target = Array.isArray(targets) ? targets.find((one) => isObject(one) && one.type === "node") : undefined;
  const id = isObject(target) ? target.id : undefined;
  if (typeof id !== "string" || !/^[\w-]+$/.test(id)) return undefined;
  const host = socket.address.includes(":") ? `[${socket.address}]` : socket.address;
  return `ws://${host}:${socket.port}/${id}`;
}

function getJson({ address, port }: ListeningSocket, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const failed = (): void => {
      request.destroy();
      resolve(undefined);
    };
    // Whatever the user's proxies are: this is another process of the machine.
    const request = get({ host: address, port, path, agent: false, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        if (text.length > LARGEST_ANSWER_BYTES) failed();
      });
      response.on("error", failed).on("end", () => resolve(parsed(text)));
    });
    request.on("error", failed).on("timeout", failed);
    setTimeout(failed, ANSWER_MS).unref();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A conversation with a process's inspector, in the Chrome DevTools protocol. */
export class InspectorSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#answer(String(data)));
    socket.on("close", () => this.#lost());
  }

  /** @throws {LostConnectionError} it does not answer */
  static async open(url: string): Promise<InspectorSession> {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: ANSWER_MS, maxPayload: 2 ** 24 });
    return new Promise((resolve, reject) => {
      socket.on("error", (error) =>
        reject(new LostConnectionError(`the inspector does not answer: ${error.message}.`)),
      );
      socket.once("open", () => resolve(new InspectorSession(socket)));
    });
  }

  /**
   * The value of an expression in the process: one that JSON can carry.
   * @throws {TooBusyError} it does not answer in time; the expression may still be evaluated later
   * @throws {EvaluationError}
   * @throws {LostConnectionError}
   */
  async evaluate(expression: string, timeoutMs: number): Promise<unknown> {
    const answer = this.#ask("Runtime.evaluate", {
      expression,
      includeCommandLineAPI: true,
      returnByValue: true,
      // A debugger that is attached as well does not stop here.
      silent: true,
    });
    const result = await within(timeoutMs, answer);
    const { exceptionDetails, result: remote } = result as {
      exceptionDetails?: { text: string; exception?: { description?: string } };
      result?: { value?: unknown };
    };
    if (exceptionDetails !== undefined) {
      throw new EvaluationError(exceptionDetails.exception?.description?.split("\n")[0] ?? exceptionDetails.text);
    }
    return remote?.value;
  }

  /** Has an expression evaluated, whenever that will be, and whatever becomes of this session. */
  leaveBehind(expression: string): void {
    this.#ask("Runtime.evaluate", { expression, includeCommandLineAPI: true, silent: true }).catch(() => {});
  }

  /** Resolves once the process has closed the connection; false where it has not in time. */
  closed(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#socket.readyState === WebSocket.CLOSED) return resolve(true);
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  async close(): Promise<void> {
    this.#socket.close();
    if (!(await this.closed(ANSWER_MS))) this.#socket.terminate();
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(lost());
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }), () => {});
    });
  }

  #answer(text: string): void {
    const message = parsed(text);
    if (!isObject(message) || typeof message.id !== "number") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(new EvaluationError(isObject(message.error) ? String(message.error.message) : "refused"));
  }

  #lost(): void {
    for (const { reject } of this.#waiting.values()) reject(lost());
    this.#waiting.clear();
  }
}

/** The process's main thread does not answer. */
export class TooBusyError extends Error {
  override name = "TooBusyError";
}

/** What was evaluated threw: the program has replaced something that Node.js gives to everyone. */
export class EvaluationError extends Error {
  override name = "EvaluationError";
}

function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooBusyError("no answer")), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function lost(): LostConnectionError {
  return new LostConnectionError("the process closed its inspector, or ended.");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
