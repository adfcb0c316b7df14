// @ts-nocheck
// Operators that call the program's own functions, as often as the first argument tells.
const rounds = Number(process.argv[2]);
const constructs = [];

let size = 0;
const convertible = {
  valueOf() {
    return Buffer./*@valueOf*/allocUnsafeSlow(size).length;
  },
};

constructs.push(function assigned() {
  size = 5303;
  const number = /*@assigned*/-convertible;
  size = 0;
  return number;
});
//> 5303 = valueOf assigned each

constructs.push(function binary() {
  size = 5309;
  const sum = 2 /*@binary*/* convertible;
  size = 0;
  return sum;
});
//> 5309 = valueOf binary each

constructs.push(function compare() {
  size = 5323;
  if (convertible /*@compare*/< 1) size = 1;
  size = 0;
});
//> 5323 = valueOf compare each

constructs.push(function template() {
  size = 5333;
  const text = `${convertible /*@template*/+ ""}`;
  size = 0;
  return text;
});
//> 5333 = valueOf template each

constructs.push(function increment() {
  let copy = convertible;
  size = 5347;
  /*@increment*/copy++;
  size = 0;
  return copy;
});
//> 5347 = valueOf increment each

for (const construct of constructs) {
  for (let round = 0; round < rounds; round++) /*@each <module>*/construct();
}
