// A dashboard on one page: every row open, drawn from a Prometheus that runs.
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { Panel } from './panels.jsx';

const COLUMN = 60, ROW = 38, GAP = 8;

/** Panels under each other, as Grafana lays them out when every row is open. */
function laidOut(panels) {
  const found = [];
  let shift = 0;
  for (const panel of panels) {
    found.push({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + shift } });
    const inner = panel.panels ?? [];
    if (inner.length) {
      found.push(...inner.map((item) => ({ ...item, gridPos: { ...item.gridPos, y: item.gridPos.y + shift } })));
      const bottom = Math.max(...inner.map((item) => item.gridPos.y + item.gridPos.h));
      shift += bottom - (panel.gridPos.y + 1);
    }
  }
  return found;
}

function Dashboard({ dashboard, config, theme, told }) {
  const panels = laidOut(dashboard.panels);
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <div style={{ position: 'relative', width: 24 * COLUMN, height: bottom * ROW, background: theme.colors.background.canvas }}>
      {panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const style = { position: 'absolute', left: x * COLUMN, top: y * ROW, width: w * COLUMN - GAP, height: h * ROW - GAP };
        return panel.type === 'row'
          ? <h3 key={panel.id} style={{ ...style, margin: 0, fontSize: 18 }}>{panel.title}</h3>
          : <div key={panel.id} data-panel={panel.id} style={style}><Panel panel={panel} config={config} theme={theme} told={told} width={style.width} height={style.height} /></div>;
      })}
    </div>
  );
}

const config = await (await fetch('config.json')).json();
const theme = createTheme({ colors: { mode: config.mode } });
const panels = config.dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
const waiting = new Set(panels.filter(({ type }) => type !== 'row').map(({ id }) => id));
window.told = {};
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Dashboard dashboard={config.dashboard} config={config} theme={theme} told={(panel, what) => {
      window.told[panel.id] = { title: panel.title, type: panel.type, targets: (panel.targets ?? []).length, ...what };
      waiting.delete(panel.id);
      window.drawn = waiting.size === 0;
    }} />
  </ThemeContext.Provider>,
);
