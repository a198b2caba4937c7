// The list of all findings: unpacks the data island of the page, and shows the rows that are in sight.
//
// Plain script without libraries. Text reaches the page through textContent only, so that no name can become markup; nothing
// is evaluated and nothing requested. The page is complete without it: summary, controls and the first findings of each rule
// are plain HTML.
"use strict";

(() => {
  const part = (name) => document.getElementById(`list-${name}`);
  const words = JSON.parse(part("words").textContent);
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const FILTERS = ["rule", "severity", "application", "state", "verdict"];
  const SEARCHED = ["reference", "rule", "title", "application", "subject", "person", "entitlement", "reason", "evidence"];
  // What `scanner.report.island` puts in place of texts that the row holds already; no text that is shown can hold them.
  const SUBJECT = "\u0001", PERSON = "\u0002", LABEL = "\u0001", PAIR = "\u0002";
  // Browsers give up on boxes of more than some 17 million pixels: beyond this, the bar moves by shares of the list.
  const TALLEST = 8_000_000;
  const AROUND = 6; // rows drawn beyond both edges, so that fast scrolling shows no gap
  const CHUNK = 4000; // rows prepared for the search at a time, so that no key press waits for it

  // --- data -----------------------------------------------------------------------------------------------------------

  let size = 0;
  const columns = {};

  async function unpack(text) {
    const packed = atob(text);
    const bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // A column comes as a list of cells, or as distinct values and one code a row.
  function column(made) {
    if (Array.isArray(made)) return { at: (row) => made[row] };
    const codes = Uint32Array.from(made.codes);
    return { at: (row) => made.values[codes[row]], values: made.values, codes };
  }

  const cell = (name, row) => columns[name].at(row);
  const reason = (row) =>
    cell("reason", row).replaceAll(SUBJECT, () => cell("subject", row)).replaceAll(PERSON, () => cell("person", row));
  const evidence = (row) => cell("evidence", row).split(PAIR).filter(Boolean).map((one) => one.split(LABEL));
  const word = (group, code) => words[group][code] ?? code;
  const day = (moment) => moment.slice(0, 10);
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, words.thousands);
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // What a column is filtered, grouped and sorted by, as it is shown.
  function shown(name, value) {
    if (name === "rule") return titles.get(value) ?? value;
    if (name === "application") return value || words.no_application;
    return words[name] ? word(name, value) : value;
  }
  const titles = new Map();

  // --- search ---------------------------------------------------------------------------------------------------------

  const texts = []; // row -> everything that the search looks at, in lower case

  function prepare(until) {
    for (let row = texts.length; row < until; row++) {
      const parts = SEARCHED.map((name) => (name === "reason" ? reason(row) : cell(name, row)));
      texts.push(parts.join("\n").toLowerCase());
    }
  }

  function prepareWhenIdle() {
    if (texts.length >= size) return;
    prepare(Math.min(size, texts.length + CHUNK));
    (window.requestIdleCallback ?? setTimeout)(prepareWhenIdle);
  }

  function matching() {
    const tests = [];
    for (const name of FILTERS) {
      const wanted = part(name).value;
      if (wanted === "") continue;
      const { values, codes } = columns[name];
      const code = values.indexOf(values.find((value) => `=${value}` === wanted));
      tests.push((row) => codes[row] === code);
    }
    const terms = part("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length) prepare(size);
    for (const term of terms) tests.push((row) => texts[row].includes(term));
    const found = [];
    rows: for (let row = 0; row < size; row++) {
      for (const test of tests) if (!test(row)) continue rows;
      found.push(row);
    }
    return found;
  }

  // --- order ----------------------------------------------------------------------------------------------------------

  const ranks = {};

  // Position of each row's value among the values of its column; made once, as comparing texts is what takes time.
  function rankOf(name) {
    if (ranks[name]) return ranks[name];
    const source = columns[name];
    const result = new Uint32Array(size);
    if (source.codes) {
      const keyOf = (value) => (name === "severity" ? SEVERITIES.indexOf(value) : shown(name, value).toLowerCase());
      const order = source.values.map((value, code) => [keyOf(value), code]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      const position = new Uint32Array(order.length);
      order.forEach(([, code], n) => (position[code] = n));
      for (let row = 0; row < size; row++) result[row] = position[source.codes[row]];
    } else {
      const keys = Array.from({ length: size }, (_, row) => source.at(row).toLowerCase());
      const order = Array.from(keys.keys()).sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
      order.forEach((row, n) => (result[row] = n));
    }
    return (ranks[name] = result);
  }

  let sortedBy = "severity", descending = false;

  function sort(found) {
    // The island is in order of severity, so that the first view costs nothing.
    if (sortedBy === "severity" && !descending) return found;
    const rank = rankOf(sortedBy), sign = descending ? -1 : 1;
    return found.sort((a, b) => sign * (rank[a] - rank[b]) || a - b);
  }

  // --- lines: rows, and the heads of groups ------------------------------------------------------------------------------

  let hits = [], lines = [], active = 0;
  const closed = new Set(); // heads of groups that are folded
  const selected = new Set(); // rows; they stay selected while the filter changes

  function grouped(found) {
    const by = part("group").value;
    if (by === "") return found;
    const groups = new Map();
    for (const row of found) {
      const value = cell(by, row);
      if (!groups.has(value)) groups.set(value, []);
      groups.get(value).push(row);
    }
    const rank = rankOf(by);
    const heads = [...groups].sort(([, a], [, b]) => rank[a[0]] - rank[b[0]]);
    return heads.flatMap(([value, members]) => {
      const key = `${by}=${value}`, isClosed = closed.has(key);
      const head = { key, isClosed, label: shown(by, value), rows: members };
      return isClosed ? [head] : [head, ...members];
    });
  }

  function regroup() {
    lines = grouped(hits);
    active = Math.max(0, Math.min(active, lines.length - 1));
    const isTree = part("group").value !== "";
    grid.setAttribute("role", isTree ? "treegrid" : "grid");
    grid.setAttribute("aria-rowcount", lines.length + 1);
    draw();
  }

  function refresh() {
    hits = sort(matching());
    active = 0;
    scroller.scrollTop = 0;
    regroup();
    grid.dataset.search = part("search").value;
    tell();
  }

  function tell() {
    const told = fill(words.hits, { n: number(hits.length), total: number(size) });
    part("status").textContent = selected.size ? `${told} ${fill(words.selected, { n: number(selected.size) })}` : told;
    part("none").hidden = hits.length > 0;
    part("export").disabled = selected.size === 0;
    const all = hits.length > 0 && hits.every((row) => selected.has(row));
    part("all").checked = all;
    part("all").indeterminate = !all && selected.size > 0;
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  const scroller = part("scroll"), grid = part("grid"), body = part("rows");
  let lineHeight = 1;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function name(text, className = "id") {
    return make("bdi", text.length < 24 ? `${className} short` : className, text);
  }

  const capacity = () => Math.max(1, Math.floor((scroller.clientHeight - body.offsetTop) / lineHeight));

  // Line at the upper edge, with the part of it that is scrolled away as its fraction.
  function topLine() {
    const full = lines.length * lineHeight;
    if (full <= TALLEST) return scroller.scrollTop / lineHeight;
    return (scroller.scrollTop / (scroller.scrollHeight - scroller.clientHeight)) * (lines.length - capacity());
  }

  function scrollTo(line) {
    const full = lines.length * lineHeight;
    scroller.scrollTop =
      full <= TALLEST
        ? line * lineHeight
        : (line / (lines.length - capacity())) * (scroller.scrollHeight - scroller.clientHeight);
  }

  function draw() {
    lineHeight = parseFloat(getComputedStyle(body).getPropertyValue("--line")) * rem;
    body.style.height = `${Math.min(lines.length * lineHeight, TALLEST)}px`;
    const top = topLine();
    const first = Math.max(0, Math.floor(top) - AROUND);
    const last = Math.min(lines.length, Math.ceil(top) + capacity() + 1 + AROUND);
    const drawn = [];
    for (let n = first; n < last; n++) {
      const line = typeof lines[n] === "number" ? rowLine(lines[n]) : headLine(lines[n]);
      line.id = `list-line-${n}`;
      line.dataset.line = n;
      line.setAttribute("role", "row");
      line.setAttribute("aria-rowindex", n + 2);
      line.style.transform = `translateY(${scroller.scrollTop + (n - top) * lineHeight}px)`;
      if (n === active) line.classList.add("active");
      drawn.push(line);
    }
    body.replaceChildren(...drawn);
    if (lines.length) grid.setAttribute("aria-activedescendant", `list-line-${active}`);
    else grid.removeAttribute("aria-activedescendant");
  }

  function rowLine(row) {
    const line = make("tr", cell("lead", row) ? "lead-row" : "");
    const isSelected = selected.has(row);
    line.setAttribute("aria-selected", isSelected);
    if (part("group").value) line.setAttribute("aria-level", 2);
    const account = make("td", "l-subject");
    const application = cell("application", row);
    if (application) account.append(make("b"), make("br"));
    if (application) account.firstChild.append(make("bdi", "", application));
    account.append(name(cell("subject", row)));
    const person = cell("person", row);
    if (person) account.append(make("br"), name(person, "id person"));
    const found = make("td", "l-found");
    found.append(make("span", "l-title", cell("title", row)), make("span", "l-reason", reason(row)));
    const severity = make("td", "l-severity");
    const code = cell("severity", row);
    severity.append(make("span", `severity severity-${SEVERITIES.includes(code) ? code : "info"}`, word("severity", code)));
    const since = make("td", "l-since", day(cell("first_seen_at", row)));
    since.append(make("br"), make("small", "", [word("state", cell("state", row)), ...undecided(row)].join(" · ")));
    line.append(make("td", "l-check", isSelected ? "☑" : "☐"), make("th", "l-reference code", cell("reference", row)));
    line.append(account, found, severity, since);
    [...line.children].forEach((one) => one.setAttribute("role", one.tagName === "TH" ? "rowheader" : "gridcell"));
    return line;
  }

  const undecided = (row) => (cell("verdict", row) === "fail" ? [] : [word("verdict", cell("verdict", row))]);

  function headLine(head) {
    const line = make("tr", "l-head");
    line.setAttribute("aria-expanded", !head.isClosed);
    line.setAttribute("aria-level", 1);
    const content = make("td", "", `${head.isClosed ? "▸" : "▾"} `);
    content.setAttribute("role", "gridcell");
    content.setAttribute("aria-colspan", 6);
    content.append(make("bdi", "", head.label), ` (${number(head.rows.length)})`);
    line.append(content);
    return line;
  }

  // --- one finding in full ------------------------------------------------------------------------------------------------

  const sheet = part("sheet");

  function open(row) {
    part("sheet-title").textContent = cell("title", row);
    const facts = [
      ["reference", cell("reference", row), "code"],
      ["application", cell("application", row)],
      ["subject", cell("subject", row)],
      ["person", cell("person", row)],
      ["entitlement", cell("entitlement", row)],
      ["reason", reason(row)],
      ["severity", word("severity", cell("severity", row))],
      ["verdict", word("verdict", cell("verdict", row))],
      ["state", word("state", cell("state", row))],
      ["first_seen", day(cell("first_seen_at", row))],
      ["rule", cell("rule", row), "code"],
    ].map(([key, value, kind]) => [words.label[key], value, kind]);
    const told = [...facts, ...evidence(row)].filter(([, value]) => value);
    part("sheet-facts").replaceChildren(
      ...told.map(([label, value, kind]) => {
        const line = make("div");
        const said = make("dd", kind);
        said.append(make("bdi", "", value));
        line.append(make("dt", "", label), said);
        return line;
      }),
    );
    if (!sheet.open) sheet.showModal();
  }

  // From one finding to the next without closing the sheet; heads of groups are passed over.
  function step(by) {
    let n = active + by;
    while (n >= 0 && n < lines.length && typeof lines[n] !== "number") n += by;
    if (n < 0 || n >= lines.length) return;
    activate(n);
    open(lines[n]);
  }

  // --- acting on lines ------------------------------------------------------------------------------------------------

  function activate(n) {
    active = Math.max(0, Math.min(n, lines.length - 1));
    const top = topLine(), room = capacity();
    if (active < top) scrollTo(active);
    else if (active + 1 > top + room) scrollTo(active - room + 1);
    draw();
  }

  function enter(n) {
    const line = lines[n];
    if (line === undefined) return;
    if (typeof line === "number") return open(line);
    if (line.isClosed) closed.delete(line.key);
    else closed.add(line.key);
    regroup();
  }

  function toggle(n) {
    const line = lines[n];
    if (line === undefined) return;
    const rows = typeof line === "number" ? [line] : line.rows;
    const isOn = rows.every((row) => selected.has(row));
    for (const row of rows) isOn ? selected.delete(row) : selected.add(row);
    draw();
    tell();
  }

  function fold(n, isClosed) {
    const line = lines[n];
    if (line !== undefined && typeof line !== "number" && line.isClosed !== isClosed) enter(n);
  }

  function selectHits(isOn) {
    for (const row of hits) isOn ? selected.add(row) : selected.delete(row);
    draw();
    tell();
  }

  const KEYS = {
    ArrowDown: () => activate(active + 1),
    ArrowUp: () => activate(active - 1),
    PageDown: () => activate(active + capacity()),
    PageUp: () => activate(active - capacity()),
    Home: () => activate(0),
    End: () => activate(lines.length - 1),
    ArrowRight: () => fold(active, false),
    ArrowLeft: () => fold(active, true),
    Enter: () => enter(active),
    " ": () => toggle(active),
  };

  // --- export ---------------------------------------------------------------------------------------------------------

  // As `neutral` in scanner/report/tables.py: no spreadsheet may take a cell for a formula.
  function csvCell(text) {
    const kept = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\ud800-\udfff\ufeff]/gu, "");
    const safe = /^[ \n]*[=+\-@\t\uff1d\uff0b\uff0d\uff20]/u.test(kept) ? `'${kept}` : kept;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function exported() {
    const names = Object.keys(columns);
    const line = (row) =>
      names.map((one) => {
        if (one === "reason") return csvCell(reason(row));
        if (one === "evidence") return csvCell(evidence(row).map((pair) => pair.join(": ")).join("; "));
        return csvCell(String(cell(one, row)));
      }).concat(words.origin.map(([, value]) => value));
    const rows = [...selected].sort((a, b) => a - b);
    return `\ufeff${[[...names, ...words.origin.map(([one]) => one)], ...rows.map(line)].map((cells) => cells.join(",")).join("\r\n")}\r\n`;
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([exported()], { type: "text/csv" }));
    // The name says which report and which privacy profile the rows are from.
    link.download = `${words.report_id}-selected.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // --- start ----------------------------------------------------------------------------------------------------------

  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);

  function choices(name) {
    const { values } = columns[name];
    const order = rankOf(name);
    const first = new Map();
    for (let row = 0; row < size; row++) if (!first.has(columns[name].codes[row])) first.set(columns[name].codes[row], order[row]);
    const options = values.map((value, code) => [first.get(code), value]).sort(([a], [b]) => a - b);
    for (const [, value] of options) {
      const option = make("option", "", shown(name, value));
      // The sign keeps the value of findings without application apart from "all".
      option.value = `=${value}`;
      part(name).append(option);
    }
  }

  function listen() {
    let waiting = 0;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(refresh, 60);
    };
    part("search").addEventListener("input", soon);
    for (const one of FILTERS) part(one).addEventListener("change", refresh);
    part("group").addEventListener("change", () => {
      closed.clear();
      refresh();
    });
    part("sort").addEventListener("change", () => sortBy(part("sort").value, false));
    part("form").addEventListener("submit", (event) => event.preventDefault());
    part("form").addEventListener("reset", () => setTimeout(() => {
      closed.clear();
      sortBy("severity", false);
    }));
    part("export").addEventListener("click", save);
    part("all").addEventListener("change", () => selectHits(part("all").checked));
    for (const button of grid.querySelectorAll("button[data-sort]")) {
      button.addEventListener("click", () => sortBy(button.dataset.sort, sortedBy === button.dataset.sort && !descending));
    }
    grid.addEventListener("keydown", (event) => {
      if (event.target !== grid || event.altKey || event.metaKey) return;
      if (event.ctrlKey) {
        if (event.key.toLowerCase() !== "a") return;
        event.preventDefault();
        selectHits(true);
      } else if (KEYS[event.key]) {
        event.preventDefault();
        KEYS[event.key]();
      }
    });
    body.addEventListener("click", (event) => {
      const line = event.target.closest("[data-line]");
      if (!line || String(getSelection())) return; // somebody marks text
      const n = Number(line.dataset.line);
      activate(n);
      if (event.target.closest(".l-check")) toggle(n);
      else enter(n);
    });
    let drawing = 0;
    const redraw = () => {
      cancelAnimationFrame(drawing);
      drawing = requestAnimationFrame(draw);
    };
    scroller.addEventListener("scroll", redraw, { passive: true });
    new ResizeObserver(redraw).observe(scroller);
    part("previous").addEventListener("click", () => step(-1));
    part("next").addEventListener("click", () => step(1));
    part("close").addEventListener("click", () => sheet.close());
    sheet.addEventListener("close", () => grid.focus());
    // From the printed findings of a rule to all of them.
    for (const link of document.querySelectorAll("a[data-list-rule]")) {
      link.addEventListener("click", () => {
        part("form").reset();
        part("rule").value = `=${link.dataset.listRule}`;
      });
    }
  }

  function sortBy(name, isDown) {
    sortedBy = name;
    descending = isDown;
    part("sort").value = name;
    for (const button of grid.querySelectorAll("button[data-sort]")) {
      const head = button.closest("th");
      if (button.dataset.sort === name) head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    refresh();
  }

  async function start() {
    const document_ = await unpack(part("data").textContent);
    size = document_.rows;
    for (const [name_, made] of Object.entries(document_.columns)) columns[name_] = column(made);
    for (let row = 0; row < size; row++) titles.set(cell("rule", row), cell("title", row));
    FILTERS.forEach(choices);
    part("tool").hidden = false;
    part("plain").hidden = true;
    listen();
    sortBy("severity", false);
    prepareWhenIdle();
    grid.dataset.ready = "yes";
  }

  // Without the stream (browsers before 2023) the sentence for readers without script stays, and says where the list is.
  if ("DecompressionStream" in window) start().catch(() => (part("plain").hidden = false));
})();
