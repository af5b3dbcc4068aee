// The timeline: a lane for each character, the chosen one, and jumps to its appearances.
export const clockText = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
};

export class Lanes {
  #appearances = new Map(); // label -> [title, spans], in order of time

  // `places`: { lanes, playhead, open, said }, elements of the page. `page`: { draw, say, film }.
  constructor(facts, places, page) {
    Object.assign(this, { facts, places, page });
    places.lanes.addEventListener("click", (event) => {
      const svg = event.target.closest("svg");
      if (!svg) return;
      const place = svg.getBoundingClientRect();
      const share = (event.clientX - place.left) / place.width;
      this.#do(() => this.#jumpTo(svg.dataset.who, facts.start + facts.duration * share));
    });
    places.lanes.addEventListener("change", () => this.choose(this.who));
  }

  get who() {
    return this.places.lanes.querySelector("input:checked")?.value ?? "unknown";
  }

  choose(label) {
    const input = this.places.lanes.querySelector(`input[value="${CSS.escape(label)}"]`);
    if (!input) return;
    input.checked = true;
    const path = label === "unknown" ? "/unknown" : `/character/${label}`;
    this.places.open.href = this.facts.base + path;
    this.page.draw();
  }

  chooseNeighbour(by) {
    const inputs = [...this.places.lanes.querySelectorAll("input")];
    const chosen = inputs[inputs.findIndex((one) => one.checked) + by];
    if (!chosen) return;
    this.choose(chosen.value);
    chosen.closest(".lane").scrollIntoView({ block: "nearest" });
  }

  showNext() {
    const later = ([from], time) => from > time + this.facts.frame / 2;
    this.#do(() => this.#step((spans, time) => spans.findIndex((one) => later(one, time))));
  }

  showPrevious() {
    const least = Math.max(0.5, this.facts.frame);
    this.#do(() => this.#step((spans, time) => spans.findLastIndex(([from]) => from < time - least)));
  }

  movePlayhead(time) {
    const { lanes, playhead } = this.places, { start, duration } = this.facts;
    const lane = lanes.querySelector("svg")?.getBoundingClientRect();
    if (!lane) return;
    const left = lane.left - lanes.getBoundingClientRect().left - lanes.clientLeft;
    playhead.style.left = `${left + lane.width * (time - start) / duration}px`;
  }

  #do(act) {
    act().catch((error) => this.page.say(error.message));
  }

  async #load(label) {
    if (!this.#appearances.has(label)) {
      const address = `${this.facts.base}/player/appearances?who=${encodeURIComponent(label)}`;
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      this.#appearances.set(label, [found.title, found.spans]);
    }
    return this.#appearances.get(label);
  }

  async #step(choose) {
    const { film } = this.page, { said } = this.places;
    const [title, spans] = await this.#load(this.who);
    const place = choose(spans, film.moment);
    if (place < 0 || place >= spans.length) {
      said.textContent = `No other appearance of ${title}.`;
      return;
    }
    const [at] = spans[place];
    film.seek(at);
    const when = clockText(at - this.facts.start);
    said.textContent = `${title}: appearance ${place + 1} of ${spans.length}, at ${when}`;
  }

  // A bar is at least as wide as can be seen: a click beside an appearance means the nearest one.
  async #jumpTo(label, time) {
    this.choose(label);
    const [title, spans] = await this.#load(label);
    if (!spans.length) return;
    const distance = ([from, to]) => Math.max(from - time, time - to, 0);
    const nearest = spans.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    const at = distance(nearest) > 0 ? nearest[0] : time;
    this.page.film.seek(at);
    this.places.said.textContent = `${title}, at ${clockText(at - this.facts.start)}`;
  }
}
