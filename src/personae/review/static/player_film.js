// The film's moment: the video element's clock, seeking, and the preview of films it cannot play.
// Times are the container's.
import { Preview } from "./preview.js";

export class Film {
  // What the browser's clock shows plus `shift` is container time. Browsers count from where the
  // file starts, or from the container's zero: the time of the first frame tells which.
  #shift;
  #hasClock;
  #isPreview = false;
  // A browser that counts from the container's zero may learn only while it reads how far the film
  // reaches: it is led there step by step.
  #beyond = null;

  // `facts`: what the page says of the film. `page`: { draw, say, showKind }.
  constructor(video, facts, page) {
    Object.assign(this, { video, facts, page, shown: facts.at, pending: facts.at });
    this.#shift = facts.containerStart;
    this.#hasClock = !facts.containerStart;
    this.#listen();
    this.#watchFrames();
  }

  open() {
    if (this.facts.isPlayable) this.video.src = `${this.facts.base}/film`;
    else this.#showPreview();
  }

  // Where the film is, or is about to be.
  get moment() {
    return this.pending === null ? this.shown : this.pending;
  }

  // Whether the browser still shows the frame of before.
  get isSeeking() {
    return this.pending !== null || this.video.seeking || this.video.readyState < 2;
  }

  seek(time) {
    const { start, duration, frame } = this.facts;
    this.pending = Math.min(Math.max(time, start), start + duration - frame / 2);
    if (this.video.readyState < 1 || !this.#hasClock) return; // done when the film has begun
    const target = this.pending - this.#shift + Math.min(frame / 4, 0.002);
    this.#beyond = target > this.video.duration ? target : null;
    this.video.currentTime = target;
    this.shown = this.pending;
    this.pending = null;
    this.page.draw();
  }

  #listen() {
    const { video } = this;
    video.addEventListener("durationchange", () => {
      if (this.#beyond === null) return;
      const isWithin = this.#beyond <= video.duration;
      video.currentTime = isWithin ? this.#beyond : video.duration - this.facts.frame;
      if (isWithin) this.#beyond = null;
    });
    video.addEventListener("loadedmetadata", () => {
      if (this.#hasClock) this.#seekPending();
    });
    video.addEventListener("seeked", () => this.page.draw());
    video.addEventListener("loadeddata", () => {
      this.page.draw();
      setTimeout(() => { // no frame has been presented, as in a window that cannot be seen
        this.#hasClock = true;
        this.#seekPending();
      }, 2000);
    });
    video.addEventListener("error", () => {
      if (!this.#isPreview) this.#showPreview(); // the codecs are known, but not here, or damaged
      else this.page.say("The browser cannot show the preview.");
    });
  }

  #watchFrames() {
    const { video } = this;
    if (video.requestVideoFrameCallback) {
      const watch = (now, frameShown) => {
        if (!this.#hasClock) {
          this.#readClock(frameShown.mediaTime);
          this.#seekPending();
        }
        this.#present(frameShown.mediaTime);
        video.requestVideoFrameCallback(watch);
      };
      video.requestVideoFrameCallback(watch);
    } else {
      this.#hasClock = true;
      const watch = () => {
        this.#present(video.currentTime);
        requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    }
  }

  #present(mediaTime) {
    if (this.pending !== null || this.video.seeking) return;
    this.shown = mediaTime + this.#shift;
    this.page.draw();
  }

  #readClock(mediaTime) {
    const { start, containerStart } = this.facts;
    this.#hasClock = true;
    if (Math.abs(mediaTime - start) < Math.abs(mediaTime + containerStart - start)) this.#shift = 0;
  }

  #seekPending() {
    if (this.pending !== null) this.seek(this.pending);
  }

  #showPreview() {
    const { facts, video, page } = this;
    if (!Preview.canShow(facts.type)) {
      page.say("This browser can play neither the film nor its preview (H.264).");
      return;
    }
    this.#isPreview = true;
    this.#hasClock = true;
    this.#shift = facts.start; // a preview starts with the first frame
    this.pending = this.moment;
    const note = (isMaking) => page.showKind(isMaking && video.readyState < 3
      ? "Making a preview…" : "A preview in lower quality: browsers cannot play this film as it is.");
    new Preview(video, { ...facts, start: this.pending - facts.start }, note, page.say);
  }
}
