// @ts-nocheck
// Ways to call, each allocating a size of its own, as often as the first argument tells.
const rounds = Number(process.argv[2]);
const constructs = [];

class Base {
  constructor(size) {
    this.buffer = Buffer./*@Base*/allocUnsafeSlow(size);
  }
  inherited(size) {
    return Buffer./*@inherited*/allocUnsafeSlow(size);
  }
}

class Derived extends Base {
  constructor(size) {
    /*@super Derived*/super(size);
  }
  method(size) {
    return super./*@method*/inherited(size);
  }
  static make(size) {
    return Buffer./*@make*/allocUnsafeSlow(size);
  }
  static #hidden(size) {
    return Buffer./*@hidden #hidden*/allocUnsafeSlow(size);
  }
  static openHidden(size) {
    return this.#hidden/*@openHidden*/(size);
  }
  #secret(size) {
    return Buffer./*@secret #secret*/allocUnsafeSlow(size);
  }
  openSecret(size) {
    return this.#secret/*@openSecret*/(size);
  }
  get property() {
    return Buffer./*@getter get property*/allocUnsafeSlow(5023);
  }
  set property(size) {
    Buffer./*@setter set property*/allocUnsafeSlow(size);
  }
  static get shared() {
    return Buffer./*@static-getter get shared*/allocUnsafeSlow(5039);
  }
  ["comp" + "uted"](size) {
    return Buffer./*@computed ["comp" + "uted"]*/allocUnsafeSlow(size);
  }
}

constructs.push(function constructor() {
  return /*@constructor*/new Derived(5003);
});
//> 5003 = Base super constructor each

const derived = new Derived(1);
constructs.push(function superMethod() {
  return derived./*@superMethod*/method(5009);
});
//> 5009 = inherited method superMethod each

constructs.push(function staticMethod() {
  return Derived./*@staticMethod*/make(5011);
});
//> 5011 = make staticMethod each

constructs.push(function privateStatic() {
  return Derived./*@privateStatic*/openHidden(5021);
});
//> 5021 = hidden openHidden privateStatic each

constructs.push(function privateMethod() {
  return derived./*@privateMethod*/openSecret(5051);
});
//> 5051 = secret openSecret privateMethod each

constructs.push(function getter() {
  return derived./*@get getter*/property;
});
//> 5023 = getter get each

constructs.push(function setter() {
  derived.property /*@set setter*/= 5059;
});
//> 5059 = setter set each

constructs.push(function staticGetter() {
  return Derived./*@get-static staticGetter*/shared;
});
//> 5039 = static-getter get-static each

constructs.push(function computedName() {
  return derived./*@computedName*/computed(5077);
});
//> 5077 = computed computedName each

function* generate(size) {
  yield Buffer./*@first-yield generate*/allocUnsafeSlow(size);
  const more = yield;
  yield Buffer./*@later-yield generate*/allocUnsafeSlow(more);
}
constructs.push(function generator() {
  const running = generate(5081);
  running./*@next-1 generator*/next();
  running.next();
  return running./*@next-2 generator*/next(5087);
});
//> 5081 = first-yield next-1 each
//> 5087 = later-yield next-2 each

const iterable = {
  *[Symbol.iterator]() {
    // To V8, what has a computed name is called after where it was put.
    yield Buffer./*@iterator iterable*/allocUnsafeSlow(5333);
  },
};
constructs.push(function forOf() {
  for (const /*@of forOf*/buffer of iterable) buffer.length;
});
//> 5333 = iterator of each

const spreadable = {
  *[Symbol.iterator]() {
    yield Buffer./*@spreadable*/allocUnsafeSlow(5347);
  },
};
constructs.push(function spreadIterable() {
  return [.../*@spread-iterable spreadIterable*/spreadable];
});
//> 5347 = spreadable spread-iterable each

