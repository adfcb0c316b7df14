import { deflateSync } from "node:zlib";

const SIDE = 96;

/** A printable ticket: a picture with the booking's code as a pattern of dots, packed. */
export function renderTicket(booking: string): Buffer {
  const pixels = Buffer.alloc(SIDE * SIDE);
  let dot = 7;
  for (let i = 0; i < pixels.length; i++) {
    dot = (dot * 31 + booking.charCodeAt(i % booking.length)) % 65521;
    pixels[i] = dot & 255;
  }
  return deflateSync(pixels);
}
