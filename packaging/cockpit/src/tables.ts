/** What the overview draws, counted. Pure. */
import type { Event } from "./command";
import type { ClockPoint } from "./sallyport";

/** Logins in one hour. */
export interface Hour {
    begins: Date;
    accepted: number;
    refused: number;
}

const accepted = new Set(["login-accepted"]);
const refused = new Set(["login-denied", "code-replayed", "login-locked", "unavailable", "account-refused", "session-refused"]);

const hour = 3_600_000;

/** Counts logins by hour, in the last n hours up to now's. What another process than root's has sent is not counted. */
export function byHour(events: Event[], now: Date, n = 24): Hour[] {
    const first = Math.floor(now.getTime() / hour) * hour - (n - 1) * hour;
    const hours = Array.from({ length: n }, (_unused, i) => ({ begins: new Date(first + i * hour), accepted: 0, refused: 0 }));
    for (const e of events) {
        const slot = hours[Math.floor((new Date(e.time).getTime() - first) / hour)];
        if (slot === undefined || e.sender !== undefined) {
            continue;
        }
        if (accepted.has(e.kind)) {
            slot.accepted++;
        } else if (refused.has(e.kind)) {
            slot.refused++;
        }
    }
    return hours;
}

/** The end of an axis that values up to most fit on: 1, 2 or 5 times a power of ten. */
export function axisEnd(most: number): number {
    if (!(most > 0)) {
        return 1;
    }
    const power = 10 ** Math.floor(Math.log10(most));
    // By a little more than the value, for 0.1 is not a tenth.
    return ([1, 2, 5, 10].find((f) => f * power >= most * (1 - 1e-9)) ?? 10) * power;
}

/** The path of a line through points of a time and an offset, in a box; with an interruption where points are missing. */
export function offsetPath(points: ClockPoint[], box: { from: number; to: number; end: number; width: number; height: number }): string {
    const gap = 15 * 60_000; // three points that are missing
    let last = -Infinity;
    return points.map((p) => {
        const at = new Date(p.at).getTime();
        const x = (at - box.from) / (box.to - box.from) * box.width;
        const y = box.height / 2 * (1 - p.offset / box.end);
        const command = at - last > gap ? "M" : "L";
        last = at;
        return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
    }).join("");
}
