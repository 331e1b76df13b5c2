// Asks a Prometheus for what the targets of a panel want, as Grafana's own data source would.
import { FieldType, toDataFrame } from '@grafana/data';

const POINTS = 400;

/** `{__name__="x",a="b"}` by the target's legend format; the labels themselves where there is none. */
function named(format, labels) {
  if (format && format !== '__auto') {
    return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '');
  }
  const own = Object.entries(labels).filter(([label]) => label !== '__name__');
  return `${labels.__name__ ?? ''}{${own.map(([label, value]) => `${label}="${value}"`).join(', ')}}`;
}

function asked(expr, range) {
  const rate = `${Math.max(range.rate, 4)}s`;
  return expr
    .replaceAll('$__rate_interval', rate)
    .replaceAll('$__range_s', `${range.to - range.from}`)
    .replaceAll('$__range', `${range.to - range.from}s`)
    .replaceAll('$__interval', `${range.step}s`);
}

async function api(base, path, parameters) {
  const answer = await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (body.status !== 'success') {
    throw new Error(`${parameters.query}: ${body.error}`);
  }
  return body.data.result;
}

function tableFrame(target, series) {
  const labels = [...new Set(series.flatMap((item) => Object.keys(item.metric)))].filter((name) => name !== '__name__');
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map((item) => item.value[0] * 1000) },
      ...labels.map((name) => ({ name, type: FieldType.string, values: series.map((item) => item.metric[name] ?? '') })),
      { name: `Value #${target.refId}`, type: FieldType.number, values: series.map((item) => Number(item.value[1])) },
    ],
  });
}

/** The frames of one target: a table, one frame of instant values each, or one frame for each series. */
export async function framesOf(target, config) {
  const step = Math.max(1, Math.round((config.to - config.from) / POINTS));
  const range = { ...config, step };
  const query = asked(target.expr, range);
  if (target.instant) {
    const series = await api(config.prometheus, 'query', { query, time: config.to });
    if (target.format === 'table') {
      return series.length ? [tableFrame(target, series)] : [];
    }
    return series.map((item) => frame(target, item.metric, [item.value]));
  }
  const series = await api(config.prometheus, 'query_range', { query, start: config.from, end: config.to, step });
  return series.map((item) => frame(target, item.metric, gapped(item.values, step)));
}

/** Times without a sample are gaps, not lines. */
function gapped(values, step) {
  const found = [];
  for (const [time, value] of values) {
    const last = found.at(-1);
    if (last && time - last[0] > step * 1.5) {
      found.push([last[0] + step, 'NaN']);
    }
    found.push([time, value]);
  }
  return found;
}

function frame(target, labels, values) {
  const name = named(target.legendFormat, labels);
  const numbers = values.map(([, value]) => (value === 'NaN' ? null : Number(value)));
  return toDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: values.map(([time]) => time * 1000) },
      { name: 'Value', type: FieldType.number, labels, values: numbers, config: { displayNameFromDS: name } },
    ],
  });
}
