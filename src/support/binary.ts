const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text in UTF-8; what is none becomes U+FFFD. */
export const textOf = (bytes: Uint8Array): string => utf8.decode(bytes);

/** Bytes with numbers and text in them, in a browser too. Reading a number behind the end is a `RangeError`. */
export class Binary extends Uint8Array<ArrayBuffer> {
  #view: DataView | undefined;

  /** The same memory under this type; memory that threads share is copied. */
  static over(bytes: Uint8Array): Binary {
    const { buffer, byteOffset, byteLength } = bytes;
    return buffer instanceof ArrayBuffer
      ? new Binary(buffer, byteOffset, byteLength)
      : new Binary(bytes.slice().buffer as ArrayBuffer);
  }

  private get view(): DataView {
    this.#view ??= new DataView(this.buffer, this.byteOffset, this.byteLength);
    return this.#view;
  }

  override subarray(start?: number, end?: number): Binary {
    return super.subarray(start, end) as Binary;
  }

  readUInt8(at = 0): number {
    return this.view.getUint8(at);
  }
  readUInt16LE(at = 0): number {
    return this.view.getUint16(at, true);
  }
  readUInt16BE(at = 0): number {
    return this.view.getUint16(at);
  }
  readInt32LE(at = 0): number {
    return this.view.getInt32(at, true);
  }
  readUInt32LE(at = 0): number {
    return this.view.getUint32(at, true);
  }
  readUInt32BE(at = 0): number {
    return this.view.getUint32(at);
  }
  readBigUInt64LE(at = 0): bigint {
    return this.view.getBigUint64(at, true);
  }
  readDoubleBE(at = 0): number {
    return this.view.getFloat64(at);
  }
  /** An unsigned integer of so many bytes, at most six. */
  readUIntLE(at: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + this.view.getUint8(at + i);
    return value;
  }

  /** Text in UTF-8; what is none becomes U+FFFD. */
  utf8(start?: number, end?: number): string {
    return textOf(this.subarray(start, end));
  }
  /** Each byte as the character of its number. */
  latin1(start?: number, end?: number): string {
    return Array.from(this.subarray(start, end), (byte) => String.fromCharCode(byte)).join("");
  }
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }
}
