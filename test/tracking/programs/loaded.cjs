// @ts-nocheck
exports.loaded = function loaded(size) {
  return Buffer./*@loaded*/allocUnsafeSlow(size);
};
exports.first = Buffer./*@loading <module>*/allocUnsafeSlow(7127);
