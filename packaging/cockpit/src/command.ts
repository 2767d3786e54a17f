/** What only the command knows: sallyportctl, run by Cockpit's bridge, and its JSON. */
import cockpit from "cockpit";

/** A command could not do what it was asked to. The message is its own. */
export class CommandFailure extends Error {}

/** Something that doctor has found. */
export interface Finding {
    id: string;
    effect: "locks-out" | "lets-past" | "warns";
    what: string;
    outcome: string;
    file?: string;
    line?: number;
    services?: string[];
    users?: string[];
    mend: { text?: string; command?: string; edits?: { file: string; line: number; old?: string; new?: string }[] };
}

/** An entry of the journal. */
export interface Event {
    time: string;
    kind: string;
    priority: number;
    message: string;
    fields: Record<string, string>;
    sender?: string;
}

/** Runs sallyportctl and reads its JSON. By its exit status 1 it may say that there is something to see. */
async function run<T>(args: string[]): Promise<T> {
    const { output, failure } = await new Promise<{ output: string; failure: string }>((resolve) => {
        // Cockpit refuses with the error and what was written before it: two values, which an await would not give.
        void cockpit.spawn(["sallyportctl", ...args, "--json"], { superuser: "try", err: "message" })
            .then((text) => resolve({ output: text, failure: "" }),
                (...refused: unknown[]) => resolve({ output: typeof refused[1] === "string" ? refused[1] : "", failure: messageOf(refused[0]) }));
    });
    try {
        return JSON.parse(output) as T;
    } catch {
        throw new CommandFailure(failure.replace(/^sallyportctl: /, "") || "sallyportctl: no JSON");
    }
}

function messageOf(error: unknown): string {
    const e = error as Partial<import("cockpit").ProcessError> | null;
    return (e?.message ?? e?.problem ?? "").trim();
}

/** What would lock people out, or let them past: as things are or, with suppose, as they would be with these settings. */
export function doctor(suppose: Record<string, string> = {}): Promise<Finding[]> {
    return run(["doctor", ...Object.entries(suppose).flatMap(([name, value]) => ["--suppose", `${name}=${value}`])]);
}

/** Events since a time as journalctl(1) takes it, at most so many of the newest; of one user or, without, of all. */
export function events(options: { since?: string; lines: number; user?: string }): Promise<Event[]> {
    const args = ["events", "--lines", String(options.lines)];
    if (options.since !== undefined) {
        args.push("--since", options.since);
    }
    if (options.user !== undefined) {
        args.push("--user", options.user);
    }
    return run(args);
}

/** The server's time, in milliseconds, less the browser's: what is good until a time is so by the server's. */
export async function serverAhead(): Promise<number> {
    const before = Date.now();
    const now = Number(await cockpit.spawn(["date", "+%s%3N"]));
    return now - (before + Date.now()) / 2;
}
