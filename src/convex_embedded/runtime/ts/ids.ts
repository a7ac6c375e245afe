// The table number that a document id carries: the reading half of the store's ids.py, so that normalizeId needs no trip.

const DIGITS = new Map([..."0123456789abcdefghjkmnpqrstvwxyz"].map((letter, value) => [letter, value]));
const INTERNAL_BYTES = 16;
const CHECKSUM_BYTES = 2;

/** Null when the text is no id at all. */
export function tableNumber(text: string): number | null {
  if (text.length < 31 || text.length > 37) return null;
  const raw: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    const digit = DIGITS.get(letter);
    if (digit === undefined) return null;
    held = (held << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      raw.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  if (held !== 0) return null;
  const body = raw.slice(0, -CHECKSUM_BYTES);
  const [low, high] = fletcher16(body);
  if (raw[raw.length - 2] !== low || raw[raw.length - 1] !== high) return null;
  return varint(body.slice(0, -INTERNAL_BYTES));
}

function fletcher16(bytes: number[]): [number, number] {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 255;
    high = (high + low) % 255;
  }
  return [low, high];
}

/** Null for a form that the encoder would not have written. */
function varint(bytes: number[]): number | null {
  let value = 0;
  for (const [place, byte] of bytes.entries()) {
    const last = place === bytes.length - 1;
    if (last !== byte < 0x80 || (last && place > 0 && byte === 0)) return null;
    value += (byte & 0x7f) * 2 ** (7 * place);
  }
  return bytes.length === 0 ? null : value;
}
