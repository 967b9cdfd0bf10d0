const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 with padding: the language's own library has none. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[group >> 18] as string;
    text += ALPHABET[(group >> 12) & 63] as string;
    text += left > 1 ? (ALPHABET[(group >> 6) & 63] as string) : "=";
    text += left > 2 ? (ALPHABET[group & 63] as string) : "=";
  }
  return text;
}
