(() => {
  const player = document.getElementById("player");
  if (!player) return;
  const screen = player.querySelector(".screen"), missing = player.querySelector(".missing");
  const title = player.querySelector("output"), steps = player.querySelectorAll("[data-step]");
  const addresses = player.dataset.addresses.split(" "), frame = Number(player.dataset.frame);
  const start = Number(player.dataset.start), containerStart = Number(player.dataset.containerStart);
  let video = null, shift = 0, moment = null, address = 0, opened = null;
  // A browser that counts from the container's zero may learn only while it reads how far the film
  // reaches: it is led there step by step.
  let beyond = null;

  // Some browsers count from the container's zero, others from where the file starts: the time of
  // the first frame tells which.
  const readClock = shown => {
    const zeroBased = Math.abs(shown - start + containerStart) < Math.abs(shown - start);
    shift = zeroBased ? -containerStart : 0;
  };
  const seek = () => {
    if (!moment || !video || video.readyState < 1) return;
    const target = moment.from + shift + Math.min(frame / 4, 0.002);
    beyond = target > video.duration ? target : null;
    video.currentTime = target;
    video.play().catch(() => {});
  };
  const stopAtEnd = shown => {
    if (!moment || moment.to === null || video.paused || shown < moment.to + shift - frame / 4) return;
    video.pause();
    video.currentTime = moment.to + shift - frame / 2;
    moment.to = null;
  };
  const watch = (now, shown) => {
    stopAtEnd(shown.mediaTime);
    if (video) video.requestVideoFrameCallback(watch);
  };
  const fail = () => {
    address += 1;
    if (!opened && address < addresses.length) { load(addresses[address]); return; }
    screen.replaceChildren();
    video = null;
    missing.hidden = false;
  };
  const load = source => {
    missing.hidden = true;
    video = document.createElement("video");
    video.controls = true;
    video.preload = "auto";
    video.playsInline = true;
    const known = video;
    let begun = false;
    const begin = () => { if (video === known && !begun) { begun = true; seek(); } };
    video.addEventListener("error", () => { if (video === known) fail(); });
    beyond = null;
    video.addEventListener("durationchange", () => {
      if (video !== known || beyond === null) return;
      video.currentTime = beyond <= video.duration ? beyond : video.duration - frame;
      if (beyond <= video.duration) beyond = null;
    });
    video.addEventListener("loadeddata", () => setTimeout(begin, containerStart ? 400 : 0), {once: true});
    video.addEventListener("seeking", () => {
      const at = video.currentTime - shift;
      if (beyond === null && moment && moment.to !== null && (at < moment.from - 1 || at > moment.to)) moment.to = null;
    });
    if (video.requestVideoFrameCallback) {
      video.requestVideoFrameCallback((now, shown) => {
        if (video !== known) return;
        if (!begun && containerStart) readClock(shown.mediaTime);
        begin();
        watch(now, shown);
      });
    } else {
      video.addEventListener("timeupdate", () => stopAtEnd(video.currentTime));
    }
    screen.replaceChildren(video);
    video.src = source;
  };
  const neighbours = button => {
    const list = button && button.closest("ol, ul");
    return list ? [...list.querySelectorAll("button.moment")] : [];
  };
  const show = (from, to, text, button) => {
    document.querySelectorAll("button.moment[aria-current]").forEach(one => one.removeAttribute("aria-current"));
    if (button) button.setAttribute("aria-current", "true");
    moment = {from, to, button};
    title.textContent = text;
    const list = neighbours(button), place = list.indexOf(button);
    steps.forEach(step => { step.hidden = !list[place + Number(step.dataset.step)]; });
    player.hidden = false;
    if (video) seek(); else { address = 0; load(opened || addresses[0]); }
  };
  const play = button => {
    const card = button.closest(".card, figure"), name = card && card.querySelector("h3, .who");
    const who = name ? name.firstChild.textContent.trim() || name.textContent.trim() : "";
    show(Number(button.dataset.from), Number(button.dataset.to), [who, button.textContent.trim()].filter(Boolean).join(", "), button);
  };
  document.addEventListener("click", event => {
    const button = event.target.closest("button.moment"), canvas = event.target.closest(".canvas");
    if (button) play(button);
    else if (canvas) {
      const box = canvas.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
      const at = Number(canvas.dataset.start) + share * (canvas.dataset.end - canvas.dataset.start);
      const bar = event.target.closest("rect");
      show(at, null, bar ? bar.textContent : document.getElementById("moment").textContent, null);
    }
  });
  steps.forEach(step => step.addEventListener("click", () => {
    const list = neighbours(moment && moment.button);
    const next = list[list.indexOf(moment.button) + Number(step.dataset.step)];
    if (next) play(next);
  }));
  player.querySelector("[data-close]").addEventListener("click", () => {
    if (video) { video.pause(); video.removeAttribute("src"); video.load(); }
    screen.replaceChildren();
    video = null;
    player.hidden = true;
    if (moment && moment.button) { moment.button.removeAttribute("aria-current"); moment.button.focus(); }
  });
  player.querySelector("input").addEventListener("change", event => {
    const [file] = event.target.files;
    if (!file) return;
    if (opened) URL.revokeObjectURL(opened);
    opened = URL.createObjectURL(file);
    load(opened);
  });
  document.documentElement.classList.add("plays");
})();
