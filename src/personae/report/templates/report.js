"use strict";
(() => {
  const canvas = document.querySelector(".canvas");
  const details = () => document.querySelectorAll("details");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...details()].filter(one => one.closest(".decisions, .more") && !one.open);
    opened.forEach(one => { one.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach(one => { one.open = false; }));
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details:not([open])");
    if (folded) { folded.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  if (!canvas) return;

  const start = Number(canvas.dataset.start), end = Number(canvas.dataset.end);
  const scroll = canvas.parentElement, cursor = canvas.querySelector(".cursor");
  const cuts = canvas.querySelector(".cuts"), moment = document.getElementById("moment");
  const buttons = document.querySelectorAll("[data-zoom]");
  const clock = seconds => {
    const tenths = Math.round(seconds * 10), pad = n => String(n).padStart(2, "0");
    return Math.floor(tenths / 36000) + ":" + pad(Math.floor(tenths / 600) % 60) + ":" + pad(Math.floor(tenths / 10) % 60) + "." + tenths % 10;
  };
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000];
  const fit = () => {
    const width = canvas.clientWidth;
    // lines closer than six pixels would be a grey wall
    cuts.toggleAttribute("hidden", width / (Number(cuts.dataset.cuts) + 1) < 6);
    const step = steps.find(one => one / (end - start) * width >= 90) || 36000;
    canvas.querySelectorAll(".axis").forEach(axis => {
      axis.replaceChildren();
      axis.classList.add("fitted");
      for (let at = Math.ceil(start / step) * step; at <= end; at += step) {
        const tick = document.createElement("span"), share = (at - start) / (end - start);
        tick.style.left = share * 100 + "%";
        tick.textContent = clock(at).slice(0, -2);
        tick.classList.toggle("end", (1 - share) * width < 70);
        axis.append(tick);
      }
      const last = axis.lastElementChild, before = last && last.previousElementSibling;
      if (before && last.classList.contains("end") && step / (end - start) * width < 140) before.remove();
    });
  };
  document.querySelector(".zoom").hidden = false;
  buttons.forEach(button => button.addEventListener("click", () => {
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / canvas.clientWidth;
    canvas.style.width = Number(button.dataset.zoom) * 100 + "%";
    buttons.forEach(other => other.setAttribute("aria-pressed", String(other === button)));
    scroll.scrollLeft = middle * canvas.clientWidth - scroll.clientWidth / 2;
    fit();
  }));
  addEventListener("resize", fit);
  fit();
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    cursor.hidden = false;
    cursor.style.left = share * 100 + "%";
    const bar = event.target.closest("rect");
    moment.textContent = bar ? bar.textContent : clock(start + share * (end - start));
  });
  canvas.addEventListener("pointerleave", () => { cursor.hidden = true; moment.textContent = ""; });
})();
