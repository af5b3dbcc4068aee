// The film with boxes and names over it, and a timeline to jump by. Times are the container's.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const player = byId("player"), stage = byId("stage"), video = byId("video"), boxes = byId("boxes");
  const data = player.dataset, lanes = byId("lanes"), base = data.base;
  const start = Number(data.start), containerStart = Number(data.containerStart);
  const duration = Number(data.duration), frame = Number(data.frame);
  const wantedTrack = data.track === "" ? null : Number(data.track);
  const windowSeconds = 20;

  // What the browser's clock shows plus `shift` is container time. Browsers count from where the
  // file starts, or from the container's zero: the time of the first frame tells which.
  let shift = containerStart, isPreview = false, hasClock = !containerStart;
  let shown = Number(data.at), pending = shown;

  // A browser that counts from the container's zero may learn only while it reads how far the film
  // reaches: it is led there step by step.
  let beyond = null;
  video.addEventListener("durationchange", () => {
    if (beyond === null) return;
    video.currentTime = beyond <= video.duration ? beyond : video.duration - frame;
    if (beyond <= video.duration) beyond = null;
  });

  const clockText = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const two = (number) => String(number).padStart(2, "0");
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  };

  // ---- the film

  function seek(time) {
    pending = Math.min(Math.max(time, start), start + duration - frame / 2);
    if (video.readyState < 1 || !hasClock) return; // done when the film has begun
    const target = pending - shift + Math.min(frame / 4, 0.002);
    beyond = target > video.duration ? target : null;
    video.currentTime = target;
    shown = pending;
    pending = null;
    draw();
  }

  function readClock(mediaTime) {
    if (hasClock) return;
    hasClock = true;
    if (Math.abs(mediaTime - start) < Math.abs(mediaTime + containerStart - start)) shift = 0;
  }

  function begin() {
    stage.style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    stage.style.maxWidth = `calc(56vh * ${video.videoWidth / video.videoHeight})`;
    if (pending !== null && hasClock) seek(pending);
  }

  function say(text) {
    byId("trouble").textContent = text;
    byId("trouble").hidden = !text;
  }

  function showPreview() {
    if (!Preview.canShow(data.previewType)) { say("This browser can play neither the film nor its preview (H.264)."); return; }
    isPreview = true;
    hasClock = true;
    shift = start; // a preview starts with the first frame
    const note = (isMaking) => {
      byId("kind").textContent = isMaking && video.readyState < 3
        ? "Making a preview…" : "A preview in lower quality: browsers cannot play this film as it is.";
    };
    const at = pending === null ? shown : pending;
    pending = at;
    new Preview(video, {
      pieces: Number(data.pieces), pieceSeconds: Number(data.pieceS), duration,
      type: data.previewType, version: data.version, base, start: at - start,
    }, note, say);
  }

  video.addEventListener("loadedmetadata", begin);
  video.addEventListener("seeked", () => draw());
  video.addEventListener("loadeddata", () => {
    draw();
    setTimeout(() => { // no frame has been presented, as in a window that cannot be seen
      hasClock = true;
      if (pending !== null) seek(pending);
    }, 2000);
  });
  video.addEventListener("error", () => {
    if (!isPreview) showPreview(); // the codecs are known, but not in this browser, or damaged
    else say("The browser cannot show the preview.");
  });

  function present(time) {
    shown = time;
    draw();
  }

  if (video.requestVideoFrameCallback) {
    const watch = (now, frameShown) => {
      if (!hasClock) {
        readClock(frameShown.mediaTime);
        if (pending !== null) seek(pending);
      }
      if (pending === null && !video.seeking) present(frameShown.mediaTime + shift);
      video.requestVideoFrameCallback(watch);
    };
    video.requestVideoFrameCallback(watch);
  } else {
    hasClock = true;
    const watch = () => {
      if (pending === null && !video.seeking) present(video.currentTime + shift);
      requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  }

  // ---- boxes and names

  const windows = new Map(); // number of a window of time -> its faces, null while they are fetched

  async function fetchWindow(number) {
    if (windows.has(number)) return;
    windows.set(number, null);
    for (const known of windows.keys()) if (Math.abs(known - number) > 4) windows.delete(known);
    const end = start + (number + 1) * windowSeconds, tracks = [];
    try {
      for (let from = start + number * windowSeconds; from < end;) {
        const answer = await fetch(`${base}/player/faces?from=${from.toFixed(3)}&to=${end.toFixed(3)}`);
        if (!answer.ok) throw new Error(await answer.text());
        const found = await answer.json();
        tracks.push(...found.tracks);
        if (!(found.to > from)) break;
        from = found.to;
      }
      windows.set(number, tracks);
      draw();
    } catch (error) {
      windows.delete(number);
      say(`The faces cannot be shown: ${error.message}`);
    }
  }

  function boxAt(track, time) {
    const points = track.points, last = points.length - 1;
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

  const elements = new Map(); // track -> its element

  function elementOf(track) {
    if (!elements.has(track.track)) {
      const link = document.createElement("a"), name = document.createElement("span");
      link.className = "box";
      link.href = `${base}/track/${track.track}`;
      link.tabIndex = -1; // the list beside the film is for the keyboard
      link.append(name);
      boxes.append(link);
      elements.set(track.track, link);
    }
    const link = elements.get(track.track);
    link.firstChild.textContent = track.title;
    link.dataset.who = track.who;
    link.classList.toggle("nobody", track.who === "unknown");
    link.classList.toggle("chosen", track.who === who());
    link.classList.toggle("wanted", track.track === wantedTrack);
    return link;
  }

  let listed = "";

  function list(tracks) {
    const key = tracks.map((one) => `${one.track} ${one.title}`).join("\n");
    if (key === listed) return;
    listed = key;
    const focused = document.activeElement.closest?.("#now a")?.getAttribute("href");
    byId("now").replaceChildren(...tracks.map((one) => {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = `${base}/track/${one.track}`;
      link.textContent = one.title;
      item.append(link);
      return item;
    }));
    byId("nobody").hidden = tracks.length > 0;
    if (focused) byId("now").querySelector(`a[href="${focused}"]`)?.focus();
  }

  function draw() {
    const number = Math.floor((shown - start) / windowSeconds);
    fetchWindow(number);
    if ((shown - start) % windowSeconds > windowSeconds / 2) fetchWindow(number + 1);
    const seen = new Map();
    for (const track of windows.get(number) || []) {
      const box = boxAt(track, shown);
      if (box) seen.set(track.track, [track, box]);
    }
    for (const [track, element] of elements) {
      if (!seen.has(track)) { element.remove(); elements.delete(track); }
    }
    for (const [track, [x, y, w, h]] of seen.values()) {
      const element = elementOf(track), { style } = element;
      element.classList.toggle("low", y + h > 0.93); // its name would be below the film
      [style.left, style.top, style.width, style.height] = [x, y, w, h].map((one) => `${one * 100}%`);
    }
    // while the browser still shows the frame of before, boxes would lie beside the faces
    boxes.hidden = pending !== null || video.seeking || video.readyState < 2;
    list([...seen.values()].map(([track]) => track));
    byId("clock").textContent = clockText(shown - start);
    movePlayhead();
    stage.dataset.shown = shown.toFixed(4);
  }

  function movePlayhead() {
    const lane = lanes.querySelector("svg")?.getBoundingClientRect();
    if (!lane) return;
    const left = lane.left - lanes.getBoundingClientRect().left - lanes.clientLeft;
    byId("playhead").style.left = `${left + lane.width * (shown - start) / duration}px`;
  }

  window.addEventListener("resize", movePlayhead);

  // ---- characters and their appearances

  const who = () => lanes.querySelector("input:checked")?.value ?? "unknown";
  const appearances = new Map(); // label -> [title, spans], in order of time

  async function load(label) {
    if (!appearances.has(label)) {
      const answer = await fetch(`${base}/player/appearances?who=${encodeURIComponent(label)}`);
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      appearances.set(label, [found.title, found.spans]);
    }
    return appearances.get(label);
  }

  function choose(label) {
    const input = lanes.querySelector(`input[value="${CSS.escape(label)}"]`);
    if (!input) return;
    input.checked = true;
    byId("open").href = base + (label === "unknown" ? "/unknown" : `/character/${label}`);
    draw();
  }

  async function jump(choice) {
    const [title, spans] = await load(who());
    const place = choice(spans, pending === null ? shown : pending);
    if (place < 0 || place >= spans.length) {
      byId("said").textContent = `No other appearance of ${title}.`;
      return;
    }
    seek(spans[place][0]);
    byId("said").textContent = `${title}: appearance ${place + 1} of ${spans.length}, at ${clockText(spans[place][0] - start)}`;
  }

  const next = (spans, time) => spans.findIndex(([from]) => from > time + frame / 2);
  const previous = (spans, time) => spans.findLastIndex(([from]) => from < time - Math.max(0.5, frame));

  // A bar is at least as wide as can be seen: a click beside an appearance means the nearest one.
  async function jumpTo(label, time) {
    choose(label);
    const [title, spans] = await load(label);
    if (!spans.length) return;
    const distance = ([from, to]) => Math.max(from - time, time - to, 0);
    const nearest = spans.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    const at = distance(nearest) > 0 ? nearest[0] : time;
    seek(at);
    byId("said").textContent = `${title}, at ${clockText(at - start)}`;
  }

  lanes.addEventListener("click", (event) => {
    const svg = event.target.closest("svg");
    if (!svg) return;
    const place = svg.getBoundingClientRect();
    jumpTo(svg.dataset.who, start + duration * (event.clientX - place.left) / place.width).catch((error) => say(error.message));
  });
  lanes.addEventListener("change", () => choose(who()));
  const step = (choice) => jump(choice).catch((error) => say(error.message));
  byId("on-one").addEventListener("click", () => step(next));
  byId("back-one").addEventListener("click", () => step(previous));
  byId("wide").addEventListener("click", () => toggleFullScreen());

  function toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else stage.requestFullscreen?.();
  }

  function move(by) {
    seek((pending === null ? shown : pending) + by);
  }

  function chooseNeighbour(by) {
    const inputs = [...lanes.querySelectorAll("input")];
    const place = inputs.findIndex((one) => one.checked) + by;
    if (!inputs[place]) return;
    choose(inputs[place].value);
    inputs[place].closest(".lane").scrollIntoView({ block: "nearest" });
  }

  const keys = {
    " ": () => (video.paused ? video.play().catch(() => {}) : video.pause()),
    j: () => step(next), k: () => step(previous),
    "[": () => chooseNeighbour(-1), "]": () => chooseNeighbour(1),
    ArrowLeft: (shift) => move(shift ? -1 : -5), ArrowRight: (shift) => move(shift ? 1 : 5),
    ",": () => { video.pause(); move(-frame); }, ".": () => { video.pause(); move(frame); },
    Enter: () => byId("open").click(), f: toggleFullScreen,
  };

  // Before the page's other keys, and before those of the browser's own player.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const focused = event.target;
    if (focused.matches("input:not([type=radio]), textarea, select")) return;
    const isPressed = focused.matches("a, button, summary") && [" ", "Enter"].includes(event.key);
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || isPressed) return;
    event.preventDefault();
    event.stopPropagation();
    act(event.shiftKey);
  }, true);

  // A form leads back to this moment.
  document.addEventListener("submit", (event) => {
    const back = event.target.querySelector("[name=back]");
    if (back) back.value = `/player?at=${Math.max(0, shown - start).toFixed(3)}&who=${encodeURIComponent(who())}`;
  });

  stage.style.aspectRatio = `${video.dataset.width} / ${video.dataset.height}`;
  draw();
  choose(who());
  if (data.playable) video.src = `${base}/film`; else showPreview();
})();
