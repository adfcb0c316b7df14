/** `file:` URLs as POSIX paths, anything else as it is. Without Node's own, so that it works in a browser too. */
export function toPath(url: string): string {
  if (!url.startsWith("file:")) return url;
  try {
    const { host, pathname } = new URL(url);
    return host === "" && !/%2f/i.test(pathname) ? decodeURIComponent(pathname) : url;
  } catch {
    return url;
  }
}

/** The URL of a script or a source: absolute paths become `file:` URLs; undefined for names like `node:fs`. */
export function toUrl(file: string): string | undefined {
  if (file.startsWith("/")) return new URL(`file://${file.replace(/[%\\\n\r\t?#]/g, encodeURIComponent)}`).href;
  return /^(file|https?|webpack|webpack-internal):/.test(file) ? file : undefined;
}
