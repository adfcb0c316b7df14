// @ts-nocheck
// Leaks until V8's heap limit ends the process.
const leaked = new Map();
let passing = 0;

function serve(i) {
  const request = { url: `/page/${i}`, id: i };
  passing += JSON.stringify(request).length;
  leaked.set(
    i,
    { request, seen: [i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i] },
  );
}

for (let i = 0; ; i++) serve(i);
