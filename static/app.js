// What a full reload would spoil. Every page works without it.
"use strict";

// A line to be copied: the button shows only where it can work.
function copyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.setAttribute("aria-live", "polite");
      button.classList.add("is-ok");
    };
  }
}

// Rows that are ticked: the bar above them appears with their number.
function bulkBars(root) {
  for (const bar of root.querySelectorAll("[data-bulk]")) {
    const form = bar.closest("form");
    const boxes = () => [...form.querySelectorAll("input[type=checkbox][data-row]")];
    const all = form.querySelector("[data-all]");
    const show = () => {
      const count = boxes().filter((box) => box.checked).length;
      bar.hidden = count === 0;
      for (const place of bar.querySelectorAll("[data-count]")) place.textContent = count;
      if (all) {
        all.checked = count > 0 && count === boxes().length;
        all.indeterminate = count > 0 && count < boxes().length;
      }
    };
    form.addEventListener("change", (event) => {
      if (event.target === all) for (const box of boxes()) box.checked = all.checked;
      show();
    });
    show();
  }
}

// Fields that send their form by themselves when they change; a button does it without this.
function changing(root) {
  for (const field of root.querySelectorAll("[data-submit]")) {
    field.addEventListener("change", () => field.form.requestSubmit());
  }
  for (const button of root.querySelectorAll("[data-without-script]")) button.hidden = true;
}

// A form is sent once, however often its button is pressed; the server would make one thing of it anyway.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === "post" && !event.target.hasAttribute("hx-post")) {
    event.target.dataset.sent = "yes";
    setTimeout(() => delete event.target.dataset.sent, 3000);
  }
});
// A page that comes back from the browser's memory has its forms ready again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Keys, never while somebody types. A page says with data-key what a key does: the element gets the focus or the click.
const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-line]")];
let at = -1;

function move(by) {
  const all = rows();
  if (!all.length) return;
  at = Math.min(Math.max(at + by, 0), all.length - 1);
  const link = all[at].querySelector("a[href]") || all[at];
  link.focus();
  all[at].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || document.body.dataset.keys === "off") return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else if (event.key === "x" && rows()[at]) rows()[at].querySelector("input[type=checkbox]")?.click();
  else {
    const place = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key && one.offsetParent);
    if (!place) return;
    event.preventDefault();
    if (place.matches("input, textarea, select")) place.focus();
    else place.click();
  }
});

// Who chose to write a note is where he writes it.
document.addEventListener("DOMContentLoaded", () => {
  const wanted = new URLSearchParams(location.search).get("write");
  if (wanted) document.querySelector("form.write textarea")?.focus();
});

function begin(root) {
  copyButtons(root);
  bulkBars(root);
  changing(root);
}
document.addEventListener("DOMContentLoaded", () => begin(document));
document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
// What htmx could not send or what was refused is said by the page itself, not swallowed.
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([409, 422].includes(event.detail.xhr.status)) event.detail.shouldSwap = true;
});
