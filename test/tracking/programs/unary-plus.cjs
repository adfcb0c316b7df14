// @ts-nocheck
// An operator whose result nobody uses, as often as the first argument tells.
const rounds = Number(process.argv[2]);
const constructs = [];

let size = 0;
const convertible = {
  valueOf() {
    return Buffer./*@valueOf*/allocUnsafeSlow(size).length;
  },
};

constructs.push(function unary() {
  size = 5231;
  /*@unary*/+convertible;
  size = 0;
});
//> 5231 = valueOf unary each

for (const construct of constructs) {
  for (let round = 0; round < rounds; round++) /*@each <module>*/construct();
}
