/** Says to a person what an error means (as internal/client/sentence.go does for sallyportctl). */
import { _, format, clockTime, locale } from "./i18n";
import { CommandFailure } from "./command";
import { Refusal, Unreachable } from "./varlink";

export function sentence(error: unknown): string {
    if (error instanceof Refusal) {
        return refusal(error);
    }
    if (error instanceof Unreachable) {
        return unreachable(error.problem);
    }
    if (error instanceof CommandFailure) {
        return error.message;
    }
    return format(_("Something went wrong: $0"), error instanceof Error ? error.message : String(error));
}

function unreachable(problem: string): string {
    switch (problem) {
    case "not-found":
    case "connection-refused":
        return _("The daemon is not there. Start it: systemctl start sallyportd.socket");
    case "access-denied":
        return _("You may not connect to the daemon.");
    case "protocol-error":
        return _("The daemon's answer is not understood.");
    default:
        return _("The daemon closed the connection: it stopped, you have too many connections, or it took too long. Try again.");
    }
}

// The reasons that the daemon gives are English, as its journal is.
function refusal(e: Refusal): string {
    switch (e.kind) {
    case "CodeInvalid":
        return invalidCode(e.text("message"));
    case "CodeRequired":
        return _("A current code or a recovery code is needed.");
    case "NoPendingSetup":
        return _("No set-up waits for this code: it is done already, or it is older than 10 minutes. Begin again.");
    case "NoSuchToken":
        return format(_("There is no device \"$0\" any more."), e.text("token"));
    case "TooManyTokens":
        return _("There are as many devices as an account can have. Remove one first.");
    case "SwitchedOff":
        return _("Two-factor login is switched off on this host, so nobody can set it up.");
    case "Locked":
        return lockedUntil(e.text("until"));
    case "NotEnrolled":
        return format(_("Two-factor login is not set up for \"$0\"."), e.text("user"));
    case "NoSuchUser":
        return format(_("This host has no user \"$0\"."), e.text("user"));
    case "NoSuchSession":
        return _("This session has ended already.");
    default:
        return general(e);
    }
}

function general(e: Refusal): string {
    const reason = e.text("reason");
    switch (e.kind) {
    case "NotAllowed":
        return reason === "" ? _("You may not do this.") : format(_("You may not do this: $0."), reason);
    case "BadInput":
        return `The ${e.text("parameter")} ${reason}.`;
    case "BadSetting":
        return reason;
    case "Overridden":
        return format(_("$0 is set at $1, which is read later and would override this. Nothing was changed; change it there."),
            e.text("name"), `${e.text("file")}:${String(e.parameters.line)}`);
    case "PolicyRejected":
        return format(_("The policy has problems, and the one before stays in force: $0"), problems(e).join(" "));
    case "Unavailable":
        return unavailable(reason, e.text("mend"));
    case "MethodNotFound":
    case "MethodNotImplemented":
        return _("The daemon does not know how to do this. Is it older than this page? Restart it: systemctl restart sallyportd");
    default:
        return format(_("The daemon refuses with \"$0\", which this page does not know. Is it of the same version?"), e.error);
    }
}

/** The usual reason is in the person's language; one that says more, about the server's clock, is the daemon's. */
function invalidCode(message: string): string {
    return message === "The security code is invalid." ? _("The security code is invalid.") : message;
}

function problems(e: Refusal): string[] {
    const all = e.parameters.problems;
    return Array.isArray(all) ? all.map(String) : [];
}

function unavailable(reason: string, mend: string): string {
    const plain = reason.replace(/\.$/, "");
    if (mend === "" || reason.includes(mend)) {
        return format(_("This cannot be done now: $0."), plain);
    }
    return format(_("This cannot be done now: $0. What helps: $1"), plain, mend);
}

function lockedUntil(until: string): string {
    const at = new Date(until);
    if (Number.isNaN(at.getTime())) {
        return _("Too many wrong codes. Try again later.");
    }
    const today = at.toDateString() === new Date().toDateString();
    const when = today ? clockTime(at, true) : at.toLocaleString(locale(), { dateStyle: "medium", timeStyle: "medium" });
    return format(_("Too many wrong codes. Try again after $0."), when);
}

/** The setting that an error is about; empty where it is about none. */
export function settingOf(error: unknown): string {
    return error instanceof Refusal && (error.kind === "BadSetting" || error.kind === "Overridden") ? error.text("name") : "";
}
