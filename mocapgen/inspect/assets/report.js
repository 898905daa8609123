// The report's page: choose among findings, unfold, sort tables, and find the way back from the player.
(function () {
  "use strict";

  const FIRST = 10; // clips of one check that are shown at first
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.add("js");

  // Findings -----------------------------------------------------------------------------------------

  const checks = all(".check").map((element) => ({
    element,
    id: element.dataset.check,
    severity: element.dataset.severity,
    groups: all("tbody", element).map((body) => ({ body, text: body.textContent.toLowerCase() })),
    whole: false, // whether all groups are shown
    more: null,
  }));
  const filter = document.getElementById("filter");

  for (const { groups } of checks) {
    for (const { body } of groups) {
      const [, ...others] = body.rows;
      others.forEach((row) => row.classList.add("also"));
      const button = body.rows[0].querySelector("button");
      if (!button) continue;
      const unfold = (open) => {
        others.forEach((row) => (row.hidden = !open));
        button.setAttribute("aria-expanded", open);
      };
      unfold(false);
      button.addEventListener("click", () => unfold(button.getAttribute("aria-expanded") !== "true"));
    }
  }

  function choose() {
    const wanted = new Set(all('[name="severity"]:checked', filter).map((box) => box.value));
    const words = filter.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let total = 0;
    for (const check of checks) {
      const fits = wanted.has(check.severity) && (!filter.elements.check.value || filter.elements.check.value === check.id);
      const matching = check.groups.filter(({ text }) => fits && words.every((word) => text.includes(word)));
      const limit = check.whole || matching.length <= FIRST + 2 ? Infinity : FIRST;
      const visible = new Set(matching.slice(0, limit));
      for (const group of check.groups) group.body.hidden = !visible.has(group);
      check.element.hidden = !matching.length;
      if (matching.length && (words.length || filter.elements.check.value)) check.element.open = true;
      offer(check, matching.length - visible.size);
      shown += matching.reduce((sum, { body }) => sum + body.rows.length, 0);
      total += check.groups.reduce((sum, { body }) => sum + body.rows.length, 0);
    }
    document.getElementById("matching").textContent = shown === total ? "" : `${shown.toLocaleString("en")} of ${total.toLocaleString("en")}`;
  }

  // The button below a check's table that shows the rest of it.
  function offer(check, left) {
    if (!check.more && left) {
      check.more = document.createElement("button");
      check.more.type = "button";
      check.more.className = "all";
      check.more.addEventListener("click", () => {
        check.whole = true;
        choose();
      });
      check.element.querySelector("table").after(check.more);
    }
    if (!check.more) return;
    check.more.hidden = !left;
    check.more.textContent = `Show ${left.toLocaleString("en")} more`;
  }

  if (filter) {
    filter.addEventListener("input", choose);
    filter.addEventListener("submit", (event) => event.preventDefault());
    choose();
  }

  // Links --------------------------------------------------------------------------------------------

  const back = document.getElementById("back");
  let current = null; // the link that was followed last

  function mark(link) {
    all(".findings tr.current").forEach((row) => row.classList.remove("current"));
    current = link;
    link.closest("tr").classList.add("current");
    back.hidden = false;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('.findings a[href^="#sequence="]');
    if (link) mark(link);
  });
  back.addEventListener("click", () => {
    current.scrollIntoView({ block: "center" });
    current.focus({ preventScroll: true });
  });

  // Tables -------------------------------------------------------------------------------------------

  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));

  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const first = Number(table.dataset.first);
    let whole = body.rows.length <= first + 3;
    const cut = () => [...body.rows].forEach((row, place) => (row.hidden = !whole && place >= first));
    cut();
    if (!whole) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "all";
      button.textContent = `Show all ${body.rows.length.toLocaleString("en")}`;
      button.addEventListener("click", () => {
        whole = true;
        cut();
        button.remove();
      });
      table.after(button);
    }
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("mp-num");
        const descending = head.ariaSort ? head.ariaSort === "ascending" : numeric;
        [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => (descending ? -1 : 1) * compare(value(a, column), value(b, column)));
        body.append(...rows);
        cut();
      });
    });
  }
})();
