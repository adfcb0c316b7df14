/** What the programs of a runtime are written in. */
export type Language = "JavaScript" | "Python";

/** @param runtime of a capture's header, of which the name tells */
export function languageOf({ name }: { readonly name: string }): Language {
  return name === "python" ? "Python" : "JavaScript";
}
