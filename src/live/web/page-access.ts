import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const TOKEN_BYTES = 32;

/**
 * Who may read the page: whoever knows the token in its address, from the page itself, by a name of this machine. Other
 * programs here do not know the token; other sites in the browser do not either, and are told apart by what browsers say
 * of where a request comes from; sites whose name was made to lead here (DNS rebinding) are told apart by that name.
 */
export class PageAccess {
  /** Stands at the beginning of every path. */
  readonly token = randomBytes(TOKEN_BYTES).toString("base64url");
  readonly #digest = digestOf(this.token);
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  constructor(port: number) {
    const hosts = ["127.0.0.1", "localhost"].flatMap((name) =>
      // Browsers leave this one out.
      port === 80 ? [name, `${name}:80`] : [`${name}:${port}`],
    );
    this.#hosts = new Set(hosts);
    this.#origins = new Set(hosts.map((host) => `http://${host}`));
  }

  /** The address of the request behind the token, like `/graph?thread=main`; undefined where it is refused. */
  admit({ url = "", headers }: Pick<IncomingMessage, "url" | "headers">): string | undefined {
    const [, given = "", rest = ""] = /^\/([^/?#]*)(\/.*)?$/su.exec(url) ?? [];
    // Compared whatever else is wrong, so that how long the refusal takes tells nothing.
    const known = timingSafeEqual(digestOf(given), this.#digest);
    return known && this.#isNamed(headers) && this.#isOurs(headers, rest) ? rest : undefined;
  }

  #isNamed({ host }: IncomingMessage["headers"]): boolean {
    return host !== undefined && this.#hosts.has(host.toLowerCase());
  }

  /** The page may be opened from anywhere, with a link; what it is made of is for the page alone. */
  #isOurs(headers: IncomingMessage["headers"], rest: string): boolean {
    const { origin, "sec-fetch-site": site } = headers;
    if (origin !== undefined && !this.#origins.has(origin.toLowerCase())) return false;
    return rest === "/" || rest === "" || site === undefined || site === "same-origin";
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
