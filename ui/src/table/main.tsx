import { decodeTable } from "../../../src/reporters/table-codec.js";
import { startPage } from "../start.js";
import { TableState } from "./state.js";
import { TableApp } from "./table-app.js";

await startPage(decodeTable, (data) => <TableApp state={new TableState(data)} />);
