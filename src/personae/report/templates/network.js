(() => {
  const network = document.querySelector(".network");
  if (!network) return;
  const edges = [...network.querySelectorAll(".edge")], nodes = [...network.querySelectorAll(".node")];
  const pick = label => {
    const near = new Set([label]);
    edges.forEach(edge => {
      const ends = edge.dataset.ends.split(" "), ours = ends.includes(label);
      edge.classList.toggle("picked", ours);
      if (ours) ends.forEach(end => near.add(end));
    });
    nodes.forEach(node => node.classList.toggle("picked", near.has(node.dataset.label)));
    network.classList.toggle("picked", label !== null);
  };
  nodes.forEach(node => {
    node.addEventListener("pointerenter", () => pick(node.dataset.label));
    node.addEventListener("focus", () => pick(node.dataset.label));
    node.addEventListener("pointerleave", () => pick(null));
    node.addEventListener("blur", () => pick(null));
  });
})();
