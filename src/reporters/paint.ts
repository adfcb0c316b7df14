/** How a terminal shows parts of a text; each as it is where there are no colours. */
export interface Paint {
  title(text: string): string;
  bar(text: string): string;
  minor(text: string): string;
  /** What became more. */
  grown(text: string): string;
  /** What became less. */
  shrunk(text: string): string;
}

/** No colours. */
export const PLAIN: Paint = {
  title: (text) => text,
  bar: (text) => text,
  minor: (text) => text,
  grown: (text) => text,
  shrunk: (text) => text,
};
