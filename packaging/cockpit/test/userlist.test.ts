import assert from "node:assert/strict";
import { test } from "node:test";
import type { User } from "../src/sallyport";
import { allBut, pageOf, search, sorted } from "../src/userlist";

const user = (name: string, more: Partial<User> = {}): User =>
    ({ user: name, devices: [{ label: "phone", kind: "totp" }], recovery_codes: 10, ...more });
const names = (users: User[]) => users.map((u) => u.user);

test("a search finds all its words, in names, devices and logins", () => {
    const users = [
        user("alice", { devices: [{ label: "Tablet", kind: "totp" }] }),
        user("bob", { last: { at: "2026-11-25T00:00:00Z", service: "sshd", source: "192.0.2.7" } }),
        user("", { devices: [], problem: "stray.toml: it is no record" }),
    ];
    assert.deepEqual(names(search(users, "  ")), ["alice", "bob", ""]);
    assert.deepEqual(names(search(users, "ALI tab")), ["alice"]);
    assert.deepEqual(names(search(users, "192.0.2")), ["bob"]);
    assert.deepEqual(names(search(users, "stray")), [""]);
    assert.deepEqual(names(search(users, "alice bob")), []);
});

test("each column sorts both ways, and what is the same by name", () => {
    const users = [
        user("c", { recovery_codes: 2, since: "2026-01-02T00:00:00Z" }),
        user("a", { recovery_codes: 10, locked_until: "2026-11-25T01:00:00Z" }),
        user("b", { recovery_codes: 2, problem: "damaged", devices: [] }),
    ];
    assert.deepEqual(names(sorted(users, { by: "user", descending: false })), ["a", "b", "c"]);
    assert.deepEqual(names(sorted(users, { by: "user", descending: true })), ["c", "b", "a"]);
    assert.deepEqual(names(sorted(users, { by: "codes", descending: false })), ["b", "c", "a"]);
    assert.deepEqual(names(sorted(users, { by: "codes", descending: true })), ["a", "b", "c"]);
    assert.deepEqual(names(sorted(users, { by: "since", descending: true })), ["c", "a", "b"]);
    assert.deepEqual(names(sorted(users, { by: "state", descending: true })), ["b", "a", "c"]);
    assert.deepEqual(names(sorted(users, { by: "devices", descending: false })), ["b", "a", "c"]);
    assert.deepEqual(names(users), ["c", "a", "b"], "the list itself stays as it is");
});

test("a page beyond the last is the last", () => {
    const all = [1, 2, 3, 4, 5];
    assert.deepEqual(pageOf(all, 1, 2), { rows: [1, 2], page: 1 });
    assert.deepEqual(pageOf(all, 9, 2), { rows: [5], page: 3 });
    assert.deepEqual(pageOf([], 3, 2), { rows: [], page: 1 });
});

test("Disable All leaves the caller's accounts alone, and files that are nobody's", () => {
    const users = [user("root"), user("admin"), user("bob"), user("", { problem: "stray" }), user("none", { devices: [] })];
    assert.deepEqual(allBut(users, ["admin", "root"]), ["bob"]);
});
