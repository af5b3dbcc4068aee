// Boxes and names over the film, and the list of who is on screen. Times are the container's.
const WINDOW_S = 20;
const KEPT_WINDOWS = 4; // on both sides of the moment

export class Faces {
  #windows = new Map(); // number of a window of time -> its faces, null while they are fetched
  #elements = new Map(); // track -> its element
  #listed = "";

  // `places`: { boxes, now, nobody }, elements of the page. `page`: { draw, say, who }.
  constructor(facts, places, page) {
    Object.assign(this, { facts, places, page });
  }

  draw(time, isHidden) {
    const seen = new Map();
    for (const track of this.#facesAt(time)) {
      const box = this.#boxAt(track, time);
      if (box) seen.set(track.track, [track, box]);
    }
    for (const [track, element] of this.#elements) {
      if (!seen.has(track)) { element.remove(); this.#elements.delete(track); }
    }
    for (const [track, [x, y, w, h]] of seen.values()) {
      const element = this.#elementOf(track), { style } = element;
      element.classList.toggle("low", y + h > 0.93); // its name would be below the film
      [style.left, style.top, style.width, style.height] = [x, y, w, h].map((one) => `${one * 100}%`);
    }
    this.places.boxes.hidden = isHidden; // boxes would lie beside the faces
    this.#list([...seen.values()].map(([track]) => track));
  }

  // The faces of the window that holds a moment; the next one is fetched in time.
  #facesAt(time) {
    const since = time - this.facts.start, number = Math.floor(since / WINDOW_S);
    this.#fetch(number);
    if (since % WINDOW_S > WINDOW_S / 2) this.#fetch(number + 1);
    return this.#windows.get(number) || [];
  }

  async #fetch(number) {
    const windows = this.#windows, { start, base } = this.facts;
    if (windows.has(number)) return;
    windows.set(number, null);
    for (const known of windows.keys()) if (Math.abs(known - number) > KEPT_WINDOWS) windows.delete(known);
    const end = start + (number + 1) * WINDOW_S, tracks = [];
    try {
      for (let from = start + number * WINDOW_S; from < end;) {
        const answer = await fetch(`${base}/player/faces?from=${from.toFixed(3)}&to=${end.toFixed(3)}`);
        if (!answer.ok) throw new Error(await answer.text());
        const found = await answer.json();
        tracks.push(...found.tracks);
        if (!(found.to > from)) break;
        from = found.to;
      }
      windows.set(number, tracks);
      this.page.draw();
    } catch (error) {
      windows.delete(number);
      this.page.say(`The faces cannot be shown: ${error.message}`);
    }
  }

  #boxAt(track, time) {
    const points = track.points, last = points.length - 1, { frame } = this.facts;
    if (time < points[0][0] - frame / 4 || time >= track.end - frame / 4) return null;
    let low = 0, high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= time) low = middle; else high = middle;
    }
    const [one, other] = [points[low], points[high]];
    if (time > points[last][0] + frame && time < track.end - frame * 1.5) return null; // cut off
    const span = other[0] - one[0];
    const share = span > 0 ? Math.min(Math.max((time - one[0]) / span, 0), 1) : 0;
    return one.map((value, place) => value + (other[place] - value) * share).slice(1);
  }

  #elementOf(track) {
    if (!this.#elements.has(track.track)) {
      const link = document.createElement("a"), name = document.createElement("span");
      link.className = "box";
      link.href = `${this.facts.base}/track/${track.track}`;
      link.tabIndex = -1; // the list beside the film is for the keyboard
      link.append(name);
      this.places.boxes.append(link);
      this.#elements.set(track.track, link);
    }
    const link = this.#elements.get(track.track);
    link.firstChild.textContent = track.title;
    link.dataset.who = track.who;
    link.classList.toggle("nobody", track.who === "unknown");
    link.classList.toggle("chosen", track.who === this.page.who());
    link.classList.toggle("wanted", track.track === this.facts.track);
    return link;
  }

  #list(tracks) {
    const key = tracks.map((one) => `${one.track} ${one.title}`).join("\n");
    if (key === this.#listed) return;
    this.#listed = key;
    const { now, nobody } = this.places;
    const focused = document.activeElement.closest?.("#now a")?.getAttribute("href");
    now.replaceChildren(...tracks.map((one) => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = `${this.facts.base}/track/${one.track}`;
      link.textContent = one.title;
      item.append(link);
      return item;
    }));
    nobody.hidden = tracks.length > 0;
    if (focused) now.querySelector(`a[href="${focused}"]`)?.focus();
  }
}