const proxied = new Proxy({}, {
  get(target, key) {
    return Buffer./*@trap-get get*/allocUnsafeSlow(5101);
  },
  has(target, key) {
    return Buffer./*@trap-has has*/allocUnsafeSlow(5107).length > 0;
  },
});
const callable = new Proxy(function () {}, {
  apply(target, self, [size]) {
    return Buffer./*@trap-apply apply*/allocUnsafeSlow(size);
  },
  construct(target, [size]) {
    return Buffer./*@trap-construct construct*/allocUnsafeSlow(size);
  },
});
constructs.push(function proxyTraps() {
  proxied./*@proxy-get proxyTraps*/anything;
  ("anything" /*@proxy-has proxyTraps*/in proxied);
  /*@proxy-apply proxyTraps*/callable(5113);
  /*@proxy-construct proxyTraps*/new callable(5119);
});
//> 5101 = trap-get proxy-get each
//> 5107 = trap-has proxy-has each
//> 5113 = trap-apply proxy-apply each
//> 5119 = trap-construct proxy-construct each

function tag(strings, size) {
  return Buffer./*@tag*/allocUnsafeSlow(size);
}
constructs.push(function taggedTemplate() {
  return tag/*@taggedTemplate*/`a size: ${5147}`;
});
//> 5147 = tag taggedTemplate each

function recurse(depth, size) {
  if (depth === 0) return Buffer./*@bottom recurse*/allocUnsafeSlow(size);
  return /*@recurse*/recurse(depth - 1, size);
}
constructs.push(function recursion() {
  return /*@recursion*/recurse(200, 5153);
});
//> 5153 = bottom recurse*200 recursion each

function withDefault(size, buffer = Buffer./*@withDefault*/allocUnsafeSlow(size)) {
  return buffer;
}
constructs.push(function defaultParameter() {
  return /*@defaultParameter*/withDefault(5167);
});
//> 5167 = withDefault defaultParameter each

function destructure({ size, buffer = Buffer./*@destructure*/allocUnsafeSlow(size) }) {
  return buffer;
}
constructs.push(function destructuring() {
  return /*@destructuring*/destructure({ size: 5171 });
});
//> 5171 = destructure destructuring each

constructs.push(function arrow() {
  return (() => Buffer./*@in-arrow <anonymous>*/allocUnsafeSlow(5179))/*@arrow*/();
});
//> 5179 = in-arrow arrow each

constructs.push(function optionalChain() {
  return derived?.inherited?./*@optionalChain*/(5209);
});
//> 5209 = inherited optionalChain each

const größe = (größeInBytes) => Buffer./*@größe*/allocUnsafeSlow(größeInBytes);
constructs.push(function unicode() { "𐐷𐐷 日本"; return /*@unicode*/größe(5227); });
//> 5227 = größe unicode each

const convertible = {
  toString() {
    return String(Buffer./*@toString*/allocUnsafeSlow(5189).length);
  },
  toJSON() {
    return Buffer./*@toJSON*/allocUnsafeSlow(5197).length;
  },
};
constructs.push(function conversions() {
  /*@to-string conversions*/String(convertible);
  JSON./*@to-json conversions*/stringify(convertible);
});
//> 5189 = toString to-string each
//> 5197 = toJSON to-json each

constructs.push(function exceptions() {
  try {
    throw Buffer./*@thrown exceptions*/allocUnsafeSlow(5233);
  } catch {
    return Buffer./*@caught exceptions*/allocUnsafeSlow(5237);
  } finally {
    Buffer./*@finally exceptions*/allocUnsafeSlow(5261);
  }
});
//> 5233 = thrown each
//> 5237 = caught each
//> 5261 = finally each

constructs.push(function twoOnALine() { return [Buffer./*@one twoOnALine*/allocUnsafeSlow(5273), Buffer./*@two twoOnALine*/allocUnsafeSlow(5279)]; });
//> 5273 = one each
//> 5279 = two each

