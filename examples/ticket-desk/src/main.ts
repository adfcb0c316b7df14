import type { AddressInfo } from "node:net";
import { openDesk } from "./desk.js";

const desk = openDesk();
desk.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`Tickets at http://127.0.0.1:${(desk.address() as AddressInfo).port}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    desk.close();
    desk.closeAllConnections();
  });
}
