// @ts-nocheck
// Code that is made at run time. The names of its scripts are V8's; where it has none, the place that made it tells.
const vm = require("node:vm");
const rounds = Number(process.argv[2]);

const named = (0, eval)(`(function inNamed(size) {
  return Buffer.allocUnsafeSlow(size);
})
//# sourceURL=named.js`);
for (let i = 0; i < rounds; i++) /*@call-named <module>*/named(8009);
//> 8009 = [inNamed named.js:2:17] call-named

function evaluate(text) {
  return /*@eval evaluate*/eval(text);
}
for (let i = 0; i < rounds; i++) /*@call-evaluate <module>*/evaluate("Buffer.allocUnsafeSlow(8011)");
//> 8011 = [<module> @eval:1:8] eval call-evaluate

const unnamed = /*@made <module>*/eval("\n  (function inUnnamed(size) { return Buffer.allocUnsafeSlow(size); })");
for (let i = 0; i < rounds; i++) /*@call-unnamed <module>*/unnamed(8017);
//> 8017 = [inUnnamed @made:2:45] call-unnamed

const made = /*@Function <module>*/new Function("size", "return Buffer.allocUnsafeSlow(size);");
for (let i = 0; i < rounds; i++) /*@call-made <module>*/made(8039);
//> 8039 = [<anonymous> @Function:3:15] call-made

const context = vm.createContext({ Buffer });
vm.runInContext("function inContext(size) {\n  return Buffer.allocUnsafeSlow(size);\n}", context, { filename: "context.js", lineOffset: 100, columnOffset: 20 });
for (let i = 0; i < rounds; i++) context./*@call-context <module>*/inContext(8053);
//> 8053 = [inContext context.js:102:17] call-context

for (let i = 0; i < 3; i++) vm./*@run-line <module>*/runInContext("Buffer.allocUnsafeSlow(8059)", context, { filename: "line.js", lineOffset: 100, columnOffset: 20 });
//> 8059 x3 = [<module> line.js:101:28] run-line

const compiled = vm.compileFunction("return Buffer.allocUnsafeSlow(size)", ["size"], { filename: "/somewhere/compiled.js" });
for (let i = 0; i < rounds; i++) /*@call-compiled <module>*/compiled(8069);
//> 8069 = [<module> compiled.js:1:15] call-compiled

new vm.Script("function inScript(size) { return Buffer.allocUnsafeSlow(size); }", { filename: "file:///a%20b/script.js" }).runInThisContext();
for (let i = 0; i < rounds; i++) /*@call-script <module>*/inScript(8081);
//> 8081 = [inScript script.js:1:41] call-script