const method = "allocUnsafeSlow";
constructs.push(function computedCall() {
  return Buffer[method]/*@computedCall*/(5281);
});
//> 5281 = computedCall each

constructs.push(function spread() {
  const sizes = [5297];
  return Buffer./*@spread*/allocUnsafeSlow(...sizes);
});
//> 5297 = spread each

const bound = function target(size) {
  return Buffer./*@target*/allocUnsafeSlow(size);
}.bind(undefined, 5351);
constructs.push(function boundFunction() {
  return /*@boundFunction*/bound();
});
//> 5351 = target boundFunction each

function plain(size) {
  return Buffer./*@plain*/allocUnsafeSlow(size);
}
constructs.push(function indirectCalls() {
  plain./*@call indirectCalls*/call(undefined, 5381);
  plain./*@apply indirectCalls*/apply(undefined, [5387]);
  Reflect./*@reflect indirectCalls*/apply(plain, undefined, [5393]);
});
//> 5381 = plain call each
//> 5387 = plain apply each
//> 5393 = plain reflect each

function Sloppy(size) {
  arguments[0] = size + 1;
  this.buffer = Buffer./*@Sloppy*/allocUnsafeSlow(arguments[0]);
}
constructs.push(function oldConstructor() {
  /*@new-Sloppy oldConstructor*/new Sloppy(5398, 2, 3, 4);
});
//> 5399 = Sloppy new-Sloppy each

constructs.push(function arrayMethods() {
  [5407]./*@map arrayMethods*/map((size) => Buffer./*@in-map <anonymous>*/allocUnsafeSlow(size));
  [5413]./*@forEach arrayMethods*/forEach(function each(size) { Buffer./*@in-forEach each*/allocUnsafeSlow(size); });
  [5417]./*@filter arrayMethods*/filter((size) => Buffer./*@in-filter <anonymous>*/allocUnsafeSlow(size));
  [0, 5419]./*@reduce arrayMethods*/reduce((_, size) => Buffer./*@in-reduce <anonymous>*/allocUnsafeSlow(size));
  [1, 5431]./*@sort arrayMethods*/sort((a, b) => a - Buffer./*@in-sort <anonymous>*/allocUnsafeSlow(Math.max(a, b)).length);
  [5437]./*@find arrayMethods*/find((size) => Buffer./*@in-find <anonymous>*/allocUnsafeSlow(size));
  Array./*@from arrayMethods*/from([5441], (size) => Buffer./*@in-from <anonymous>*/allocUnsafeSlow(size));
  "a"./*@replace arrayMethods*/replace(/a/, () => Buffer./*@in-replace <anonymous>*/allocUnsafeSlow(5503).buffer);
  new Map([[5449, 1]])./*@mapForEach arrayMethods*/forEach((_, size) => Buffer./*@in-mapForEach <anonymous>*/allocUnsafeSlow(size));
});
//> 5407 = in-map map each
//> 5413 = in-forEach forEach each
//> 5417 = in-filter filter each
//> 5419 = in-reduce reduce each
//> 5431 = in-sort sort each
//> 5437 = in-find find each
//> 5441 = in-from from each
//> 5503 = in-replace replace each
//> 5449 = in-mapForEach mapForEach each

// Other kinds of memory: the same allocators, reached by other ways.
constructs.push(function typedArrays() {
  /*@Uint8Array typedArrays*/new Uint8Array(5471);
  /*@ArrayBuffer typedArrays*/new ArrayBuffer(5477);
  /*@SharedArrayBuffer typedArrays*/new SharedArrayBuffer(5479);
  Buffer./*@alloc typedArrays*/alloc(5483);
});
//> 5471 = Uint8Array each
//> 5477 = ArrayBuffer each
//> 5479 = SharedArrayBuffer each
//> 5483 = alloc each

for (const construct of constructs) {
  for (let round = 0; round < rounds; round++) /*@each <module>*/construct();
}
