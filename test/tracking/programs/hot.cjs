// @ts-nocheck
// The same from code hot enough to be inlined: run > mid > leaf, over several lines.
function leaf(size) {
  return Buffer
    ./*@leaf*/allocUnsafeSlow(size);
}

function mid(size) {
  return (
    /*@mid*/leaf(size)
  );
}

function run(size, times) {
  let last;
  for (let i = 0; i < times; i++) {
    last =
      /*@run*/mid(size);
  }
  return last;
}

/*@warm-up <module>*/run(4001, 40_000);

const kept = [];
function keep() {
  for (let i = 0; i < 500; i++) kept.push(
    /*@keep*/run(10000, 1));
}
/*@kept <module>*/keep();
globalThis.kept = kept;
// More than all that the warm-up may have left behind: the high-water mark is here.
globalThis.last = new ArrayBuffer(400_000_000);

//> 4001 x40000 = leaf mid run warm-up
//> 10000 x500 = leaf mid run keep kept
