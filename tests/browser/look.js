// What is wrong with a page as it is, found from inside; each function gives a list of sentences.
"use strict";

// The page is wider than its window: what reaches over its edge, the first few.
window.tooWide = () => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const reachesOver = (one) => one.getBoundingClientRect().right > page.clientWidth + 1;
  const wide = [...document.querySelectorAll("body *")].filter(reachesOver);
  const names = wide.slice(0, 6).map((one) => `${one.localName}.${one.getAttribute("class") || ""}`);
  return [`${page.scrollWidth} > ${page.clientWidth}: ${names.join(", ")}`];
};

// Controls that nobody can name who does not see them.
window.unnamed = () => {
  const texts = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent || "");
  const name = (one) => [
    ...[...(one.labels || [])].map((label) => label.textContent),
    one.getAttribute("aria-label") || "",
    ...texts(one.getAttribute("aria-labelledby") || ""),
    // What stands in a list or a text is its value.
    ...(one.matches("select, textarea, input") ? [] : [one.textContent, one.getAttribute("title") || ""]),
  ].join("").trim();
  const controls = "input:not([type=hidden]), select, textarea, button, summary, a[href]";
  return [...document.querySelectorAll(controls)]
    .filter((one) => !one.closest("[aria-hidden=true]") && !name(one))
    .map((one) => one.outerHTML.slice(0, 160));
};

// Pictures that their file does not hold.
window.lostPictures = async () => {
  const lost = new Set();
  const files = {};
  for (const use of document.querySelectorAll("svg use")) {
    const [file, name] = use.getAttribute("href").split("#");
    files[file] ||= await (await fetch(file)).text();
    if (!files[file].includes(`id="${name}"`)) lost.add(name);
  }
  return [...lost];
};

// What axe finds that keeps somebody from using the page.
window.keepsOut = async (options) => {
  const found = await axe.run(document, { resultTypes: ["violations"], iframes: false, ...options });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join("; ")}`);
};
