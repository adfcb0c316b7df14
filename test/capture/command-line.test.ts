import { expect, test } from "vitest";
import { scriptOf } from "../../src/capture/command-line.js";

test.each([
  ["/usr/bin/python3 app.py --fast", "app.py"],
  ["python3.13t -X dev -Wignore -u src/app.py -m x", "src/app.py"],
  ["/venv/bin/python -m pytest tests", "pytest"],
  ["python -Im http.server 8000", "http.server"],
  ["python -mtimeit pass", "timeit"],
  ["python -W error -c pass", "-c"],
  ["python -Xdev -", "-"],
  ["python", undefined],
  ["pypy3 app.py", "app.py"],
  ["/srv/app/manage.py runserver", "/srv/app/manage.py"],
  ["/venv/bin/memray run -o out.bin --native app.py --fast", "app.py"],
  ["/venv/lib/python3.11/site-packages/memray/__main__.py run -m pytest", "pytest"],
  ["memray run -c pass", "-c"],
  ["", undefined],
])("of Python's `%s`, %s was run", (line, script) => {
  expect(scriptOf({ commandLine: line.split(" "), runtime: { name: "python" } })).toBe(script);
});

test("of Node.js, the second word", () => {
  expect(scriptOf({ commandLine: ["/usr/bin/node", "/srv/-m"], runtime: { name: "node" } })).toBe("/srv/-m");
});
