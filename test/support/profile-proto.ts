import { gunzipSync } from "node:zlib";

/**
 * Reads profile.proto, independently of what writes it: the wire format of protobuf and the field numbers of
 * github.com/google/pprof/proto/profile.proto, in the simplest way.
 */
export interface DecodedProfile {
  readonly sampleTypes: readonly string[];
  readonly defaultSampleType: string;
  readonly periodType: string;
  readonly timeNanos: bigint;
  readonly durationNanos: bigint;
  readonly comments: readonly string[];
  readonly mappings: readonly {
    readonly id: number;
    readonly limit: number;
    readonly file: string;
    readonly buildId: string;
  }[];
  readonly samples: readonly DecodedSample[];
}

export interface DecodedSample {
  readonly values: readonly number[];
  /** By location, innermost first: its functions, and after `@` where it is. */
  readonly stack: readonly string[];
  readonly labels: Readonly<Record<string, string | number>>;
}

type Field = readonly [number, bigint | Uint8Array];

export function decodeProfile(file: Uint8Array): DecodedProfile {
  const all = fields(gunzipSync(file));
  const strings = bytesOf(all, 6).map((bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (strings[0] !== "") throw new Error("the first string is not empty");
  const text = (id: number): string => {
    const found = strings[id];
    if (found === undefined) throw new Error(`there is no string ${id}`);
    return found;
  };
  const messages = (number: number): Field[][] => bytesOf(all, number).map(fields);
  const valueType = (of: readonly Field[]): string => `${text(numberOf(of, 1))}/${text(numberOf(of, 2))}`;

  const functions = byId(messages(5), (of) => ({ name: text(numberOf(of, 2)), file: text(numberOf(of, 4)) }));
  const mappings = byId(messages(3), (of) => ({
    id: numberOf(of, 1),
    limit: numberOf(of, 3),
    file: text(numberOf(of, 5)),
    buildId: text(numberOf(of, 6)),
  }));
  const locations = byId(messages(4), (of) => {
    const [mapping, address] = [numberOf(of, 2), numberOf(of, 3)];
    const lines = bytesOf(of, 4).map((bytes) => {
      const line = fields(bytes);
      const { name, file } = get(functions, numberOf(line, 1));
      return `${name} ${file}:${numberOf(line, 2)}:${numberOf(line, 3)}`;
    });
    const place = mapping === 0 ? "" : ` @ ${get(mappings, mapping).file} 0x${address.toString(16)}`;
    if (mapping !== 0 && address >= get(mappings, mapping).limit) throw new Error("an address is not in its mapping");
    return `${lines.join(" < ")}${place}`;
  });
  const samples = messages(2).map((of) => ({
    stack: numbersOf(of, 1).map((id) => get(locations, id)),
    values: numbersOf(of, 2),
    labels: Object.fromEntries(
      bytesOf(of, 3).map((bytes) => {
        const label = fields(bytes);
        const value = label.some(([number]) => number === 2) ? text(numberOf(label, 2)) : numberOf(label, 3);
        return [text(numberOf(label, 1)), value];
      }),
    ),
  }));
  return {
    sampleTypes: messages(1).map(valueType),
    defaultSampleType: text(numberOf(all, 14)),
    periodType: messages(11).map(valueType).join(),
    timeNanos: bigOf(all, 9),
    durationNanos: bigOf(all, 10),
    comments: numbersOf(all, 13).map(text),
    mappings: [...mappings.values()],
    samples,
  };
}

function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("the message ends inside of a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) {
      found.push([tag >> 3, varint()]);
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error("the message ends inside of a field");
      found.push([tag >> 3, bytes.subarray(at, at + length)]);
      at += length;
    } else {
      throw new Error(`profile.proto has no field of the wire type ${tag & 7}`);
    }
  }
  return found;
}

function bytesOf(of: readonly Field[], number: number): Uint8Array[] {
  return of.flatMap(([field, value]) => (field === number && typeof value !== "bigint" ? [value] : []));
}

/** The last one counts. */
function bigOf(of: readonly Field[], number: number): bigint {
  return of.reduce((last, [field, value]) => (field === number && typeof value === "bigint" ? value : last), 0n);
}

function numberOf(of: readonly Field[], number: number): number {
  return Number(bigOf(of, number));
}

/** Repeated numbers, packed or not. */
function numbersOf(of: readonly Field[], number: number): number[] {
  return of.flatMap(([field, value]) => {
    if (field !== number) return [];
    if (typeof value === "bigint") return [Number(value)];
    const numbers: number[] = [];
    for (let at = 0; at < value.length; ) {
      let sum = 0n;
      let shift = 0n;
      for (; (value[at] as number) > 127; at++, shift += 7n) sum |= BigInt((value[at] as number) & 127) << shift;
      numbers.push(Number(sum | (BigInt(value[at++] as number) << shift)));
    }
    return numbers;
  });
}

function byId<Row>(messages: readonly Field[][], make: (of: readonly Field[]) => Row): Map<number, Row> {
  const rows = new Map<number, Row>();
  for (const of of messages) {
    const id = numberOf(of, 1);
    if (id === 0 || rows.has(id)) throw new Error(`the id ${id} is 0 or comes twice`);
    rows.set(id, make(of));
  }
  return rows;
}

function get<Row>(rows: ReadonlyMap<number, Row>, id: number): Row {
  const row = rows.get(id);
  if (row === undefined) throw new Error(`the id ${id} is not defined`);
  return row;
}
