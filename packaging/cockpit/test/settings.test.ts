import assert from "node:assert/strict";
import { test } from "node:test";
import type { Policy } from "../src/sallyport";
import { changes, contradiction, fault, listOf, names, seconds, shown, valueOf, written, type Name } from "../src/settings";

const values: Record<Name, string> = {
    "issuer": '"Example Hosting"', "codes.window": "1", "lockout.failures": "5", "lockout.within": '"10m"', "lockout.lock": '"5m"',
    "lockout.lock_max": '"24h"', "lockout.user_failures": "20", "sessions.limit": "1", "sessions.excess": '"displace"',
    "clock.servers": '["ntp.example.org", "192.0.2.1"]',
};
const policy: Policy = {
    settings: names.map((name) => ({ name, value: values[name], file: "", line: 0, why: "default" })), rules: [], delegates: [],
};
const typed = () => Object.fromEntries(names.map((n) => [n, shown(n, valueOf(policy, n))])) as Record<Name, string>;

test("what is shown and written again is what it was", () => {
    assert.equal(shown("issuer", values.issuer), "Example Hosting");
    assert.equal(shown("clock.servers", values["clock.servers"]), "ntp.example.org\n192.0.2.1");
    assert.deepEqual(listOf(policy, "clock.servers"), ["ntp.example.org", "192.0.2.1"]);
    for (const name of names) {
        assert.deepEqual(JSON.parse(written(name, shown(name, values[name]))), JSON.parse(values[name]), name);
        assert.equal(fault(name, shown(name, values[name])), "", name);
    }
});

test("only what has changed is set", () => {
    assert.deepEqual(changes(policy, typed()), {});
    assert.deepEqual(changes(policy, { ...typed(), "codes.window": " 2 ", "clock.servers": "", "issuer": "A \"b\"" }),
        { "issuer": '"A \\"b\\""', "codes.window": "2", "clock.servers": "[]" });
});

test("what the daemon would refuse is said as it is typed", () => {
    const bad: [Name, string][] = [
        ["issuer", "a:b"], ["issuer", "ä".repeat(33)], ["issuer", "a\u0007"], ["codes.window", "11"], ["codes.window", "-1"], ["codes.window", "1.5"],
        ["codes.window", ""], ["lockout.failures", "0"], ["lockout.within", "25h"], ["lockout.within", "10"], ["lockout.within", "0s"],
        ["lockout.lock", "1.5s"], ["lockout.lock", "1d"], ["sessions.limit", "1001"], ["sessions.excess", "kill"], ["clock.servers", "a b"],
        ["clock.servers", "ntp.example.org\n-bad"], ["clock.servers", "http://x"],
    ];
    for (const [name, text] of bad) {
        assert.notEqual(fault(name, text), "", `${name} = ${text}`);
    }
    const good: [Name, string][] = [
        ["issuer", ""], ["codes.window", "0"], ["lockout.within", "1h30m"], ["lockout.lock", "720h"], ["sessions.limit", "0"],
        ["clock.servers", "2001:db8::1"], ["clock.servers", "[2001:db8::1]:123, ntp.example.org:123"], ["clock.servers", "192.0.2.1"],
    ];
    for (const [name, text] of good) {
        assert.equal(fault(name, text), "", `${name} = ${text}`);
    }
});

test("a lock is not longer than the longest", () => {
    assert.equal(contradiction(typed()), "");
    assert.notEqual(contradiction({ ...typed(), "lockout.lock": "25h" }), "");
    assert.equal(contradiction({ ...typed(), "lockout.lock": "nonsense" }), "");
});

test("times are Go's", () => {
    assert.equal(seconds("1h30m5s"), 5405);
    assert.equal(seconds("0.5h"), 1800);
    assert.equal(seconds("5"), undefined);
    assert.equal(seconds("1h x"), undefined);
});
