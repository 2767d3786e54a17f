import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, minutes, parseKey, untilNext } from "../src/otpauth";

test("a key is what the URI says", () => {
    assert.deepEqual(parseKey("otpauth://totp/Example%20Hosting:alice?secret=GEZDGNBV&issuer=Example%20Hosting&period=60"),
        { issuer: "Example Hosting", account: "alice", period: 60 });
    assert.deepEqual(parseKey("otpauth://totp/host:bob?secret=GEZDGNBV"), { issuer: "host", account: "bob", period: 30 });
    assert.deepEqual(parseKey("otpauth://hotp/host:bob?secret=GEZDGNBV&counter=0"), { issuer: "host", account: "bob", period: 0 });
});

test("a secret is typed in groups of four", () => {
    assert.equal(grouped("GEZDGNBVGY3"), "GEZD GNBV GY3");
});

test("time that is left rounds up, and ends at nought", () => {
    assert.equal(minutes(600_000), "10:00");
    assert.equal(minutes(64_001), "1:05");
    assert.equal(minutes(-5), "0:00");
    assert.equal(untilNext(59_999, 30), 1);
    assert.equal(untilNext(60_000, 30), 30);
});
