import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCall, Replies } from "../src/frames";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a call ends with a NUL, and says more only where it wants more", () => {
    assert.equal(new TextDecoder().decode(encodeCall("a.B", { user: "ä" }, false)), '{"method":"a.B","parameters":{"user":"ä"}}\0');
    assert.match(new TextDecoder().decode(encodeCall("a.B", {}, true)), /"more":true}\0$/);
});

test("replies are the same however they are cut into pieces", () => {
    const all = bytes('{"parameters":{"users":["ä","€"]},"continues":true}\0{"parameters":{}}\0{"error":"a.E"}\0');
    const want = new Replies().push(all);
    assert.equal(want.length, 3);
    for (let size = 1; size < all.length; size++) {
        const replies = new Replies();
        const got = [];
        for (let at = 0; at < all.length; at += size) {
            got.push(...replies.push(all.subarray(at, at + size)));
        }
        assert.deepEqual(got, want, `in pieces of ${size} bytes`);
    }
});

test("what is no JSON throws", () => {
    assert.throws(() => new Replies().push(bytes("hello\0")));
});
