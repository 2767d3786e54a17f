/** io.sallyport.Account and io.sallyport.Admin, as docs/PROTOCOL.md has them. */
import { connected } from "./varlink";

export interface Token {
    id: string;
    label: string;
    kind: "totp" | "hotp";
    algorithm: string;
    digits: number;
    period?: number;
    confirmed: string;
}

export interface LastLogin {
    at: string;
    service: string;
    source: string;
}

export interface SecondFactor {
    user: string;
    enrolled: boolean;
    tokens: Token[];
    recovery_codes: number;
    locked_until?: string;
    pending_until?: string;
    last?: LastLogin;
}

export interface Setup {
    id: string;
    uri: string;
    secret: string;
    expires: string;
}

export interface Device {
    label: string;
    kind: "totp" | "hotp";
    drift?: number;
}

/** A user in a list. user is empty where a file among the records is none. */
export interface User {
    user: string;
    devices: Device[];
    since?: string;
    recovery_codes: number;
    locked_until?: string;
    last?: LastLogin;
    problem?: string;
}

export interface Window {
    service: string;
    tty?: string;
    terminals: string[];
    pid: number;
    since: string;
}

export interface Session {
    id: string;
    user: string;
    source: string;
    since: string;
    windows: Window[];
}

export interface ClockPoint {
    at: string;
    source: string;
    offset: number;
    error: number;
}

export interface ClockState {
    wrong: boolean;
    text: string;
    source?: string;
    offset?: number;
    error?: number;
    since?: string;
    mend?: string;
    hint?: string;
    warn: number;
    sources: { name: string; text: string; offset?: number; error?: number }[];
    history: ClockPoint[];
}

/** A setting: value is TOML; file is empty for a default. */
export interface Setting {
    name: string;
    value: string;
    file: string;
    line: number;
    why: string;
}

export interface Block {
    file: string;
    line: number;
    settings: Setting[];
}

export interface Policy {
    settings: Setting[];
    rules: Block[];
    delegates: Block[];
}

/** What the caller may do to others' accounts. root: everything. */
export interface Rights {
    root: boolean;
    may: string[];
}

const account = "io.sallyport.Account.";
const admin = "io.sallyport.Admin.";

/** The second factor of the person who is logged in to Cockpit, whose own process asks. */
export const own = {
    status: () => connected(false, (c) => c.call<{ status: SecondFactor }>(account + "Status")).then((r) => r.status),
    enroll: (wishes: { label?: string; reconfigure?: string; code?: string }) =>
        connected(false, (c) => c.call<Setup>(account + "Enroll", wishes)),
    confirm: (id: string, code: string) =>
        connected(false, (c) => c.call<{ token: string; recovery_codes: string[] }>(account + "Confirm", { id, code })),
    rename: (token: string, label: string) => connected(false, (c) => c.call(account + "Rename", { token, label })),
    /** Without token: all devices and the recovery codes. */
    remove: (code: string, token?: string) =>
        connected(false, (c) => c.call(account + "Remove", token === undefined ? { code } : { token, code })),
    recoveryCodes: (code: string) =>
        connected(false, (c) => c.call<{ recovery_codes: string[] }>(account + "RecoveryCodes", { code })).then((r) => r.recovery_codes),
    forget: () => connected(false, (c) => c.call(account + "Forget")),
    sessions: (user: string) => connected(false, (c) => c.call<{ sessions: Session[] }>(admin + "Sessions", { user })).then((r) => r.sessions),
    endSession: (user: string, id: string) => connected(false, (c) => c.call(admin + "EndSession", { user, id })),
};

/** What an administrator does, or a delegate to its accounts. */
export const others = {
    rights: () => connected(true, (c) => c.call<Rights>(admin + "Rights")),
    async users(unenrolled = false): Promise<User[]> {
        const all: User[] = [];
        await connected(true, (c) => c.each(admin + "Users", { unenrolled }, (part) => all.push(...(part as { users: User[] }).users)));
        return all;
    },
    sessions: (user?: string) =>
        connected(true, (c) => c.call<{ sessions: Session[] }>(admin + "Sessions", user === undefined ? {} : { user })).then((r) => r.sessions),
    endSession: (user: string, id: string) => connected(true, (c) => c.call(admin + "EndSession", { user, id })),
    policy: () => connected(true, (c) => c.call<Policy>(admin + "Policy")),
    /** null takes a setting out of the managed file. */
    set: (settings: Record<string, string | null>) =>
        connected(true, (c) => c.call<{ changed: string[]; settings: Setting[] }>(admin + "Set", { settings })),
    clock: () => connected(true, (c) => c.call<{ clock: ClockState }>(admin + "Clock")).then((r) => r.clock),
};

/** What can be done to users, one by one. */
export type Action = "Disable" | "Unlock";

/** Failed is a user for whom an action could not be done. */
export interface Failed {
    user: string;
    error: unknown;
}

/** Does an action to users on one connection. It goes on where it fails for one, and stops when the signal says so. */
export async function toEach(action: Action, users: string[], done: (n: number) => void, signal: AbortSignal): Promise<Failed[]> {
    const failed: Failed[] = [];
    await connected(true, async (c) => {
        for (const [i, user] of users.entries()) {
            if (signal.aborted) {
                return;
            }
            try {
                await c.call(admin + action, { user });
            } catch (error) {
                failed.push({ user, error });
            }
            done(i + 1);
        }
    });
    return failed;
}
