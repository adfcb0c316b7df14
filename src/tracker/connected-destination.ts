import type { Listener } from "./binding.js";
import { SocketDestination } from "./destinations.js";

/** A client that has connected already. */
export class ConnectedDestination extends SocketDestination {
  /** Holds its connection. */
  readonly listener: Listener;

  constructor(serverPort: number, listener: Listener) {
    super({ serverPort });
    this.listener = listener;
  }
}
