// A film that the browser cannot play itself, shown in pieces that the review makes on demand.

export class Preview {
  static ahead = 2; // pieces that are fetched before they are needed
  static kept = 60; // seconds on both sides of the moment that stay in the browser

  constructor(video, { pieces, pieceSeconds, duration, type, version, base, start }, note, fail) {
    Object.assign(this, { video, pieces, pieceSeconds, duration, version, base, note, fail });
    this.start = start; // until the browser has a place of its own
    this.appended = new Set();
    this.source = new MediaSource();
    this.source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(video.src);
      this.source.duration = duration;
      this.buffer = this.source.addSourceBuffer(type);
      this.fill();
    }, { once: true });
    for (const name of ["seeking", "timeupdate", "waiting"]) {
      video.addEventListener(name, () => this.fill());
    }
    video.src = URL.createObjectURL(this.source);
  }

  static canShow(type) {
    return "MediaSource" in window && MediaSource.isTypeSupported(type);
  }

  get moment() {
    return this.video.readyState ? this.video.currentTime : this.start;
  }

  isBuffered(piece) {
    const from = piece * this.pieceSeconds;
    const middle = (from + Math.min(from + this.pieceSeconds, this.duration)) / 2;
    const ranges = this.buffer.buffered;
    for (let i = 0; i < ranges.length; i += 1) {
      if (ranges.start(i) <= middle && middle <= ranges.end(i)) return true;
    }
    return false;
  }

  // The first piece that is missing at the moment, or soon; null where none is.
  missing() {
    const here = Math.min(Math.floor(this.moment / this.pieceSeconds), this.pieces - 1);
    for (let piece = here; piece <= Math.min(here + Preview.ahead, this.pieces - 1); piece += 1) {
      if (!this.appended.has(piece) || !this.isBuffered(piece)) return piece;
    }
    return null;
  }

  async fill() {
    if (!this.buffer) return;
    const here = Math.floor(this.moment / this.pieceSeconds);
    if (this.request) { // a piece of where the film was before is not waited for
      const isUseful = this.request.piece >= here && this.request.piece <= here + Preview.ahead;
      if (!isUseful) this.request.abort.abort();
      return;
    }
    const piece = this.missing();
    if (piece === null) return;
    this.request = { piece, abort: new AbortController() };
    this.note(true);
    try {
      await this.load(piece, this.request.abort.signal);
    } catch (error) {
      if (error.name !== "AbortError") { this.fail(error.message); return; }
    } finally {
      this.request = null;
      this.note(false);
    }
    this.fill();
  }

  async load(piece, signal) {
    const answer = await fetch(`${this.base}/preview/${piece}.mp4?v=${this.version}`, { signal });
    if (!answer.ok) throw new Error(await answer.text());
    const content = await answer.arrayBuffer();
    await this.forget();
    await this.change(() => this.buffer.appendBuffer(content));
    this.appended.add(piece);
    if (piece === this.pieces - 1 && this.source.readyState === "open") this.source.endOfStream();
  }

  // Let go of what is far from the moment.
  async forget() {
    const ranges = this.buffer.buffered;
    const [low, high] = [this.moment - Preview.kept, this.moment + Preview.kept];
    const far = [];
    for (let i = 0; i < ranges.length; i += 1) {
      if (ranges.start(i) < low) far.push([ranges.start(i), Math.min(ranges.end(i), low)]);
      if (ranges.end(i) > high) far.push([Math.max(ranges.start(i), high), ranges.end(i)]);
    }
    for (const [from, to] of far) await this.change(() => this.buffer.remove(from, to));
    for (const piece of this.appended) {
      const from = piece * this.pieceSeconds;
      if (from < low || from + this.pieceSeconds > high) this.appended.delete(piece);
    }
  }

  change(act) {
    return new Promise((resolve, reject) => {
      this.buffer.addEventListener("updateend", resolve, { once: true });
      this.buffer.addEventListener("error", () => reject(new Error("The browser cannot show the preview.")), { once: true });
      act();
    });
  }
}
