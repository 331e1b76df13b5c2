// Draws the panels of a classic dashboard with Grafana's published components.
import {
  FieldType, dateTime, getDisplayProcessor, getFieldDisplayName, renderMarkdown, standardTransformers,
  standardTransformersRegistry, transformDataFrame,
} from '@grafana/data';
import { BarGauge, BigValue, PanelChrome, Table, TimeSeries } from '@grafana/ui';
import { useEffect, useState } from 'react';
import { lastValueFrom } from 'rxjs';
import { framesOf } from './query.js';

standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(standardTransformers).map((item) => [item.id, item])).values()].map((transformation) => ({
    id: transformation.id, name: transformation.name, transformation: async () => transformation, editor: () => null,
  })),
);

function setPath(target, path, value) {
  const keys = path.split('.');
  const last = keys.pop();
  let inner = target;
  for (const key of keys) {
    inner[key] = { ...(inner[key] ?? {}) };
    inner = inner[key];
  }
  inner[last] = value;
}

/** What the panel says of a field: its defaults, and the overrides by name. */
function configured(field, frame, frames, panel) {
  const name = getFieldDisplayName(field, frame, frames);
  const config = structuredClone({ color: { mode: panel.type === 'timeseries' ? 'palette-classic' : 'thresholds' }, ...panel.fieldConfig?.defaults, displayNameFromDS: field.config.displayNameFromDS });
  for (const override of panel.fieldConfig?.overrides ?? []) {
    const { id, options } = override.matcher;
    const hit = id === 'byName' ? options === name : id === 'byFrameRefID' ? options === frame.refId
      : id === 'byRegexp' ? new RegExp(options.replace(/^\/|\/$/g, '')).test(name) : false;
    for (const { id: property, value } of hit ? override.properties : []) {
      setPath(config, property, value);
    }
  }
  return config;
}

function withConfig(frames, panel, theme) {
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field, index) => {
      const config = field.type === FieldType.time ? field.config : configured(field, frame, frames, panel);
      const full = { ...field, config: { ...field.config, ...config }, state: { seriesIndex: index - 1 } };
      return { ...full, display: getDisplayProcessor({ field: full, theme }), getLinks: () => [] };
    }),
  }));
}

async function load(panel, config, theme) {
  const answers = await Promise.all((panel.targets ?? []).map((target) => framesOf(target, config)));
  let frames = answers.flat();
  const samples = frames.reduce((sum, frame) => sum + frame.fields.at(-1).values.filter((value) => value !== null).length, 0);
  if (panel.transformations?.length && frames.length) {
    frames = await lastValueFrom(transformDataFrame(panel.transformations, frames, { interpolate: (text) => text }));
  }
  return { frames: withConfig(frames, panel, theme), samples };
}

const KINDS = {
  text: ({ panel }) => (
    <div className="markdown-html" style={{ padding: 8, overflow: 'auto' }}
      dangerouslySetInnerHTML={{ __html: renderMarkdown(panel.options.content) }} />
  ),
  timeseries: ({ panel, frames, config, theme, width, height }) => {
    frames.forEach((frame, index) => frame.fields.forEach((field) => { field.state = { seriesIndex: index }; }));
    const timeRange = { from: dateTime(config.from * 1000), to: dateTime(config.to * 1000), raw: { from: '', to: '' } };
    const legend = { calcs: [], displayMode: 'list', placement: 'bottom', ...panel.options?.legend };
    return (
      <TimeSeries frames={frames} legend={legend} options={panel.options} structureRev={1} theme={theme} timeRange={timeRange}
        timeZone="utc" width={width} height={height} />
    );
  },
  stat: One,
  gauge: One,
  bargauge: ({ frames, width, height, theme }) => (
    <div>
      {frames.map((frame, index) => {
        const field = frame.fields.at(-1);
        const value = { ...field.display(field.values.at(-1)), title: getFieldDisplayName(field, frame, frames) };
        return <BarGauge key={index} value={value} field={field.config} theme={theme} orientation="horizontal" displayMode="gradient"
          width={width - 16} height={Math.min(46, height / frames.length)} />;
      })}
    </div>
  ),
  table: ({ frames, width, height }) => <Table data={frames[0]} width={width} height={height} />,
};

function One({ panel, frames, width, height, theme }) {
  const field = frames[0]?.fields.at(-1);
  const value = field ? field.display(field.values.at(-1)) : { text: panel.fieldConfig.defaults.noValue, numeric: NaN };
  return <BigValue value={value} width={width} height={height} theme={theme} colorMode="value" graphMode="none" justifyMode="center" />;
}

/** One panel in its frame. What Grafana's core alone can draw says so, and how much data it has. */
export function Panel({ panel, config, theme, width, height, told }) {
  const [state, setState] = useState(null);
  useEffect(() => {
    load(panel, config, theme).then(
      (loaded) => { setState(loaded); told(panel, { samples: loaded.samples }); },
      (fault) => { setState({ frames: [], fault: String(fault) }); told(panel, { fault: String(fault) }); },
    );
  }, []);
  const Kind = KINDS[panel.type];
  return (
    <PanelChrome title={panel.title} width={width} height={height} padding="none">
      {(innerWidth, innerHeight) => {
        if (!state) return <div>…</div>;
        if (state.fault) return <div style={{ color: 'red', padding: 8 }}>{state.fault}</div>;
        if (!Kind) return <div style={{ padding: 8, opacity: 0.6 }}>{panel.type}: {state.samples} samples</div>;
        if (panel.type !== 'text' && !state.frames.length && !['stat', 'gauge'].includes(panel.type)) {
          return <div style={{ padding: 8, opacity: 0.6 }}>{panel.fieldConfig?.defaults?.noValue ?? 'No data'}</div>;
        }
        return <Kind panel={panel} frames={state.frames} config={config} theme={theme} width={innerWidth} height={innerHeight} />;
      }}
    </PanelChrome>
  );
}
