import { decodeFlameGraph } from "../../src/reporters/flamegraph-codec.js";
import { App } from "./components/app.js";
import { startPage } from "./start.js";
import { PageState } from "./state.js";

await startPage(decodeFlameGraph, (data) => <App state={new PageState(data)} />);
