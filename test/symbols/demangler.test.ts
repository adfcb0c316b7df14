import { expect, it } from "vitest";
import { Demangler } from "../../src/symbols/demangler.js";

const demangler = new Demangler();

it.each([
  ["malloc", "malloc"],
  ["memcpy@@GLIBC_2.14", "memcpy"],
  ["napi_create_buffer.cold", "napi_create_buffer"],
  ["_ZN3foo3barEi", "foo::bar"],
  ["_ZN3foo3barEi.constprop.0.isra.1", "foo::bar"],
  ["_ZN2v88internal7FactoryINS0_12LocalFactoryEE3newEv", "v8::internal::Factory::new"],
  [
    "_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJRKiEEEvN9__gnu_cxx17__normal_iteratorIPiS1_EEDpOT_",
    "std::vector::_M_realloc_insert",
  ],
  ["_ZNKSt5ctypeIcE8do_widenEc", "std::ctype::do_widen"],
  ["_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()"],
  ["_ZlsRSoRK3Foo", "operator<<"],
  ["_ZltIiEbRK3FooIT_ES4_", "operator<"],
  ["_ZN3FooptEv", "Foo::operator->"],
  ["_ZN3FoocvbEv", "Foo::operator bool"],
  ["_Znwm", "operator new"],
  ["_ZN3FooIiED0Ev", "Foo::~Foo"],
  ["_ZThn8_N3Foo3barEv", "Foo::bar"],
  ["_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo"],
  ["_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$7reserve17h0123456789abcdefE", "alloc::raw_vec::RawVec<T,A>::reserve"],
  [
    "_ZN60_$LT$alloc..vec..Vec$LT$u8$GT$$u20$as$u20$std..io..Write$GT$5write17hfedcba9876543210E.llvm.123",
    "<alloc::vec::Vec<u8> as std::io::Write>::write",
  ],
  ["_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"],
  ["_Zgarbage", "_Zgarbage"],
  ["_Ready", "_Ready"],
  ["", ""],
  ["@@", "@@"],
])("%s is called %s", (symbol, name) => {
  expect(demangler.readable(symbol)).toBe(name);
});

it("a name that stands for a text of 2^60 characters stays as it is, and others become readable all the same", () => {
  let symbol = "_Z1f1AIiiE";
  for (let i = 0; i < 60; i++) {
    const last = `S${i === 0 ? "0" : i.toString(36).toUpperCase()}_`;
    symbol += `S_I${last}${last}E`;
  }
  const started = performance.now();
  expect(demangler.readable(symbol)).toBe(symbol);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(demangler.readable("_ZN3foo6secondEi")).toBe("foo::second");
  expect(new Demangler().readable("_ZN3foo5otherEi")).toBe("foo::other");
  const long = `_ZN${"1a".repeat(50_000)}Ev`;
  expect(demangler.readable(long)).toBe(long);
});
