// @ts-nocheck
export const imported = (size) => Buffer./*@imported*/allocUnsafeSlow(size);
