/** Plots, drawn here. Each says in words what it shows, and has its numbers in a table for who does not see it. */
import { _, clockTime, counted, format, locale } from "./i18n";
import type { ClockPoint } from "./sallyport";
import { axisEnd, offsetPath, type Hour } from "./tables";

const width = 600;
const height = 140;
const left = 44;
const below = 18;

/** How far off the clock was in the last day, with the lines at which it is warned of. */
export function OffsetPlot({ history, warn, now }: { history: ClockPoint[]; warn: number; now: Date }) {
    const to = now.getTime();
    const from = to - 24 * 3_600_000;
    const most = history.reduce((m, p) => Math.max(m, Math.abs(p.offset)), 0);
    const end = axisEnd(most);
    const y = (offset: number) => height / 2 * (1 - offset / end);
    const label = format(_("The clock's offset in the last day: at most $0 s."), most.toLocaleString(locale(), { maximumSignificantDigits: 2 }));
    return (
        <svg className="sp-plot" role="img" aria-label={label} viewBox={`0 0 ${width + left} ${height + below}`}>
            <Ticks y={[[0, `+${end} s`], [height / 2, "0 s"], [height, `−${end} s`]]} />
            <Times from={from} to={to} />
            <svg x={left} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
                {warn <= end ? [warn, -warn].map((w) => <line key={w} className="sp-limit" x1="0" x2={width} y1={y(w)} y2={y(w)} />) : null}
                <path className="sp-line" d={offsetPath(history, { from, to, end, width, height })} />
            </svg>
        </svg>
    );
}

/** Logins by hour: those that were let in below, those that were not on top. */
export function LoginPlot({ hours }: { hours: Hour[] }) {
    const end = axisEnd(hours.reduce((m, h) => Math.max(m, h.accepted + h.refused), 0));
    const sum = (of: "accepted" | "refused") => hours.reduce((n, h) => n + h[of], 0);
    const step = width / hours.length;
    const size = (n: number) => n / end * height;
    const label = format(_("Logins in the last day. Accepted: $0. Refused: $1."), sum("accepted"), sum("refused"));
    const first = hours[0]?.begins.getTime() ?? 0;
    return (
        <>
            <svg className="sp-plot" role="img" aria-label={label} viewBox={`0 0 ${width + left} ${height + below}`}>
                <Ticks y={[[0, end.toLocaleString(locale())], [height, "0"]]} />
                <Times from={first} to={first + hours.length * 3_600_000} />
                {hours.map((h, i) => (
                    <g key={h.begins.getTime()} transform={`translate(${left + i * step + 1} 0)`}>
                        <title>{`${clockTime(h.begins)}: ${counted("$0 accepted", "$0 accepted", h.accepted)}, ${counted("$0 refused", "$0 refused", h.refused)}`}</title>
                        <rect className="sp-accepted" width={step - 2} y={height - size(h.accepted)} height={size(h.accepted)} />
                        <rect className="sp-refused" width={step - 2} y={height - size(h.accepted + h.refused)} height={size(h.refused)} />
                    </g>
                ))}
            </svg>
            <ul className="sp-legend">
                <li><span className="sp-key-accepted" aria-hidden="true" /> {format(_("Accepted: $0"), sum("accepted"))}</li>
                <li><span className="sp-key-refused" aria-hidden="true" /> {format(_("Refused: $0"), sum("refused"))}</li>
            </ul>
        </>
    );
}

function Ticks({ y }: { y: [number, string][] }) {
    return (
        <g className="sp-axis">
            {y.map(([at, text]) => (
                <g key={text}>
                    <line x1={left} x2={left + width} y1={at} y2={at} />
                    <text x={left - 4} y={at} textAnchor="end" dominantBaseline={at === 0 ? "hanging" : at === height ? "auto" : "middle"}>{text}</text>
                </g>
            ))}
        </g>
    );
}

/** Times of day below a plot, every six hours. */
function Times({ from, to }: { from: number; to: number }) {
    const six = 6 * 3_600_000;
    const zone = new Date(from).getTimezoneOffset() * 60_000;
    const times: number[] = [];
    for (let t = Math.ceil((from - zone) / six) * six + zone; t <= to; t += six) {
        times.push(t);
    }
    return (
        <g className="sp-axis">
            {times.map((t) => (
                <text key={t} x={left + (t - from) / (to - from) * width} y={height + below - 3} textAnchor="middle">{clockTime(new Date(t))}</text>
            ))}
        </g>
    );
}
