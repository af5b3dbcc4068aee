// Keys, selection by ranges, and where the page scrolls; everything works without it but the keys.
"use strict";

let lastPicked = null;

const picks = () => [...document.querySelectorAll("#items input[type=checkbox]")];

// where J and K lead: to the boxes, or to the links of a list without
const places = () => [...document.querySelectorAll("#items input[type=checkbox], #items [data-place]")];

function showSelection() {
  const count = picks().filter((box) => box.checked).length;
  const output = document.getElementById("selected");
  if (output) output.textContent = count ? `${count} selected` : "Nothing selected";
  for (const button of document.querySelectorAll("[data-least]")) {
    button.disabled = count < Number(button.dataset.least);
  }
}

function selectRange(from, to, checked) {
  const boxes = picks();
  const [first, last] = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
  if (first >= 0) for (const box of boxes.slice(first, last + 1)) box.checked = checked;
}

function moveFocus(step) {
  const boxes = places();
  if (!boxes.length) return;
  const item = document.activeElement.closest("#items > li");
  const here = item ? boxes.findIndex((box) => item.contains(box)) : -1;
  const next = here < 0 ? (step > 0 ? 0 : boxes.length - 1) : here + step;
  if (next >= 0 && next < boxes.length) {
    boxes[next].focus();
    boxes[next].scrollIntoView({ block: "nearest" });
  }
}

function rowLength() {
  const tops = places().map((box) => box.getBoundingClientRect().top);
  const length = tops.findIndex((top) => top > tops[0] + 4);
  return length < 0 ? tops.length : length;
}

function focusedBox() {
  const item = document.activeElement.closest("#items > li");
  return item ? item.querySelector("input[type=checkbox]") : null;
}

const isInList = () => Boolean(document.activeElement.closest("#items > li"));

function useField(field) {
  field.focus();
  if (field.select) field.select();
}

function press(key, shift) {
  const box = focusedBox();
  switch (key) {
    case "j": case "ArrowRight": moveFocus(1); return true;
    case "k": case "ArrowLeft": moveFocus(-1); return true;
    case "ArrowDown": if (!isInList()) return false; moveFocus(rowLength()); return true;
    case "ArrowUp": if (!isInList()) return false; moveFocus(-rowLength()); return true;
    case "x":
      if (!box) return false;
      box.checked = !box.checked;
      if (shift && lastPicked) selectRange(lastPicked, box, box.checked);
      lastPicked = box;
      showSelection();
      return true;
    case "a":
      for (const one of picks()) one.checked = true;
      showSelection();
      return picks().length > 0;
    case "Enter": {
      const link = box && document.activeElement === box && box.closest("li").querySelector("a");
      if (link) link.click();
      return Boolean(link);
    }
    case "Escape":
      for (const one of picks()) one.checked = false;
      showSelection();
      return true;
  }
  // what an item has of its own comes before what the page has
  const [item, wanted] = [document.activeElement.closest("#items > li"), `[data-key="${CSS.escape(key)}"]`];
  const target = (item && item.querySelector(wanted)) || document.querySelector(wanted);
  if (target) {
    const closed = target.closest("details:not([open])");
    if (closed && !target.matches("summary")) closed.open = true; // shown first, pressed next time
    else if (target.matches("input:not([type=checkbox])")) useField(target);
    else if (!target.disabled) target.click();
    return true;
  }
  if (key === "n") {
    const own = document.activeElement.closest("#items > li");
    const field = (own || document).querySelector(".name input:not([type=hidden])");
    if (field) useField(field);
    return Boolean(field);
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (field) {
    if (event.key === "Escape") {
      const box = field.closest("#items > li")?.querySelector("input[type=checkbox]");
      (box || document.getElementById("main")).focus();
    } else if (event.key === "Enter" && field.dataset.verb) {
      // the first button of the form is another one
      event.preventDefault();
      field.form.querySelector(`button[value="${field.dataset.verb}"]`).click();
    }
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (press(key, event.shiftKey)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const box = event.target.closest("#items input[type=checkbox]");
  if (!box) return;
  if (event.shiftKey && lastPicked) selectRange(lastPicked, box, box.checked);
  lastPicked = box;
  showSelection();
});

document.addEventListener("change", (event) => {
  showSelection();
  if (event.target.id === "together") event.target.form.requestSubmit();
});

// Show the new cast by itself, unless that would take away what a person is at.
function showNewCast() {
  const link = document.querySelector("#clustering a");
  const isBusy = document.activeElement.matches("input:not([type=checkbox])")
    || picks().some((box) => box.checked) || document.querySelector(".question, #player");
  if (link && !isBusy) link.click();
}

let shownPath = location.pathname;
document.addEventListener("htmx:afterSettle", () => {
  if (location.pathname !== shownPath) window.scrollTo(0, 0);
  shownPath = location.pathname;
  if (lastPicked && !lastPicked.isConnected) lastPicked = null;
  showSelection();
  showNewCast();
});

// An answer that is no page: say why, above the page that stays.
function complain(text) {
  let note = document.getElementById("complaint");
  if (!note) {
    note = document.createElement("p");
    note.id = "complaint";
    note.className = "message error";
    note.setAttribute("role", "alert");
    document.getElementById("main").prepend(note);
  }
  note.textContent = text;
}

document.addEventListener("htmx:responseError", (event) => complain(event.detail.xhr.responseText));
document.addEventListener("htmx:sendError", () => complain(
  "The page is not served any more. What was saved is safe: start `personae` again.",
));

document.addEventListener("DOMContentLoaded", showSelection);
showSelection();
