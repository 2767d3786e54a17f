import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../src/command";
import { axisEnd, byHour, offsetPath } from "../src/tables";

const event = (time: string, kind: string, sender?: string): Event =>
    ({ time, kind, priority: 6, message: "", fields: {}, ...(sender === undefined ? {} : { sender }) });

test("logins are counted in the hour in which they were", () => {
    const hours = byHour([
        event("2026-11-25T10:00:00Z", "login-accepted"), event("2026-11-25T10:59:59Z", "login-accepted"),
        event("2026-11-25T10:30:00Z", "code-replayed"), event("2026-11-25T11:00:00Z", "login-denied"),
        event("2026-11-25T11:01:00Z", "session-opened"), event("2026-11-25T08:59:59Z", "login-accepted"),
        event("2026-11-25T11:02:00Z", "login-accepted", "1000"),
    ], new Date("2026-11-25T11:30:00Z"), 3);
    assert.deepEqual(hours.map((h) => [h.begins.toISOString(), h.accepted, h.refused]), [
        ["2026-11-25T09:00:00.000Z", 0, 0], ["2026-11-25T10:00:00.000Z", 2, 1], ["2026-11-25T11:00:00.000Z", 0, 1],
    ]);
});

test("an axis ends at 1, 2 or 5 times a power of ten", () => {
    assert.deepEqual([0, 1, 1.1, 20, 21, 51, 0.3].map((n) => Number(axisEnd(n).toPrecision(6))), [1, 1, 2, 20, 50, 100, 0.5]);
});

test("a line is interrupted where points are missing", () => {
    const at = (minute: number, offset: number) => ({ at: new Date(minute * 60_000).toISOString(), source: "x", offset, error: 0 });
    const box = { from: 0, to: 100 * 60_000, end: 1, width: 100, height: 20 };
    assert.equal(offsetPath([at(0, 0), at(5, 1), at(50, -1)], box), "M0.0 10.0L5.0 0.0M50.0 20.0");
    assert.equal(offsetPath([], box), "");
});
