// @ts-nocheck
// Fields and static blocks of classes, each allocating a size of its own, as often as the first argument tells.
const rounds = Number(process.argv[2]);
const constructs = [];

/*@Fields*/class Fields {
  field = Buffer./*@field <instance_members_initializer>*/allocUnsafeSlow(5303);
}
constructs.push(function fieldInitializer() {
  return /*@new-Fields fieldInitializer*/new Fields();
});
//> 5303 = field Fields new-Fields each

constructs.push(function staticBlock() {
  /*@class-body staticBlock*/return class {
    static field = Buffer./*@static-field <static_initializer>*/allocUnsafeSlow(5309);
    static {
      this.other = Buffer./*@static-block <static_initializer>*/allocUnsafeSlow(5323);
    }
  };
});
//> 5309 = static-field class-body each
//> 5323 = static-block class-body each

for (const construct of constructs) {
  for (let round = 0; round < rounds; round++) /*@each <module>*/construct();
}
