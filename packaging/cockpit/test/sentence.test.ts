import assert from "node:assert/strict";
import { test } from "node:test";
import { sentence, settingOf } from "../src/sentence";
import { Refusal, Unreachable } from "../src/varlink";

const admin = "io.sallyport.Admin.";
const account = "io.sallyport.Account.";

test("every error is a sentence that names what is wrong", () => {
    const cases: [unknown, RegExp][] = [
        [new Refusal(account + "CodeInvalid", { message: "The security code is invalid." }), /^The security code is invalid\.$/],
        [new Refusal(account + "CodeInvalid", { message: "The security code is invalid. This server's clock is 42 s slow." }), /42 s slow/],
        [new Refusal(account + "Locked", { until: "2020-01-02T03:04:05Z" }), /Try again after .*2020.*3:04:05/],
        [new Refusal(account + "Locked", {}), /Try again later/],
        [new Refusal(admin + "NotAllowed", { method: "m", reason: "only root may" }), /only root may\.$/],
        [new Refusal(admin + "BadSetting", { name: "codes.window", reason: "codes.window must be 0 to 10." }), /must be 0 to 10/],
        [new Refusal(admin + "Overridden", { name: "issuer", file: "/etc/x.toml", line: 3 }), /\/etc\/x\.toml:3/],
        [new Refusal(admin + "PolicyRejected", { problems: ["a:1: no", "b:2: no"] }), /a:1: no b:2: no/],
        [new Refusal(admin + "Unavailable", { reason: "the disk is full.", mend: "free some" }), /the disk is full\. What helps: free some/],
        [new Refusal(admin + "Unavailable", { reason: "run x", mend: "x" }), /^This cannot be done now: run x\.$/],
        [new Refusal("org.varlink.service.MethodNotFound", {}), /Restart it/],
        [new Refusal("a.b.Strange", {}), /"a\.b\.Strange"/],
        [new Unreachable("not-found"), /Start it/],
        [new Unreachable(""), /Try again/],
        [new Error("boom"), /boom/],
    ];
    for (const [error, want] of cases) {
        assert.match(sentence(error), want);
    }
});

test("an error about a setting says which", () => {
    assert.equal(settingOf(new Refusal(admin + "BadSetting", { name: "codes.window", reason: "" })), "codes.window");
    assert.equal(settingOf(new Refusal(admin + "Overridden", { name: "issuer" })), "issuer");
    assert.equal(settingOf(new Refusal(admin + "PolicyRejected", { name: "issuer" })), "");
    assert.equal(settingOf(new Error("x")), "");
});
