/** Keeps the last so many bytes of a stream. */
export class Tail {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Twice the limit before it is cut: each byte is then copied once at most, however small the chunks are.
    if (this.#bytes > 2 * this.#limitBytes) this.#cut();
  }

  text(): string {
    this.#cut();
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  #cut(): void {
    const kept = Buffer.concat(this.#chunks).subarray(-this.#limitBytes);
    // A copy, so that what was dropped is freed.
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.length;
  }
}
