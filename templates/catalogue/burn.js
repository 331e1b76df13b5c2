"use strict";

// What `slo-compiler simulate` does, for one stretch of bad events: the rules' own tiles, windows, guards and clocks,
// evaluation by evaluation. Counts are whole numbers of parts: `scale` parts are a second of total failure.
// Mirrors slo_compiler/analysis/simulate.py; the tests compare the two.

const burn = (() => {
  // A number as the fraction that its decimal text says.
  const fraction = (number) => {
    const [digits, exponent = "0"] = String(number).split("e");
    const [whole, decimals = ""] = digits.split(".");
    const shift = Number(exponent) - decimals.length;
    const top = BigInt(whole + decimals);
    return shift >= 0 ? [top * 10n ** BigInt(shift), 1n] : [top, 10n ** BigInt(-shift)];
  };
  const times = ([a, b], [c, d]) => [a * c, b * d];
  const floor = ([a, b]) => Number(a / b);
  const value = ([a, b]) => Number(a) / Number(b);

  // The bad events of a course: this share, from 0 to `end` seconds.
  const course = (ratio, end) => {
    const [share, scale] = fraction(ratio);
    const part = Number(share);
    return { end, ratio, scale, until: (seconds) => part * Math.min(Math.max(seconds, 0), end) };
  };

  // The bad events of the last so many tiles at each evaluation.
  const windowSums = (bad, step, lag, evaluations, seconds) => {
    const found = new Array(evaluations);
    for (let index = 0; index < evaluations; index += 1) {
      const now = index * step - lag;
      found[index] = bad.until(now) - bad.until(now - seconds);
    }
    return found;
  };

  // Prometheus's state machine of an alerting rule: the evaluations at which it fires and is clear again.
  const episodes = (active, hold, keep, step) => {
    const found = [];
    let state = "";
    let since = 0;
    let keptSince = -1;
    let fires = -1;
    active.forEach((holds, index) => {
      const now = index * step;
      if (holds) {
        keptSince = -1;
        if (state === "") [state, since] = ["pending", now];
        if (state === "pending" && now - since >= hold) [state, fires] = ["firing", now];
      } else if (state === "pending") {
        state = "";
      } else if (state === "firing") {
        keptSince = keptSince < 0 ? now : keptSince;
        if (keep === 0 || now - keptSince >= keep) {
          found.push({ fires, clears: now });
          [state, keptSince] = ["", -1];
        }
      }
    });
    return found;
  };

  const longestRun = (active, step) => {
    let best = 0;
    let run = 0;
    for (const holds of active) {
      run = holds ? run + 1 : 0;
      best = Math.max(best, run);
    }
    return (best - 1) * step;
  };

  // Events per second as a fraction; null where traffic is so high that guards do not matter.
  const eventsPerSecond = (slo, requestsPerHour) => {
    if (slo.slice !== undefined) {
      const [top, bottom] = fraction(slo.slice);
      return [bottom, top];
    }
    if (requestsPerHour === null) return null;
    const [top, bottom] = times(fraction(requestsPerHour), fraction(slo.budget.eventsPerRequest));
    return [top, bottom * 3600n];
  };

  const simulate = (slo, ratio, seconds, requestsPerHour) => {
    const bad = course(ratio, seconds);
    const events = eventsPerSecond(slo, requestsPerHour);
    const { fast, slow } = slo.steps;
    const budget = fraction(slo.budget.ratio);
    const whole = times(times(budget, fraction(slo.period)), [bad.scale, 1n]);
    const lagOf = (level) => (slo.slice !== undefined && level === "slow" ? fast : 0);
    const spent = (now) => (bad.until(now) - bad.until(Math.max(now - slo.period, 0))) / value(whole);
    const tail = Math.max(0, ...slo.tiers.map((tier) => tier.shortWindow + tier.keepFiringFor));
    const withSpent = (found) => found.map((one) => ({ ...one, budgetSpent: spent(one.fires) }));

    const sums = (level, window) => {
      const step = slo.steps[level];
      const evaluations = Math.floor((bad.end + Math.floor(tail) + 4 * slow) / step);
      return windowSums(bad, step, lagOf(level), evaluations, window);
    };
    const ofTier = (tier) => {
      const step = slo.steps[tier.levels.long];
      const shortStep = slo.steps[tier.levels.short];
      const needed = times(fraction(tier.factor), budget);
      const limit = (window) => floor(times(times(needed, fraction(window)), [bad.scale, 1n]));
      const [longLimit, shortLimit] = [limit(tier.longWindow), limit(tier.shortWindow)];
      const guard = events === null ? -1 : floor([BigInt(tier.minBadEvents) * bad.scale * events[1], events[0]]);
      const long = sums(tier.levels.long, tier.longWindow);
      const newest = sums(tier.levels.short, tier.shortWindow);
      const short = long.map((_, index) => newest[Math.floor((index * step) / shortStep)]);
      const burning = long.map((parts, index) => parts > longLimit && short[index] > shortLimit);
      const active = burning.map((burns, index) => burns && long[index] > guard);
      const found = withSpent(episodes(active, tier.for, tier.keepFiringFor, step));
      const share = (parts, window) => parts / (window * Number(bad.scale));
      const never = () => {
        const over = value(needed);
        if (ratio <= over) return { reason: "error-ratio", reached: ratio, needed: over };
        if (active.includes(true)) return { reason: "for", reached: longestRun(active, step), needed: tier.for };
        if (burning.includes(true)) {
          const most = maximum(long.filter((_, index) => burning[index]));
          return { reason: "guard", reached: (most * value(events)) / Number(bad.scale), needed: tier.minBadEvents };
        }
        const shorts = short.filter((_, index) => long[index] > longLimit);
        return shorts.length
          ? { reason: "short-window", reached: share(maximum(shorts), tier.shortWindow), needed: over }
          : { reason: "long-window", reached: share(maximum(long), tier.longWindow), needed: over };
      };
      return { alert: tier.alert, severity: tier.severity, tier, episodes: found, never: found.length ? null : never() };
    };
    const ofBudget = (alert) => {
      const limit = floor(whole);
      const total = bad.until(bad.end);
      let active = [];
      let most = total;
      if (total > limit) {
        const evaluations = Math.floor((bad.end + slo.period) / slow) + 4;
        const parts = windowSums(bad, slow, lagOf("slow"), evaluations, slo.period);
        most = maximum(parts);
        active = parts.map((sum) => sum > limit);
      }
      const found = withSpent(episodes(active, alert.for, alert.keepFiringFor, slow));
      const never = () =>
        active.includes(true)
          ? { reason: "for", reached: longestRun(active, slow), needed: alert.for }
          : { reason: "budget", reached: most / value(whole), needed: 1 };
      return { ...alert, tier: null, episodes: found, never: found.length ? null : never() };
    };
    return {
      spent: spent(bad.end),
      alerts: [...slo.tiers.map(ofTier), ...(slo.exhausted === undefined ? [] : [ofBudget(slo.exhausted)])],
    };
  };

  // Of lists that are too long to be arguments.
  const maximum = (numbers) => numbers.reduce((most, number) => Math.max(most, number), 0);

  return { simulate };
})();
