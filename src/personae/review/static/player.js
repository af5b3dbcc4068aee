// The page "Player": the film, the faces over it and the timeline, and their keys.
import { Faces } from "./player_faces.js";
import { Film } from "./player_film.js";
import { Lanes, clockText } from "./player_lanes.js";

const byId = (id) => document.getElementById(id);
const stage = byId("stage"), video = byId("video"), data = byId("player").dataset;

const facts = { // of the film; times are the container's, in seconds
  base: data.base,
  start: Number(data.start),
  containerStart: Number(data.containerStart),
  duration: Number(data.duration),
  frame: Number(data.frame),
  at: Number(data.at),
  track: data.track === "" ? null : Number(data.track),
  isPlayable: Boolean(data.playable),
  type: data.previewType,
  pieces: Number(data.pieces),
  pieceSeconds: Number(data.pieceS),
  version: data.version,
};

function say(text) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = !text;
}

function draw() {
  faces.draw(film.shown, film.isSeeking);
  byId("clock").textContent = clockText(film.shown - facts.start);
  lanes.movePlayhead(film.shown);
  stage.dataset.shown = film.shown.toFixed(4);
}

const film = new Film(video, facts, { draw, say, showKind: (text) => { byId("kind").textContent = text; } });
const faces = new Faces(
  facts,
  { boxes: byId("boxes"), now: byId("now"), nobody: byId("nobody") },
  { draw, say, who: () => lanes.who },
);
const lanes = new Lanes(
  facts,
  { lanes: byId("lanes"), playhead: byId("playhead"), open: byId("open"), said: byId("said") },
  { draw, say, film },
);

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else stage.requestFullscreen?.();
}

function stepFrame(by) {
  video.pause();
  film.seek(film.moment + by * facts.frame);
}

video.addEventListener("loadedmetadata", () => {
  stage.style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
  stage.style.maxWidth = `calc(56vh * ${video.videoWidth / video.videoHeight})`;
});
window.addEventListener("resize", () => lanes.movePlayhead(film.shown));
byId("on-one").addEventListener("click", () => lanes.showNext());
byId("back-one").addEventListener("click", () => lanes.showPrevious());
byId("wide").addEventListener("click", toggleFullScreen);

const keys = {
  " ": () => (video.paused ? video.play().catch(() => {}) : video.pause()),
  j: () => lanes.showNext(), k: () => lanes.showPrevious(),
  "[": () => lanes.chooseNeighbour(-1), "]": () => lanes.chooseNeighbour(1),
  ArrowLeft: (shift) => film.seek(film.moment - (shift ? 1 : 5)),
  ArrowRight: (shift) => film.seek(film.moment + (shift ? 1 : 5)),
  ",": () => stepFrame(-1), ".": () => stepFrame(1),
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
  const at = Math.max(0, film.shown - facts.start).toFixed(3);
  if (back) back.value = `/player?at=${at}&who=${encodeURIComponent(lanes.who)}`;
});

stage.style.aspectRatio = `${video.dataset.width} / ${video.dataset.height}`;
draw();
lanes.choose(lanes.who);
film.open();
