"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const slos = data.slos.map((slo) => ({ ...slo, tiers: data.tiers[slo.tiers], spec: data.specs[slo.spec] }));
  const BATCH = 200;
  const byId = (id) => document.getElementById(id);

  // Elements and texts: whatever a spec holds stays text.
  const el = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };
  const svg = (name, attributes, ...children) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // Numbers as people write them.
  const rounded = (number, digits) => String(Number(number.toFixed(digits)));
  const grouped = (number) => rounded(number, number >= 100 ? 0 : 2).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, " ");
  const percent = (ratio) => {
    const shown = ratio * 100;
    return `${shown !== 0 && Math.abs(shown) < 0.01 ? Number(shown.toPrecision(2)) : rounded(shown, 2)}%`;
  };
  const exactPercent = (ratio) => `${Number((ratio * 100).toPrecision(12))}%`;
  const duration = (seconds) => {
    if (seconds === 0) return "0s";
    if (seconds < 1) return `${rounded(seconds * 1000, 3)}ms`;
    if (seconds < 60) return `${rounded(seconds, 3)}s`;
    let rest = Math.round(seconds);
    const parts = [];
    for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
      const count = Math.floor(rest / length);
      rest -= count * length;
      if (count) parts.push(`${count}${unit}`);
    }
    return parts.slice(0, 3).join(" ");
  };
  const minutes = (seconds) => (seconds >= 60 ? `${grouped(seconds / 60)} min` : `${rounded(seconds, 1)} s`);
  const one = (counts) => counts.replace(/s$/, "");
  const safe = (url) => (/^https?:\/\//i.test(url) ? url : null);
  const link = (url, text) => (url && safe(url) ? el("a", { href: safe(url), rel: "noopener noreferrer" }, text) : null);

  const promiseOf = (slo) => {
    if (slo.promised === null) return { lead: slo.title, subs: [] };
    const differs = slo.measured !== null && slo.measured !== slo.promised;
    return {
      lead: `≤ ${duration(slo.promised).replaceAll(" ", "\u00a0")}`,
      subs: [slo.title, ...(differs ? [`measured at ${duration(slo.measured)}`] : [])],
    };
  };
  // `page` and `ticket` have colours; a severity may be called otherwise.
  const tone = (alert) => (/Page$/.test(alert.alert) ? "page" : "ticket");
  const chip = (text, kind) => el("span", { class: `chip ${kind}` }, text);
  const severities = (slo) => {
    const counts = new Map();
    for (const tier of slo.tiers) {
      const key = `${tone(tier)}\n${tier.severity}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([key, count]) => {
      const [kind, severity] = key.split("\n");
      return chip(count > 1 ? `${count} × ${severity}` : severity, kind);
    });
  };
  const alertsCell = (slo) => {
    const found = severities(slo);
    return found.length ? found : [el("span", { class: "muted" }, slo.exhausted ? "on the budget" : "recorded only")];
  };

  // The columns of the table: how a row shows each, and what it is sorted by.
  const columns = [
    { key: "slo", title: "SLO", value: (slo) => slo.slo },
    { key: "service", title: "Service", value: (slo) => slo.spec.service, cell: (slo) => [slo.spec.service] },
    { key: "model", title: "Model", value: (slo) => slo.model ?? "", cell: (slo) => [slo.model ?? "–"] },
    { key: "class", title: "Class", value: (slo) => slo.experienceClass ?? "", cell: (slo) => [slo.experienceClass ?? "–"] },
    {
      key: "promise",
      title: "Promise",
      value: (slo) => slo.promised ?? Infinity,
      cell: (slo) => {
        const { lead, subs } = promiseOf(slo);
        const target = el("span", { class: "sub only-narrow" }, `target ${exactPercent(slo.target)}`);
        return [lead, ...subs.map((sub) => el("span", { class: "sub" }, sub)), target];
      },
    },
    { key: "target", title: "Target", right: true, value: (slo) => slo.target, cell: (slo) => [exactPercent(slo.target)] },
    {
      key: "budget",
      title: "Budget",
      right: true,
      value: (slo) => slo.budget.seconds,
      cell: (slo) => [minutes(slo.budget.seconds), el("span", { class: "sub" }, `of ${duration(slo.period)}`)],
    },
    { key: "alerts", title: "Alerts", value: (slo) => slo.tiers.length, cell: alertsCell },
  ];
  const columnOf = new Map(columns.map((column) => [column.key, column]));
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const haystacks = new Map(
    slos.map((slo) => [
      slo,
      [
        slo.sloId, slo.slo, slo.sli, slo.title, slo.promise, slo.model, slo.endpoint, slo.engine, slo.useCase, slo.experienceClass,
        slo.team, slo.stage, slo.spec.spec, slo.spec.path, slo.spec.displayName, slo.spec.description,
        ...Object.entries(slo.spec.labels).map(([key, value]) => `${key}=${value}`),
        ...slo.spec.waivers.map((waiver) => waiver.code),
      ].filter(Boolean).join("\n").toLowerCase(),
    ]),
  );

  const filters = {
    service: (slo) => slo.spec.service,
    model: (slo) => slo.model ?? "",
    class: (slo) => slo.experienceClass ?? "",
  };
  const state = { sort: "service", down: false, shown: BATCH, open: new Set() };

  const matching = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = Object.entries(filters).filter(([id]) => byId(id).value);
    const { value } = columnOf.get(state.sort);
    const sign = state.down ? -1 : 1;
    return slos
      .filter((slo) => words.every((word) => haystacks.get(slo).includes(word)))
      .filter((slo) => asked.every(([id, of]) => of(slo) === byId(id).value))
      .sort((a, b) => sign * compare(value(a), value(b)) || compare(a.sloId, b.sloId));
  };

  // A row, and under it the details of an SLO that is open.
  const detailsId = (slo) => `details-${slos.indexOf(slo)}`;
  const row = (slo) => {
    const open = state.open.has(slo.sloId);
    const button = el(
      "button",
      { type: "button", "aria-expanded": String(open), "aria-controls": open ? detailsId(slo) : undefined, onclick: () => toggle(slo) },
      slo.slo,
    );
    const narrow = [slo.spec.service, slo.model].filter(Boolean).join(" · ");
    const head = el(
      "th",
      { scope: "row" },
      button,
      el("span", { class: "sub" }, slo.spec.waivers.length ? chip("waiver", "waiver") : null, slo.sli),
      el("span", { class: "sub only-narrow" }, narrow),
    );
    const cells = columns.slice(1).map((column) =>
      el("td", { class: `column-${column.key}${column.right ? " right number" : ""}` }, ...column.cell(slo)),
    );
    return el("tr", { class: open ? "slo open" : "slo", "data-slo": slo.sloId }, head, ...cells);
  };
  const detailsRow = (slo) =>
    el("tr", { class: "details", id: detailsId(slo) }, el("td", { colspan: columns.length }, details(slo)));

  const toggle = (slo) => {
    if (state.open.has(slo.sloId)) state.open.delete(slo.sloId);
    else state.open.add(slo.sloId);
    const old = rowOf(slo);
    const focused = old.contains(document.activeElement);
    if (old.nextElementSibling?.className === "details") old.nextElementSibling.remove();
    const fresh = row(slo);
    old.replaceWith(fresh);
    if (state.open.has(slo.sloId)) fresh.after(detailsRow(slo));
    if (focused) fresh.querySelector("button").focus();
  };
  const rowOf = (slo) => [...byId("rows").children].find((found) => found.dataset.slo === slo.sloId);

  const render = () => {
    const found = matching();
    const shown = found.slice(0, state.shown);
    const rows = shown.flatMap((slo) => (state.open.has(slo.sloId) ? [row(slo), detailsRow(slo)] : [row(slo)]));
    const none = el("tr", { class: "none" }, el("td", { colspan: columns.length }, "No SLO matches. Reset the filters to see all."));
    byId("rows").replaceChildren(...(rows.length ? rows : [none]));
    const more = Math.min(BATCH, found.length - shown.length);
    byId("more").hidden = more <= 0;
    byId("more").textContent = `Show ${more} more`;
    const first = shown.length < found.length ? `, the first ${grouped(shown.length)} shown` : "";
    byId("count").textContent = `${grouped(found.length)} of ${grouped(slos.length)} SLO${slos.length === 1 ? "" : "s"}${first}`;
    for (const head of byId("heads").children) {
      const sorted = head.dataset.column === state.sort;
      if (sorted) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    byId("order").value = state.sort;
  };
  const refresh = () => {
    state.shown = BATCH;
    render();
  };

  const sortBy = (key) => {
    state.down = state.sort === key && !state.down;
    state.sort = key;
    refresh();
  };

  // What is known of one SLO.
  const card = (title, size, ...children) => el("section", { class: `card ${size}` }, el("h3", {}, title), ...children);
  const facts = (pairs) =>
    el("dl", {}, ...pairs.filter(([, text]) => text).flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)]));
  const table = (caption, heads, rows) =>
    el(
      "table",
      {},
      el("caption", { class: "hidden" }, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows),
    );
  const cells = (head, ...rest) => [el("th", { scope: "row" }, ...head), ...rest.map((part) => el("td", {}, ...[part].flat()))];

  const details = (slo) => {
    const { spec } = slo;
    const links = [
      link(slo.links.runbook, "Runbook"),
      link(slo.links.dashboard, "Dashboard"),
      link(spec.url, "Spec"),
      el("a", { href: `#${encodeURIComponent(slo.sloId)}` }, "Link to this SLO"),
    ];
    return el(
      "div",
      { class: "cards", role: "group", "aria-label": `Details of ${slo.slo}` },
      card("Promise", "two-thirds", el("p", { class: "lead" }, slo.promise), spec.description ? el("p", { class: "muted" }, spec.description) : null, identity(slo), el("p", { class: "links" }, ...links)),
      card(`Error budget of ${duration(slo.period)}`, "third", ...budget(slo)),
      card("Alerts", "half", ...alertTable(slo)),
      card("Where the numbers come from", "half", ...origins(slo)),
      spec.waivers.length ? card("Waivers", "", waivers(spec)) : null,
      card("Burn rate explorer", "", explorer(slo)),
    );
  };
  const identity = (slo) =>
    facts([
      ["Name", slo.spec.displayName],
      ["SLO", slo.sloId],
      ["Model", [slo.model, slo.endpoint].filter(Boolean).join("  ")],
      ["Engine", slo.engine],
      ["Class", [slo.experienceClass, slo.useCase].filter(Boolean).join(", ")],
      ["One per", slo.groupBy && slo.groupBy.labels.join(", ")],
      ["Stage", slo.stage],
      ["Labels", Object.entries(slo.spec.labels).map(([key, value]) => `${key}=${value}`).join(", ")],
      ["Spec", slo.spec.path],
    ]);
  const budget = (slo) => {
    const { ratio, seconds, events, eventsPerHour } = slo.budget;
    return [
      el("p", { class: "big" }, minutes(seconds)),
      el("p", { class: "muted small" }, `of total failure (${duration(seconds)}), ${percent(ratio)} of ${duration(slo.period)}`),
      events === null
        ? el("p", { class: "muted small" }, `The spec does not say its traffic, so the budget has no number of ${slo.counts}.`)
        : el("p", {}, `${grouped(events)} bad ${slo.counts}`, el("span", { class: "sub" }, `at ${grouped(eventsPerHour)} an hour`)),
    ];
  };
  const alertTable = (slo) => {
    if (!slo.tiers.length) return [el("p", { class: "muted" }, slo.exhausted ? "No burn rate alerts; that the whole budget is spent does." : "Recorded and shown; nothing alerts.")];
    const rows = slo.tiers.map((tier) => {
      const words = `${duration(tier.longWindow)} and ${duration(tier.shortWindow)} · more than ${tier.minBadEvents} bad · blind up to ${grouped(tier.blindAtEventsPerHour)} ${slo.counts}/h`;
      return el(
        "tr",
        {},
        ...cells(
          [chip(tier.severity, tone(tier)), tier.name, el("span", { class: "sub" }, words)],
          percent(tier.errorRatio),
          duration(tier.detection),
          percent(tier.budgetSpent),
        ),
      );
    });
    return [
      table(`Alerts of ${slo.slo}`, ["Alert", "Bad over", "Found after", "Spent"], rows),
      el("p", { class: "muted small note" }, "Found after, and spent of the budget by then: where all events are bad."),
    ];
  };
  const origins = (slo) => [
    table(
      `Where the numbers of ${slo.slo} come from`,
      ["Number", "Value", "From"],
      slo.provenance.map((item) => el("tr", {}, ...cells([item.field], item.text, item.origin))),
    ),
  ];
  const waivers = (spec) =>
    table(
      `Waivers of ${spec.spec}`,
      ["Code", "Until", "Reason"],
      spec.waivers.map((waiver) => el("tr", {}, ...cells([chip(waiver.code, "waiver")], waiver.until, waiver.reason))),
    );

  // The explorer: an error ratio for a time, at a traffic.
  const LASTING = [["5 minutes", 300], ["10 minutes", 600], ["30 minutes", 1800], ["1 hour", 3600], ["3 hours", 10800], ["6 hours", 21600], ["1 day", 86400], ["3 days", 259200], ["7 days", 604800], ["28 days", 2419200]];
  const SLIDER = { steps: 400, decades: 4 };
  const ofSlider = (position) => {
    const exact = 100 * 10 ** ((SLIDER.decades * (position - SLIDER.steps)) / SLIDER.steps);
    return Math.min(100, Number(exact.toPrecision(2)));
  };
  const toSlider = (shown) => Math.max(0, Math.round(SLIDER.steps + (Math.log10(shown / 100) * SLIDER.steps) / SLIDER.decades));

  const explorer = (slo) => {
    const start = Math.min(100, Number((slo.tiers.length ? Math.min(1, 1.25 * slo.tiers[0].errorRatio) * 100 : 30).toPrecision(2)));
    const slider = el("input", { type: "range", min: 0, max: SLIDER.steps, step: 1, value: toSlider(start), "aria-label": "Share of bad events", "aria-valuetext": `${start}%` });
    const number = el("input", { type: "number", class: "ratio", min: 0.0001, max: 100, step: "any", value: start });
    const lasting = el("select", { class: "lasting" }, ...LASTING.map(([text, seconds]) => el("option", { value: seconds, selected: seconds === 3600 }, text)));
    const perHour = slo.slice === undefined && slo.budget.eventsPerHour !== null ? slo.budget.eventsPerHour / slo.budget.eventsPerRequest : "";
    const traffic = el("input", { type: "number", class: "traffic", min: 0, step: "any", placeholder: "high", value: perHour, disabled: slo.slice !== undefined });
    const said = el("p", { class: "outcome", role: "status", "aria-live": "polite" });
    const body = el("div", {});
    const picture = el("div", {});
    const update = () => {
      const ratio = Number((Number(number.value) / 100).toPrecision(12));
      const rate = traffic.value === "" ? null : Number(traffic.value);
      const wrong = !(ratio > 0 && ratio <= 1) || !(rate === null || rate > 0);
      if (wrong) {
        said.textContent = "Give a share over 0 and up to 100%, and a traffic over 0 or none.";
        body.replaceChildren();
        return;
      }
      const outcome = burn.simulate(slo, ratio, Number(lasting.value), rate);
      said.textContent = sentence(outcome, ratio, lasting.selectedOptions[0].textContent);
      body.replaceChildren(outcomeTable(slo, outcome, Number(lasting.value)));
      picture.replaceChildren(...chart(slo, ratio));
    };
    slider.addEventListener("input", () => {
      number.value = ofSlider(Number(slider.value));
      slider.setAttribute("aria-valuetext", `${number.value}%`);
      update();
    });
    number.addEventListener("input", () => {
      if (Number(number.value) > 0) slider.value = toSlider(Number(number.value));
      slider.setAttribute("aria-valuetext", `${number.value}%`);
      update();
    });
    lasting.addEventListener("input", update);
    traffic.addEventListener("input", update);
    update();
    const controls = el(
      "div",
      { class: "controls" },
      el("div", { class: "all" }, slider),
      el("label", {}, "Bad events in %", number),
      el("label", {}, "Lasting", lasting),
      el("label", {}, "Requests an hour", traffic),
      el("div", { class: "all" }, picture),
    );
    return el("div", { class: "explorer" }, controls, el("div", {}, said, body));
  };
  const sentence = (outcome, ratio, lasting) => {
    const first = outcome.alerts.filter((alert) => alert.episodes.length).sort((a, b) => a.episodes[0].fires - b.episodes[0].fires)[0];
    const what = first
      ? `${first.tier ? first.tier.name : "the whole budget"} alerts first (${first.severity}) after ${duration(first.episodes[0].fires)}`
      : "nothing alerts";
    return `${percent(ratio)} bad for ${lasting}: ${what}; ${percent(outcome.spent)} of the budget is spent at the end.`;
  };
  const why = (never, slo) => {
    const { reason, reached, needed } = never;
    const over = `${percent(reached)}, needs over ${percent(needed)}`;
    return {
      "error-ratio": `no: ${over}`,
      "long-window": `too short: the long window reaches ${over}`,
      "short-window": `the short window has ${over}`,
      guard: `too few: ${grouped(reached)} bad ${reached === 1 ? one(slo.counts) : slo.counts}, needs over ${needed}`,
      for: `holds for ${duration(reached)}, needs ${duration(needed)}`,
      budget: `no: ${percent(reached)} of the budget is spent`,
    }[reason];
  };
  const outcomeTable = (slo, outcome, lasting) => {
    const rows = outcome.alerts.map((alert) => {
      const [episode] = alert.episodes;
      const head = [chip(alert.severity, tone(alert)), alert.tier ? alert.tier.name : "whole budget"];
      if (!episode) return el("tr", {}, el("th", { scope: "row" }, ...head), el("td", { colspan: 3, class: "muted" }, why(alert.never, slo)));
      const after = alert.episodes.at(-1).clears - lasting;
      const clears = after >= 0 ? `${duration(after)} after the end` : `${duration(-after)} before the end`;
      const made = el("tr", { class: "fires" }, ...cells(head, duration(episode.fires), percent(episode.budgetSpent), clears));
      made.dataset.fires = episode.fires;
      return made;
    });
    return table("What alerts", ["Alert", "Fires after", "Spent by then", "Clears"], rows);
  };

  // Time to detection by error ratio, both logarithmic: each tier is a line from its ratio to a total failure.
  const chart = (slo, ratio) => {
    const tiers = slo.tiers.filter((tier) => tier.errorRatio < 1);
    if (!tiers.length) return [];
    const [width, height, left, right, top, bottom] = [420, 190, 40, 10, 10, 24];
    const times = [60, 600, 3600, 21600, 86400, 604800];
    const slowest = Math.max(...tiers.map((tier) => tier.longWindow));
    const quickest = Math.min(...tiers.map((tier) => tier.detection || 1));
    const low = times.filter((time) => time <= quickest).at(-1) ?? 1;
    const [t0, t1] = [Math.log(low), Math.log(slowest * 1.2)];
    const decades = Math.max(1, Math.ceil(-Math.log10(Math.min(...tiers.map((tier) => tier.errorRatio))) + 0.3));
    const least = 10 ** -decades;
    const x = (share) => left + (Math.log10(share) / decades + 1) * (width - left - right);
    const y = (time) => height - bottom - ((Math.log(time) - t0) / (t1 - t0)) * (height - top - bottom);
    const parts = [];
    for (let decade = -decades; decade <= 0; decade += 1) {
      const share = 10 ** decade;
      parts.push(svg("line", { class: "grid", x1: x(share), x2: x(share), y1: top, y2: height - bottom }));
      parts.push(svg("text", { x: x(share), y: height - 7, "text-anchor": decade === 0 ? "end" : "middle" }, percent(share)));
    }
    for (const time of times.filter((found) => found >= low && found <= slowest * 1.2)) {
      parts.push(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(time), y2: y(time) }));
      parts.push(svg("text", { x: left - 5, y: y(time) + 4, "text-anchor": "end" }, duration(time)));
    }
    for (const tier of tiers) {
      const [start, end] = [x(tier.errorRatio), y(Math.max(tier.detection, low))];
      parts.push(svg("line", { class: `tier ${tone(tier)}`, x1: start, y1: y(tier.longWindow), x2: x(1), y2: end }));
      parts.push(svg("text", { x: start - 5, y: y(tier.longWindow) + 4, "text-anchor": "end" }, tier.name));
    }
    if (ratio >= least) parts.push(svg("line", { class: "now", x1: x(ratio), x2: x(ratio), y1: top, y2: height - bottom }));
    const title = `Time until each burn rate alert finds an error ratio, from ${percent(least)} to 100%`;
    return [
      svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, ...parts),
      el("p", { class: "muted small" }, "Time to detection by share of bad events; pages solid, tickets dashed."),
    ];
  };

  // Light or dark: as the system has it, until somebody says otherwise.
  const theme = () => {
    const remembered = () => {
      try {
        return localStorage.getItem("theme");
      } catch {
        return null; // a page that was opened as a file may have no storage
      }
    };
    const system = matchMedia("(prefers-color-scheme: dark)");
    const root = document.documentElement;
    const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    const tell = () => byId("theme").setAttribute("aria-pressed", String(isDark()));
    const chosen = remembered();
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    tell();
    system.addEventListener("change", tell);
    byId("theme").addEventListener("click", () => {
      const next = isDark() ? "light" : "dark";
      root.dataset.theme = next;
      tell();
      try {
        localStorage.setItem("theme", next);
      } catch {
        // then the choice lasts as long as the page
      }
    });
  };

  // `#service/slo` opens that SLO.
  const follow = () => {
    let wanted = "";
    try {
      wanted = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    const slo = slos.find((found) => found.sloId === wanted);
    if (slo === undefined) return;
    state.open.add(slo.sloId);
    if (!matching().includes(slo)) byId("filters").reset();
    state.shown = Math.max(state.shown, matching().indexOf(slo) + 1);
    render();
    rowOf(slo).scrollIntoView();
    rowOf(slo).querySelector("button").focus({ preventScroll: true });
  };

  const start = () => {
    theme();
    for (const column of columns) {
      const head = el("th", { scope: "col", class: `column-${column.key}${column.right ? " right" : ""}` });
      head.dataset.column = column.key;
      head.append(el("button", { type: "button", onclick: () => sortBy(column.key) }, column.title));
      byId("heads").append(head);
      byId("order").append(el("option", { value: column.key }, column.title.toLowerCase()));
    }
    for (const [id, of] of Object.entries(filters)) {
      const values = [...new Set(slos.map(of))].filter(Boolean).sort();
      byId(id).append(...values.map((value) => el("option", { value }, value)));
      byId(id).addEventListener("input", refresh);
    }
    const count = (of) => new Set(slos.map(of).filter(Boolean)).size;
    const plural = (number, word) => `${grouped(number)} ${word}${number === 1 ? "" : "s"}`;
    const waived = Object.values(data.specs).reduce((sum, spec) => sum + spec.waivers.length, 0);
    byId("summary").textContent = [
      plural(slos.length, "SLO"), plural(count(filters.service), "service"), plural(count(filters.model), "model"),
      ...(waived ? [plural(waived, "waiver")] : []),
    ].join(" · ");
    byId("search").addEventListener("input", refresh);
    byId("order").addEventListener("input", () => {
      [state.sort, state.down] = [byId("order").value, false];
      refresh();
    });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", () => setTimeout(refresh));
    byId("more").addEventListener("click", () => {
      const before = state.shown;
      state.shown += BATCH;
      render();
      byId("rows").querySelectorAll("tr.slo")[before]?.querySelector("button").focus();
    });
    addEventListener("hashchange", follow);
    render();
    follow();
  };
  start();
})();
